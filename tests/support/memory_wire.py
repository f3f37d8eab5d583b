"""Sessions between gateways on one memory log, without sockets: texts of one become the other's."""

from collections.abc import Callable
from typing import Any, NamedTuple

from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged
from services.fix.acts import ACT
from services.fix.fields import Fields, framed
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core.envelope import outside_envelope
from streams.core.topics import FIX_RECEIVED, FIX_SENDING
from streams.runtime.ports import TopicPartition

__all__ = ["End", "MemoryWire"]

CODEC = AvroCodec()
DAY = 20261121
EPOCH = 1


class End(NamedTuple):
    """One side of a session."""

    number: int  # of the gateway
    session_id: str
    begin_string: str


class MemoryWire:
    """Carries what stands on fix.sending to the peer's fix.received, and says what was sent.

    `look` is shown each message: begin string, type and body.
    """

    def __init__(
        self,
        log: MemoryLog,
        pairs: list[tuple[End, End]],
        look: Callable[[str, str, Fields], None] = lambda *_: None,
    ) -> None:
        self._log = log
        self._look = look
        self._peers = {}
        for left, right in pairs:
            self._peers[left.number, left.session_id] = (left, right)
            self._peers[right.number, right.session_id] = (right, left)
        self._read: dict[int, int] = {}
        self._sequences: dict[tuple[int, str], int] = {}
        self._count = 0
        self.acts: list[str] = []
        self.messages: list[tuple[str, str, Fields]] = []  # session that sent it, type, body

    def log_on(self) -> None:
        """Say that every session is logged on."""
        for own, _ in self._peers.values():
            self.change(own, is_logged_on=True)

    def change(self, end: End, *, is_logged_on: bool) -> None:
        """Say that a session was logged on or lost."""
        changed = FixSessionChanged(
            session_id=end.session_id,
            session_day=DAY,
            session_epoch=EPOCH,
            is_logged_on=is_logged_on,
            text="",
            transact_ns=0,
        )
        self._record(end.number, changed)

    def turn(self) -> bool:
        """Carry what is new; whether anything was."""
        numbers = sorted({number for number, _ in self._peers})
        return any([self._carry_of(number) for number in numbers])

    def _carry_of(self, number: int) -> bool:
        place = TopicPartition(FIX_SENDING, number)
        records, position = self._log.partition(place).read(self._read.get(number, 0), 10**9)
        self._read[number] = position
        for record in records:
            message = CODEC.decode(record.value)[1]
            assert isinstance(message, FixSending)
            self._carry(number, message)
        return bool(records)

    def _carry(self, number: int, message: FixSending) -> None:
        own, peer = self._peers[number, message.session_id]
        body = Fields.parse(message.body)
        if message.message_type == ACT:
            self.acts.append(body.get(58))
            return
        self._look(own.begin_string, message.message_type, body)
        self.messages.append((message.session_id, message.message_type, body))
        sequence = self._sequences.get((number, own.session_id), 0) + 1
        self._sequences[number, own.session_id] = sequence
        header = Fields([(35, message.message_type), (34, str(sequence)), (49, own.session_id)])
        header.add(56, peer.session_id).add(52, "20261121-10:00:00")
        received = FixReceived(
            session_id=peer.session_id,
            session_day=DAY,
            session_epoch=EPOCH,
            sequence=sequence,
            message_type=message.message_type,
            is_possible_duplicate=False,
            is_possible_resend=message.is_possible_resend,
            text=framed(own.begin_string, header, message.body),
            refusal="",
            sent_ns=0,
            received_ns=0,
        )
        self._record(peer.number, received)
        sent = FixSent(
            session_id=own.session_id,
            session_day=DAY,
            session_epoch=EPOCH,
            ordinal=message.ordinal,
            sequence=sequence,
            is_possible_resend=False,
            sent_ns=0,
        )
        self._record(number, sent)

    def _record(self, number: int, message: Any) -> None:
        self._count += 1
        envelope = outside_envelope(b"wire" + self._count.to_bytes(12, "big"), 0, "wire")
        value = CODEC.encode(envelope, message)
        self._log.append(FIX_RECEIVED, number, message.session_id.encode(), value)
