"""Join the simulator to a log: application, inbox and loop."""

from collections.abc import Sequence

from services.metrics.tally import Tally
from services.venues.application import VenueSimulator
from services.venues.edges import BY_FIX, DIRECT, Edges
from services.venues.engine_steps import EngineSteps
from services.venues.inbox import PacedInbox, Schedule, StepInbox
from services.venues.opening import OpeningInbox
from services.venues.scenario import Day
from streams.adapters.clock import ScaledClock, WallClock
from streams.runtime.host import ShardHost
from streams.runtime.latch import NO_LATCH, KillLatch
from streams.runtime.observer import NOBODY, Observer
from streams.runtime.ports import Codec, Inbox, Log, Message
from streams.runtime.settings import HostSettings

__all__ = ["is_over", "simulator_host"]


def simulator_host(
    log: Log,
    codec: Codec,
    settings: HostSettings,
    day: Day,
    *,
    partitions: int,
    speed: int = 0,
    awaited: Sequence[Message] = (),
    tally: Tally | None = None,
    observer: Observer = NOBODY,
    latch: KillLatch = NO_LATCH,
    edges: Edges = DIRECT,
) -> ShardHost:
    """Return the loop of the day. `speed` 0 is lockstep with the engines, else times the clock.

    `awaited`: definitions without which the day does not open.
    """
    schedule = Schedule(day.terms.start_ns, day.terms.step_ns, day.steps)
    inbox: Inbox
    if speed:
        clock = ScaledClock(day.terms.start_ns, speed)
        engines = EngineSteps(log, codec, partitions) if edges == BY_FIX else None
        inbox = PacedInbox(
            log, codec, schedule, partitions, clock, topic=edges.children, engines=engines
        )
    else:
        inbox = StepInbox(log, codec, schedule, partitions)
    if awaited:
        inbox = OpeningInbox(inbox, log, codec, awaited)
    return ShardHost(
        log,
        codec,
        settings,
        make_application=lambda: VenueSimulator(day, partitions, tally, edges),
        inbox=inbox,
        clock=WallClock(),
        observer=observer,
        latch=latch,
    )


def is_over(host: ShardHost) -> bool:
    """Return whether the final watermark is journalled."""
    application = host.application
    return isinstance(application, VenueSimulator) and application.is_over
