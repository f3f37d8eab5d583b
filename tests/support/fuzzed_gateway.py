"""Any kind of gateway on a memory log, told whatever a test invents, and held to what it may do."""

from collections.abc import Collection, Iterable
from typing import Any

from schemas.messages.core import Envelope, JournalKind
from schemas.messages.fix import FixReceived, FixSending, FixSessionChanged
from services.fix.decode import decode, raw_messages
from services.fix.dictionary import Version
from services.fix.fields import SOH, Fields
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.kinds import make_gateway
from services.fix.settings import GatewayFile
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.ports import TopicPartition
from tests.support.audit_log import Batch, Writer, make
from tests.support.builders import OPEN_NS, TRADE_DATE

__all__ = ["LOG_ID", "FuzzedGateway", "HandClock", "body_errors"]

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
SECOND_NS = 1_000_000_000
TURNS_MAX = 500


class HandClock:
    """Implements ports.Clock: moves when it is told to."""

    def __init__(self) -> None:
        self.now = OPEN_NS + 60 * SECOND_NS

    def now_ns(self) -> int:
        return self.now

    def floor(self, now_ns: int) -> None:
        self.now = max(self.now, now_ns)


class FuzzedGateway:
    """One gateway and its log."""

    def __init__(self, file: GatewayFile, definitions: Iterable[Any] = ()) -> None:
        self.file = file
        self.clock = HandClock()
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self.log = MemoryLog(dict.fromkeys(names, 16))
        self.sequences = {session.session_id: 0 for session in file.session}
        self.heard: list[FixReceived] = []
        self._offsets: dict[TopicPartition, int] = {}
        self._writer = Writer()
        self._writer.batch(JournalKind.OWNER_STARTED, Batch())
        self._written = 0
        for message in definitions:
            self.put(topics.CONTROL_COMMANDS, 0, message)
        self.host = self._new_host()
        for session_id in self.sequences:
            self.logon(session_id)
        self.turn()

    def _new_host(self) -> ShardHost:
        made = make_gateway(self.file)
        settings = gateway_settings(
            made,
            name=self.file.name,
            log_id=LOG_ID,
            partitions=1,
            config_version="fuzz",
            snapshot_batches=7,
        )
        host = gateway_host(
            self.log, CODEC, settings, lambda: make_gateway(self.file), clock=self.clock
        )
        host.take_over()
        return host

    def crash(self) -> None:
        """Let another process take over; it must come to the same state."""
        before = self.host.application.snapshot()
        self.host.close()
        self.host = self._new_host()
        assert self.host.application.snapshot() == before, "a recovery comes to another state"

    def version(self, session_id: str) -> Version:
        """Return what a session speaks."""
        return next(s.version for s in self.file.session if s.session_id == session_id)

    def put(self, topic: str, partition: int, message: Any) -> None:
        """Write a message from outside."""
        envelope = make(Envelope, shard=-1, seq=-1, topic_seq=-1, at_ns=self.clock.now)
        self.log.append(topic, partition, b"x", CODEC.encode(envelope, message))

    def engine(self, *events: tuple[str, Any]) -> None:
        """Commit a batch of an engine: topics with messages."""
        self._writer.batch(JournalKind.BATCH, Batch(outputs=list(events), now_ns=self.clock.now))
        for record in self._writer.records[self._written :]:
            self.log.append(record.topic, record.partition, record.key, record.value)
        self._written = len(self._writer.records)

    def logon(self, session_id: str, *, is_logged_on: bool = True) -> None:
        changed = FixSessionChanged(
            session_id=session_id,
            session_day=TRADE_DATE,
            session_epoch=1,
            is_logged_on=is_logged_on,
            text="",
            transact_ns=self.clock.now,
        )
        self.put(topics.FIX_RECEIVED, self.file.number, changed)

    def hear(
        self,
        session_id: str,
        kind: str,
        text: bytes,
        *,
        is_resend: bool = False,
        again: bool = False,
    ) -> FixReceived:
        """Record a whole message of a counterparty; `again`: under the number before."""
        self.sequences[session_id] += not again
        message = FixReceived(
            session_id=session_id,
            session_day=TRADE_DATE,
            session_epoch=1,
            sequence=self.sequences[session_id],
            message_type=kind,
            is_possible_duplicate=again,
            is_possible_resend=is_resend,
            text=text,
            refusal="",
            sent_ns=self.clock.now,
            received_ns=self.clock.now,
        )
        self.put(topics.FIX_RECEIVED, self.file.number, message)
        self.heard.append(message)
        return message

    def text(self, session_id: str, kind: str, body: Fields) -> bytes:
        """Return the body within a header; length and checksum are the wire's to look at."""
        begin = self.version(session_id).begin_string
        header = Fields([(8, begin), (9, "0"), (35, kind), (49, "THEY"), (56, "WE")])
        header.add(34, self.sequences[session_id] + 1).add(52, "20250615-15:20:00.000")
        pairs = [*header.pairs, *body.pairs, (10, "000")]
        return "".join(f"{tag}={value}{SOH}" for tag, value in pairs).encode("latin-1", "replace")

    def turn(self) -> None:
        """Let the gateway read and decide until nothing is left."""
        for _ in range(TURNS_MAX):
            if not self.host.turn():
                return
        raise AssertionError("the gateway turns without end")

    def fresh(self, topic: str, partition: int | None = None) -> list[Any]:
        """Return what was committed to a topic since this was asked last."""
        place = TopicPartition(topic, self.file.number if partition is None else partition)
        records, end = self.log.partition(place).read(self._offsets.get(place, 0), 10**9)
        self._offsets[place] = end
        return [CODEC.decode(record.value)[1] for record in records]


def body_errors(world: FuzzedGateway, sending: FixSending, said: Collection[bytes]) -> list[str]:
    """Return what a counterparty that validates would say of a message of ours.

    A value that it `said` itself is no error: its own engine would not have let it out.
    """
    begin = world.version(sending.session_id).begin_string
    raw = next(raw_messages(f"8={begin}{SOH}" + sending.body.decode("latin-1")))
    made = decode(
        raw._replace(pairs=raw.pairs[1:]),
        is_body=True,
        begin_string=begin,
        kind=sending.message_type,
    )
    echoed = {
        f"{line.name}({line.tag}): {line.note}"
        for line in made.lines
        if f"{line.tag}={line.value}".encode("latin-1") in said
    }
    return [error for error in made.errors if error not in echoed]
