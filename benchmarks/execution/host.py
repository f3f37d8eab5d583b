"""The real engine shard and the real simulator in one thread, step by step, without a log.

Messages go from one to the other as they are: no bytes, no transactions, the order of a tape. One
batch of the engine is one step of the market; what it says to venues is heard in the next step.
"""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import ClockMode, Envelope
from schemas.messages.market import Watermark
from services.venues.application import VenueSimulator
from services.venues.scenario import Day
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.runtime.decide import decide_batch
from streams.runtime.journal import tape_entropy
from streams.runtime.merge import merge
from streams.runtime.ports import Inbound, Record
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard

__all__ = ["LOG_ID", "run_day"]

LOG_ID = b"penstock-testlog"
NO_EVENT = bytes(16)
Watcher = Callable[[int, str, Any], None]  # at_ns, topic, message
Said = tuple[str, int, Any, str]  # topic, source_ns, message, actor


class _Out:
    """Implements ports.Emitter for one batch; `heard` gets each message with its time."""

    def __init__(self, seed: int, shard: int, seq: int, at_ns: int) -> None:
        self.shard = shard
        self.seq = seq
        self.at_ns = at_ns
        self.entropy = tape_entropy(seed, shard, seq)
        self.said: list[Said] = []

    def emit(
        self,
        topic: str,
        message: Any,
        *,
        key: str,
        causation_id: bytes,
        correlation_id: str,
        source_ns: int = 0,
        partition: int | None = None,
        actor: str = "",
    ) -> bytes:
        self.said.append((topic, source_ns, message, actor))
        return self.seq.to_bytes(12, "big") + len(self.said).to_bytes(4, "big")

    def dead_letter(self, inbound: Inbound, *_: Any) -> bytes:
        self.said.append((topics.DEAD_LETTERS, 0, inbound.message, ""))
        return NO_EVENT

    def model(self, name: str, compute: Callable[[], Any]) -> Any:
        return compute()


class _Line:
    """The line to the venues; in `steps` nothing reaches `venue_id` and nothing comes from it.

    What was on its way arrives when the line is there again; market data is never told late.
    """

    def __init__(self, venue_id: str, steps: range) -> None:
        self._venue_id = venue_id
        self._steps = steps
        self._unsent: list[Inbound] = []
        self._unheard: list[Said] = []

    def sent(self, step: int, children: list[Inbound]) -> list[Inbound]:
        """Return what reaches the venues in this step."""
        if step not in self._steps:
            late, self._unsent = self._unsent, []
            return late + children
        self._unsent += [each for each in children if self._is_lost(each.message)]
        return [each for each in children if not self._is_lost(each.message)]

    def heard(self, step: int, at_ns: int, said: list[Said]) -> list[Said]:
        """Return what the engine hears of this step."""
        if step not in self._steps:
            late = [(topic, at_ns, message, actor) for topic, _, message, actor in self._unheard]
            self._unheard = []
            return late + said
        lost = [each for each in said if self._is_lost(each[2])]
        self._unheard += [each for each in lost if each[0] != topics.MARKET_DATA]
        return [each for each in said if not self._is_lost(each[2])]

    def _is_lost(self, message: Any) -> bool:
        return bool(getattr(message, "venue_id", "") == self._venue_id)


def run_day(
    day: Day,
    definitions: list[Any],
    seed: int,
    watch: Watcher,
    *,
    lost: str = "",
    lost_steps: range = range(0),
) -> EngineShard:
    """Play the day and show `watch` whatever both say, heard or not."""
    engine, simulator = EngineShard(0, 1, LOG_ID), VenueSimulator(day, 1)
    settings = engine_settings(0, ClockMode.TAPE, LOG_ID, seed=seed)
    terms, ordinal, line = day.terms, 0, _Line(lost, lost_steps)

    def inbound(topic: str, source_ns: int, message: Any, actor: str) -> Inbound:
        nonlocal ordinal
        ordinal += 1
        record = Record(topic, 0, ordinal, 0, b"", b"")
        return Inbound(record, _envelope(ordinal, source_ns, actor), message, None)

    first = [inbound(topics.CONTROL_COMMANDS, terms.start_ns, m, "bench") for m in definitions]
    children: list[Inbound] = []
    for step in range(1, day.steps + 1):
        at_ns = terms.start_ns + step * terms.step_ns
        market = _Out(seed, 1, step, at_ns)
        for each in line.sent(step, children):
            simulator.apply(each, market)
        simulator.finish(market)
        said = [each for each in market.said if type(each[2]) is not Watermark]
        for topic, source_ns, message, _ in said:
            watch(source_ns, topic, message)
        runs: dict[str, list[Inbound]] = {}
        for heard in line.heard(step, at_ns, said):
            runs.setdefault(heard[0], []).append(inbound(*heard))
        inputs = merge(ClockMode.TAPE, settings.urgent_inputs, runs.values())
        out = _Out(seed, 0, step, at_ns)
        decide_batch(settings, engine, [*first, *inputs], out)
        first, children = [], []
        for topic, _, message, actor in out.said:
            watch(at_ns, topic, message)
            if topic == topics.CHILDREN_EVENTS:
                children.append(inbound(topic, at_ns, message, actor))
    return engine


def _envelope(ordinal: int, source_ns: int, actor: str) -> Envelope:
    return outside_envelope(b"in" + ordinal.to_bytes(14, "big"), source_ns, actor or "bench")
