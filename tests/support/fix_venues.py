"""A gateway to venues on a memory log, with an engine's events and a wire written by the test."""

from typing import Any

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import Cause, Envelope, JournalKind
from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildReplaceRequested,
    ChildStatusRequested,
)
from schemas.messages.venues import ConnectionChanged, ExecutionReport, OrderCancelReject
from services.fix.codes.versions import Version
from services.fix.fields import Fields, framed
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.venues.application import VenuesGateway
from services.fix.venues.terms import VenueTerms
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import Faults, MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.ports import TopicPartition
from tests.support.audit_log import Batch, Writer, make
from tests.support.routing import IDS, placed

__all__ = [
    "ACME",
    "DAY",
    "FILL",
    "NUMBER",
    "SECOND",
    "START_NS",
    "Desk",
    "cancel",
    "child",
    "kinds",
    "replace",
    "report",
    "status",
    "terms",
    "told",
    "working",
]

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
ACME: str = IDS["instrument_id"]
START_NS = 1_772_461_800 * 10**9  # 2026-03-02 14:30 UTC, a Monday
DAY = 20260302
NUMBER = 3
SECOND = 10**9
FILL = {"t32": "40", "t31": "99.98", "t14": "40", "t151": "60"}


def terms(**changes: Any) -> VenueTerms:
    """Return terms of V1 in FIX 4.4."""
    return VenueTerms(**{"venue_id": "V1", "version": Version.FIX44, **changes})


def child(child_id: str = "P.1.1", quantity: int = 100, **changes: Any) -> Any:
    """Return a child to buy 100 at 99.99 at V1."""
    return placed(child_id, quantity, **{"price_e9": 99_990_000_000, **changes})


def report(exec_id: str, exec_type: str, status: str, **fields: Any) -> Fields:
    """Return an 8 of child P.1.1; `t31="99.99"` sets tag 31, None leaves a tag out."""
    tags: dict[int, Any] = {
        37: "V-1", 11: "P.1.1", 17: exec_id, 150: exec_type, 39: status, 55: ACME, 54: "1",
        14: "0", 151: "100", 6: "0",
    }  # fmt: skip
    tags |= {int(name[1:]): value for name, value in fields.items()}
    return Fields((tag, str(value)) for tag, value in tags.items() if value is not None)


class HandClock:
    """Implements ports.Clock: moves when the test says so."""

    def __init__(self) -> None:
        self.now = START_NS

    def now_ns(self) -> int:
        return self.now

    def floor(self, now_ns: int) -> None:
        self.now = max(self.now, now_ns)


