"""One batch decided: the same steps live and in a replay."""

from collections.abc import Sequence

from schemas.messages.core import TimerFired
from streams.runtime.ports import Application, Emitter, Inbound
from streams.runtime.settings import HostSettings

__all__ = ["decide_batch"]


def decide_batch(
    settings: HostSettings,
    application: Application,
    records: Sequence[Inbound],
    out: Emitter,
    signals: Sequence[str] = (),
) -> tuple[TimerFired, ...]:
    """Apply signals, records, then the timers due at `out.at_ns`; return the timers fired.

    What cannot be decoded is kept as a dead letter; on topics that every shard reads, by shard 0.
    """
    for_all = {partition.topic for partition in settings.urgent_inputs}
    for text in signals:
        application.signal(text, out)
    for inbound in records:
        error = inbound.error
        if error is not None and (settings.shard == 0 or inbound.record.topic not in for_all):
            out.dead_letter(inbound, error.reason, error.field, error.value, error.bound)
        application.apply(inbound, out)
    fired: list[TimerFired] = []
    while (timer := application.pop_due(out.at_ns)) is not None:
        fired.append(TimerFired(timer_id=timer.timer_id, due_ns=timer.due_ns))
        application.fire(timer, out)
    application.finish(out)
    return tuple(fired)
