"""What every gateway does alike: each message once, ordinals without a hole, the same recovery."""

from typing import Any

import pytest

from schemas.messages.core import RejectReason
from schemas.messages.fix import (
    FixReceived,
    FixRefused,
    FixSending,
    FixSent,
    FixSessionChanged,
)
from services.fix.fields import Fields, framed
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.settings import TEXT_BYTES_MAX
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.runtime.host import ShardHost
from streams.runtime.ports import TopicPartition
from tests.support.fix_echo import EchoGateway
from tests.support.memory_shard import SteppedClock

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
NUMBER = 3
SECOND_NS = 1_000_000_000


def echo() -> EchoGateway:
    gateway = EchoGateway(NUMBER)
    gateway.messages_per_s = {"desk": 2}
    return gateway


class Table:
    """An echo gateway on a memory log."""

    def __init__(self, snapshot_batches: int = 1_000) -> None:
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self.log = MemoryLog(dict.fromkeys(names, 16))
        self._snapshot_batches = snapshot_batches
        self.host = self.new_host()

    def new_host(self) -> ShardHost:
        settings = gateway_settings(
            EchoGateway(NUMBER),
            name="echo",
            log_id=LOG_ID,
            partitions=1,
            config_version="test",
            snapshot_batches=self._snapshot_batches,
        )
        host = gateway_host(self.log, CODEC, settings, echo, clock=SteppedClock())
        host._pause = lambda _: None
        host.take_over()
        return host

    def write(self, *messages: Any) -> None:
        """Let the wire say these."""
        for message in messages:
            envelope = outside_envelope(bytes(16), 1, "wire")
            self.log.append(topics.FIX_RECEIVED, NUMBER, b"", CODEC.encode(envelope, message))

    def turn(self) -> None:
        """Let the gateway decide what it has not read yet."""
        place = TopicPartition(topics.FIX_RECEIVED, NUMBER)
        while self.host.end.positions.get(place, 0) < self.log.end_offset(place):
            self.host.turn()

    def said(self, topic: str) -> list[Any]:
        records, _ = self.log.partition(TopicPartition(topic, NUMBER)).read(0, 100_000)
        return [CODEC.decode(record.value)[1] for record in records]

    def sending(self) -> list[FixSending]:
        return [each for each in self.said(topics.FIX_SENDING) if isinstance(each, FixSending)]


def received(
    sequence: int, number: str = "", *, epoch: int = 1, session: str = "desk", **more: Any
) -> FixReceived:
    fields = Fields([(35, "D"), (34, str(sequence)), (11, number or f"C{sequence}")])
    values = {
        "session_id": session,
        "session_day": 20261121,
        "session_epoch": epoch,
        "sequence": sequence,
        "message_type": "D",
        "is_possible_duplicate": False,
        "is_possible_resend": False,
        "text": framed("FIX.4.4", fields, b""),
        "refusal": "",
        "sent_ns": 1,
        "received_ns": 1,
    }
    return FixReceived(**{**values, **more})


def sent(ordinal: int) -> FixSent:
    return FixSent(
        session_id="desk",
        session_day=20261121,
        session_epoch=1,
        ordinal=ordinal,
        sequence=ordinal + 1,
        is_possible_resend=False,
        sent_ns=1,
    )


def changed(*, is_logged_on: bool) -> FixSessionChanged:
    return FixSessionChanged(
        session_id="desk",
        session_day=20261121,
        session_epoch=1,
        is_logged_on=is_logged_on,
        text="",
        transact_ns=1,
    )


def subjects(table: Table) -> list[str]:
    return [each.subject for each in table.sending()]


def test_a_message_that_the_wire_recorded_twice_is_decided_once() -> None:
    table = Table()
    table.write(received(2), received(3), received(2), received(3), received(4))
    table.turn()
    table.write(received(4, is_possible_duplicate=True), received(5))
    table.turn()
    assert subjects(table) == ["C2", "C3", "C4", "C5"]


def test_numbers_that_begin_again_are_new_messages() -> None:
    table = Table()
    table.write(received(2), received(3), received(2, "C9", epoch=2), received(3, epoch=1))
    table.turn()
    assert subjects(table) == ["C2", "C3", "C9"]