class Desk:
    """One gateway; `turn` lets it read whatever the test has written."""

    def __init__(
        self,
        sessions: dict[str, VenueTerms] | None = None,
        *,
        partitions: int = 1,
        faults: Faults | None = None,
        snapshot_batches: int = 3,
    ) -> None:
        self.sessions = sessions or {"V1": terms()}
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self.log = MemoryLog(dict.fromkeys(names, 16), faults=faults)
        self.clock = HandClock()
        self.writer = Writer()
        self.writer.batch(JournalKind.OWNER_STARTED, Batch())
        self._written = 0
        self._partitions = partitions
        self._snapshot_batches = snapshot_batches
        self.sequences: dict[str, int] = {}
        self.define(ACME, 1)
        self.host = self.new_host()

    def new_host(self) -> ShardHost:
        def make_gateway() -> VenuesGateway:
            return VenuesGateway(NUMBER, self.sessions)

        settings = gateway_settings(
            make_gateway(),
            name="venues",
            log_id=LOG_ID,
            partitions=self._partitions,
            config_version="test",
            snapshot_batches=self._snapshot_batches,
        )
        host = gateway_host(self.log, CODEC, settings, make_gateway, clock=self.clock)
        host._pause = lambda _: None  # a memory log is never worth waiting for
        host.take_over()
        return host

    def crash(self) -> None:
        """Let another process take over, and hold what it restored against what was there."""
        before = self.host.application.snapshot()
        self.host.close()
        self.host = self.new_host()
        assert self.host.application.snapshot() == before, "a recovery comes to another state"

    @property
    def state(self) -> Any:
        return self.host.application.state  # type: ignore[attr-defined]

    def turn(self) -> None:
        """Let the gateway read and decide until nothing is left."""
        for _ in range(200):
            if not self.host.turn():
                return
        raise AssertionError("the gateway turns without end")

    def pass_ns(self, ns: int) -> None:
        self.clock.now += ns
        self.turn()

    def define(self, instrument_id: str, scale: int) -> None:
        message = make(
            InstrumentDefined, instrument_id=instrument_id, quantity_scale=scale, currency="USD"
        )
        self._append(topics.CONTROL_COMMANDS, 0, message)

    def engine(self, *messages: Any) -> None:
        """Commit a batch of an engine."""
        events = [(topics.CHILDREN_EVENTS, message) for message in messages]
        self.writer.batch(JournalKind.BATCH, Batch(outputs=events, now_ns=self.clock.now))
        for record in self.writer.records[self._written :]:
            self.log.append(record.topic, record.partition, record.key, record.value)
        self._written = len(self.writer.records)

    def logon(self, session_id: str = "V1", *, is_logged_on: bool = True) -> None:
        changed = FixSessionChanged(
            session_id=session_id,
            session_day=DAY,
            session_epoch=1,
            is_logged_on=is_logged_on,
            text="",
            transact_ns=self.clock.now,
        )
        self._append(topics.FIX_RECEIVED, NUMBER, changed)

    def hear(
        self, fields: Fields, kind: str = "8", session_id: str = "V1", sequence: int = 0
    ) -> FixReceived:
        """Record a message of a venue; `sequence` to say one again."""
        if not sequence:
            sequence = self.sequences.get(session_id, 0) + 1
            self.sequences[session_id] = sequence
        header = Fields().add(35, kind).add(34, sequence)
        message = FixReceived(
            session_id=session_id,
            session_day=DAY,
            session_epoch=1,
            sequence=sequence,
            message_type=kind,
            is_possible_duplicate=False,
            is_possible_resend=False,
            text=framed("FIX.4.4", header, fields.body()),
            refusal="",
            sent_ns=self.clock.now,
            received_ns=self.clock.now,
        )
        self._append(topics.FIX_RECEIVED, NUMBER, message)
        return message

    def mark(self, sending: FixSending, sequence: int, *, is_possible_resend: bool = False) -> None:
        """Say that a message has gone out."""
        sent = FixSent(
            session_id=sending.session_id,
            session_day=DAY,
            session_epoch=1,
            ordinal=sending.ordinal,
            sequence=sequence,
            is_possible_resend=is_possible_resend,
            sent_ns=self.clock.now,
        )
        self._append(topics.FIX_RECEIVED, NUMBER, sent)

    def sendings(self) -> list[FixSending]:
        """Return all that was ever given to the wire."""
        return self._read(topics.FIX_SENDING, NUMBER)

    def sent(self) -> list[str]:
        """Return it as texts: type and fields."""
        return [f"{each.message_type} {Fields.parse(each.body)!r}" for each in self.sendings()]

    def reports(self, partition: int = 0) -> list[Any]:
        """Return what the engine is told."""
        return self._read(topics.VENUES_REPORTS, partition)

    def decisions(self) -> list[Any]:
        return self._read(topics.FIX_DECISIONS, NUMBER)

    def _read(self, topic: str, partition: int) -> list[Any]:
        records, _ = self.log.partition(TopicPartition(topic, partition)).read(0, 10**9)
        return [CODEC.decode(record.value)[1] for record in records]

    def _append(self, topic: str, partition: int, message: Any) -> None:
        envelope = make(Envelope, shard=-1, seq=-1, topic_seq=-1, at_ns=self.clock.now)
        self.log.append(topic, partition, b"", CODEC.encode(envelope, message))


def cancel(request: int = 1, child_id: str = "P.1.1") -> Any:
    return make(
        ChildCancelRequested,
        **{**IDS, "child_id": child_id, "venue_id": "V1", "request": request, "cause": Cause.KILL},
    )


def replace(request: int = 1, quantity: int = 80, child_id: str = "P.1.1") -> Any:
    return make(
        ChildReplaceRequested,
        **{**IDS, "child_id": child_id, "venue_id": "V1", "request": request, "quantity": quantity},
        price_e9=99_980_000_000,
    )


def status(request: int = 1, child_id: str = "P.1.1") -> Any:
    ids = {**IDS, "child_id": child_id, "venue_id": "V1"}
    return make(ChildStatusRequested, **ids, request=request)


def kinds(desk: Desk) -> list[str]:
    return [f"{each.message_type} {each.subject}" for each in desk.sendings()]


def told(desk: Desk) -> list[str]:
    """What the engine heard: executions and the ends of requests, in short."""
    short = []
    for each in desk.reports():
        match each:
            case ExecutionReport():
                short.append(f"{each.exec_type.value} {each.exec_id}")
            case OrderCancelReject():
                what = "replace" if each.is_replace else "cancel"
                short.append(f"no {what} {each.request}: {each.text}")
            case ConnectionChanged():
                short.append("up" if each.is_connected else "down")
    return short


def working(**changes: Any) -> Desk:
    """A session with one child, out and acknowledged."""
    desk = Desk({"V1": terms(**changes)})
    desk.logon()
    desk.engine(child())
    desk.turn()
    desk.mark(desk.sendings()[0], 2)
    desk.hear(report("E1", "0", "0"))
    desk.turn()
    return desk
