"""The planner: one writer of plans.events, whose memory is what stands there."""

import logging
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final

from schemas.messages.core import Envelope
from schemas.messages.plans import ImpactFitted, PlacementSolved, PlanPublished
from schemas.messages.strategy import PlanRequested
from services.planner.frames import Frames
from services.planner.requests import Answered, Waiting, newest
from streams.core.envelope import outside_envelope
from streams.core.errors import DecodeError
from streams.core.topics import PLANS_EVENTS, STRATEGIES_EVENTS
from streams.models.plans import solved
from streams.runtime.ports import Codec, Log, Reader, Record, TopicPartition

__all__ = ["ACTOR", "PLAN_VALID_NS", "TRANSACTIONAL_ID", "Planner"]

ACTOR: Final = "planner"
TRANSACTIONAL_ID: Final = "planner"
POLL_MS: Final = 100
RECORDS: Final = 5_000
PLAN_VALID_NS: Final = 600_000_000_000  # a shard may find it stale long before
PLANS: Final = TopicPartition(PLANS_EVENTS, 0)
_LOG: Final = logging.getLogger("penstock.planner")


class Planner:
    """Owner of the plans. After any error of the log a new one must be made: it reads all again.

    Raises: FencedError, AmbiguousCommitError, LogError from every method.
    """

    def __init__(
        self,
        log: Log,
        codec: Codec,
        log_id: bytes,
        *,
        now_ns: Callable[[], int],
        clock_ns: Callable[[], int],
    ) -> None:
        """`now_ns`: UTC of the envelopes; `clock_ns`: what the solver's time is measured by."""
        self._codec = codec
        self._log_id = log_id
        self._now_ns = now_ns
        self._clock_ns = clock_ns
        self._frames = Frames((PlanRequested,))
        self._producer = log.producer(TRANSACTIONAL_ID)
        self.answered = Answered()
        self._read_own(log)
        self._reader = log.reader()
        partitions = log.partitions(STRATEGIES_EVENTS)
        self._places = [TopicPartition(STRATEGIES_EVENTS, n) for n in range(partitions)]
        self._reader.assign({place: self.answered.position(place) for place in self._places})

    def turn(self, wait_ms: int = POLL_MS) -> int:
        """Answer the requests that are there; return how many were answered."""
        records = self._reader.poll(RECORDS, wait_ms)
        waiting = [each for record in records if (each := self._waiting(record)) is not None]
        plans = [self._solve(each) for each in newest(waiting)]
        if plans:
            self.write(plans)
        return len(plans)

    def is_read(self, log: Log) -> bool:
        """Return whether every request that is committed has been read."""
        return all(
            self._reader.position(place) >= log.stable_offset(place) for place in self._places
        )

    def write(self, messages: Sequence[PlanPublished | ImpactFitted | PlacementSolved]) -> None:
        """Publish them in one transaction."""
        now_ns = self._now_ns()
        self._producer.begin()
        for message in messages:
            name = _name(message)
            value = self._codec.encode(self._envelope(name, now_ns), message)
            self._producer.send(*PLANS, name.encode(), value)
        self._producer.commit()
        for message in messages:
            self.answered.see(message)
            _LOG.info("%s", _told(message))

    def close(self) -> None:
        self._reader.close()
        self._producer.close()

    def _read_own(self, log: Log) -> None:
        """Read plans.events to its end; whoever wrote there before is fenced."""
        reader: Reader = log.reader()
        end = log.stable_offset(PLANS)
        reader.assign({PLANS: log.start_offset(PLANS)})
        try:
            while reader.position(PLANS) < end:
                for record in reader.poll(RECORDS, POLL_MS):
                    self.answered.see(self._codec.decode(record.value)[1])
        finally:
            reader.close()

    def _waiting(self, record: Record) -> Waiting | None:
        if not self._frames.is_one(record.value):
            return None
        try:
            _, request = self._codec.decode(record.value)
        except DecodeError:
            return None  # of another generation of the schema: its shard does not wait
        return Waiting(request, record.partition, record.topic, record.offset)

    def _solve(self, waiting: Waiting) -> PlanPublished:
        began_ns = self._clock_ns()
        plan = solved(waiting.request, self.answered.fitted, PLAN_VALID_NS)
        return PlanPublished(
            plan=plan,
            shard=waiting.shard,
            topic=waiting.topic,
            partition=waiting.shard,
            offset=waiting.offset,
            solved_ns=self._clock_ns() - began_ns,
        )

    def _envelope(self, name: str, now_ns: int) -> Envelope:
        identity = self._log_id + b"/planner/" + name.encode()
        return outside_envelope(blake2b(identity, digest_size=16).digest(), now_ns, ACTOR)


def _name(message: PlanPublished | ImpactFitted | PlacementSolved) -> str:
    """Return what the message is known by; the key of its record."""
    match message:
        case ImpactFitted():
            return message.version
        case PlacementSolved():
            subject = f"{message.instrument_id}/{message.side}/{message.size_bucket}"
            return f"{subject}@{message.solved_ns}"
        case PlanPublished():
            return message.plan.plan_id


def _told(message: Any) -> str:
    if isinstance(message, PlacementSolved):
        gap = message.gap_bps_e9 / 1e9
        return f"placement {_name(message)} of {message.quantity}, gap {gap:.4f} bp"
    if isinstance(message, ImpactFitted):
        return f"fitted {message.version} on {message.parents} parents"
    return f"plan {message.plan.plan_id} in {message.solved_ns / 1e6:.1f} ms"