def test_each_session_counts_its_own_messages_without_a_hole() -> None:
    table = Table()
    table.write(received(2), received(2, "D2", session="other"), received(3))
    table.turn()
    table.write(received(3, "D3", session="other"))
    table.turn()
    ordinals = [(each.session_id, each.ordinal) for each in table.sending()]
    assert ordinals == [("desk", 1), ("other", 1), ("desk", 2), ("other", 2)]


@pytest.mark.parametrize("snapshot_batches", [1, 2, 1_000])
def test_another_owner_comes_to_the_same_state_and_goes_on(snapshot_batches: int) -> None:
    straight, crashing = Table(), Table(snapshot_batches)
    for sequence in range(2, 12):
        batch = [received(sequence), sent(sequence - 1), changed(is_logged_on=sequence % 2 == 0)]
        for table in (straight, crashing):
            table.write(*batch)
            table.turn()
        before = crashing.host.application.snapshot()
        crashing.host.close()
        crashing.host = crashing.new_host()
        assert crashing.host.application.snapshot() == before
    assert crashing.host.application.snapshot() == straight.host.application.snapshot()
    assert crashing.sending() == straight.sending()
    assert [each.ordinal for each in crashing.sending()] == list(range(1, 11))


def test_text_that_cannot_be_read_is_refused_and_nothing_stops() -> None:
    table = Table()
    table.write(received(2, text=b"8=FIX.4.4\x01what"), received(3))
    table.turn()
    (refused,) = table.said(topics.FIX_DECISIONS)
    assert isinstance(refused, FixRefused)
    assert (refused.sequence, refused.reason) == (2, RejectReason.BODY_UNDECODABLE)
    assert subjects(table) == ["C3"]
    table.write(received(2, text=b"8=FIX.4.4\x01what"))
    table.turn()
    assert len(table.said(topics.FIX_DECISIONS)) == 1


def test_one_message_too_many_is_answered_and_not_worked() -> None:
    table = Table()
    at_ns = 5_000_000_000
    table.write(
        received(1, "C1", received_ns=at_ns - SECOND_NS - 1),  # of the second before
        received(2, received_ns=at_ns - SECOND_NS),
        received(3, "D3", session="other", received_ns=at_ns),
        received(3, received_ns=at_ns - 1),
        received(4, refusal="MESSAGE_RATE", received_ns=at_ns),
        received(5, received_ns=at_ns + 1),
    )
    table.turn()
    *orders, throttled, last = table.sending()
    assert [each.subject for each in (*orders, last)] == ["C1", "C2", "D3", "C3", "C5"]
    fields = Fields.parse(throttled.body)
    assert (throttled.message_type, fields.get(380), fields.get(45)) == ("j", "8", "4")
    assert fields.get(58) == "MESSAGE_RATE: at most 2 3 messages_per_s"
    (refused,) = table.said(topics.FIX_DECISIONS)
    assert (refused.reason, refused.answer_type) == (RejectReason.MESSAGE_RATE, "j")
    assert (refused.bound, refused.value, refused.field) == ("at most 2", "3", "messages_per_s")
    assert table.host.application.state.heard == dict.fromkeys(  # type: ignore[attr-defined]
        ["C1", "C2", "D3", "C3", "C5"], 1
    )


def test_a_message_too_long_is_answered_with_its_length() -> None:
    table = Table()
    header, body = Fields([(35, "D"), (34, "2")]), b"58=" + b"x" * TEXT_BYTES_MAX + b"\x01"
    whole = framed("FIX.4.4", header, body)
    table.write(received(2, text=whole[:4096], refusal="FIELD_TOO_LONG"))
    table.turn()
    (answer,) = table.sending()
    told = Fields.parse(answer.body)
    assert (answer.message_type, told.get(380)) == ("j", "0")
    assert told.get(58) == f"FIELD_TOO_LONG: at most {TEXT_BYTES_MAX} {len(whole)} text_bytes"


def test_a_reject_that_is_too_much_gets_no_reject() -> None:
    table = Table()
    table.write(received(2, refusal="MESSAGE_RATE", message_type="j"))
    table.turn()
    assert table.sending() == []
    assert table.said(topics.FIX_DECISIONS)[0].answer_type == ""


def test_marks_of_the_same_message_count_once() -> None:
    table = Table()
    table.write(received(2), received(3), sent(1), sent(2), sent(1), sent(2))
    table.turn()
    state = table.host.application.state  # type: ignore[attr-defined]
    assert (state.sent, state.sessions.of("desk").sent_ordinal) == (2, 2)
