"""What a session does with messages that break its rules, before any gateway sees them.

Which rules are QuickFIX's own and which are the wire's: services/fix/README.md. A bare socket plays
the counterparty, since QuickFIX would not send such messages.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.broker.ports import pick_ports
from tests.support.broker import Cluster
from tests.support.counted_run import eventually
from tests.support.fix_peer import RawPeer
from tests.support.fix_wire import Desk, WireProcess, acceptor_toml, order, session_toml

pytestmark = pytest.mark.broker

NUMBER = 14
PASSWORD = "correct horse"  # of a test
RESET = "141=Y|"
ORDER = order("R1")


class Gate(NamedTuple):
    """A wire that runs, and what it records."""

    port: int
    desk: Desk
    wire: WireProcess

    def peer(self, name: str = "RAW", begin: str = "FIX.4.4") -> RawPeer:
        return RawPeer(self.port, sender=name, target="PENSTOCK", begin=begin)


@pytest.fixture(scope="module")
def gate(broker: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("gate")
    (port,) = pick_ports(1)
    toml = acceptor_toml(
        NUMBER,
        port,
        session_toml("raw", "RAW"),
        session_toml("old", "OLD", "FIX.4.2"),
        session_toml("new", "NEW", "FIXT.1.1"),
        session_toml("secret", "SECRET", more='password_env = "TEST_FIX_PASSWORD"'),
        session_toml("far", "FAR", more='ip_addresses = ["10.1.2.3"]'),
        session_toml("busy", "BUSY", more="messages_per_s = 5"),
        name="rules",
    )
    desk = Desk(broker, NUMBER)
    wire = WireProcess(folder, broker.bootstrap, toml)
    wire.start(TEST_FIX_PASSWORD=PASSWORD)
    eventually(lambda: "listening on" in wire.words(), "the wire listens")
    yield Gate(port, desk, wire)
    wire.kill()


def test_it_listens_on_the_loopback_interface_only(gate: Gate) -> None:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = [row.split()[1] for row in rows if row.split()[3] == "0A"]
    assert [each for each in listening if each.endswith(f":{gate.port:04X}")] == [
        f"0100007F:{gate.port:04X}"
    ]


@pytest.mark.parametrize(
    ("name", "begin"), [("RAW", "FIX.4.4"), ("OLD", "FIX.4.2"), ("NEW", "FIXT.1.1")]
)
def test_each_version_logs_on_and_its_order_is_recorded_as_it_came(
    gate: Gate, name: str, begin: str
) -> None:
    session = name.lower()
    before = len(gate.desk.received(session))
    with gate.peer(name, begin) as peer:
        assert peer.logon(RESET).get(35) == "A"
        body = ORDER + ("|21=1" if begin == "FIX.4.2" else "") + "|847=1001|957=1|958=x|959=1|960=3"
        text = peer.message("D", body + "|12103=20261121-10:00:00")
        peer.send_bytes(text)
        eventually(lambda: len(gate.desk.received(session)) > before, "the order is recorded")
        assert gate.desk.received(session)[-1].text == text


@pytest.mark.parametrize(
    ("body", "reason", "tag"),
    [
        ("55=ACME|54=1|60=20261121-10:00:00|38=1|40=1", "1", "11"),  # required tag missing
        (f"{ORDER}|6=1", "2", "6"),  # a tag of another message
        (f"{ORDER}|4999=1", "0", "4999"),  # a tag that FIX does not have
        (f"{ORDER}|58=", "4", "58"),  # no value
        (ORDER.replace("54=1", "54=x"), "5", "54"),  # no value of the enumeration
        (ORDER.replace("38=100", "38=many"), "6", "38"),  # wrong format
        (f"{ORDER}|1=A|1=B", "13", "1"),  # twice
        (f"{ORDER}|78=2|79=A|80=50", "16", "78"),  # one entry of two
    ],
)
def test_a_malformed_message_is_rejected_and_the_session_goes_on(
    gate: Gate, body: str, reason: str, tag: str
) -> None:
    before = len(gate.desk.received("raw"))
    with gate.peer() as peer:
        peer.logon(RESET)
        peer.send("D", body)
        reject = peer.read_until("3")
        assert (reject.get(373), reject.get(371), reject.get(45)) == (reason, tag, "2")
        peer.send("D", order("good"))
        eventually(lambda: len(gate.desk.received("raw")) > before, "the next one is recorded")
        assert b"\x0111=good\x01" in gate.desk.received("raw")[before].text


def test_a_type_that_fix_does_not_have_is_rejected(gate: Gate) -> None:
    with gate.peer() as peer:
        peer.logon(RESET)
        peer.send("ZZ", "58=what")
        assert peer.read_until("3").get(373) == "11"


@pytest.mark.parametrize("damage", ["checksum", "length"])
def test_a_garbled_message_is_ignored_and_its_number_is_free(gate: Gate, damage: str) -> None:
    before = len(gate.desk.received("raw"))
    with gate.peer() as peer:
        peer.logon(RESET)
        text = peer.message("D", order("garbled"))
        if damage == "checksum":
            garbled = text[:-4] + b"%03d\x01" % ((int(text[-4:-1]) + 1) % 256)
        else:
            start = text.index(b"\x019=") + 3
            end = text.index(b"\x01", start)
            # One more, and QuickFIX reads on to the next CheckSum: the gap is asked for later.
            garbled = text[:start] + b"%d" % (int(text[start:end]) - 1) + text[end:]
        peer.send_bytes(garbled)
        peer.next_number -= 1
        peer.send("D", order("whole"))
        eventually(lambda: len(gate.desk.received("raw")) > before, "the whole one is recorded")
        peer.send("1", "112=ping")
        answer = peer.read()
        assert (answer.get(35), answer.get(112)) == ("0", "ping")
    (received,) = gate.desk.received("raw")[before:]
    assert b"\x0111=whole\x01" in received.text
    assert received.sequence == 2


def test_a_number_that_is_too_low_ends_the_session(gate: Gate) -> None:
    with gate.peer() as peer:
        peer.logon(RESET)
        peer.send("D", order("low"), number=1)
        assert "too low" in peer.read_until("5").get(58)
        assert peer.is_closed()


def test_a_number_that_is_too_high_is_kept_until_the_gap_is_filled(gate: Gate) -> None:
    before = len(gate.desk.received("raw"))
    with gate.peer() as peer:
        peer.logon(RESET)
        peer.send("D", order("late"), number=3)
        request = peer.read_until("2")
        assert request.get(7) == "2"
        header = "43=Y|122=20261121-00:00:00"
        peer.send("D", order("missed"), number=2, header=header)
        eventually(lambda: len(gate.desk.received("raw")) == before + 2, "both are recorded")
    missed, late = gate.desk.received("raw")[before:]
    assert (missed.sequence, missed.is_possible_duplicate) == (2, True)
    assert (late.sequence, late.is_possible_duplicate) == (3, False)
    assert b"\x0111=late\x01" in late.text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"sender": "SOMEBODY"}, "9"), ({"sending_time": "20200101-00:00:00"}, "10")],
)
def test_a_wrong_name_or_an_old_message_ends_the_session(
    gate: Gate, changes: dict[str, str], reason: str
) -> None:
    with gate.peer() as peer:
        peer.logon(RESET)
        peer.send("D", ORDER, **changes)
        assert peer.read_until("3").get(373) == reason
        assert peer.read().get(35) == "5"


def test_nobody_unknown_is_let_in(gate: Gate) -> None:
    with gate.peer("STRANGER") as peer:
        peer.send("A", f"98=0|108=30|{RESET}")
        assert peer.is_closed()


@pytest.mark.parametrize("given", ["", "554=wrong|", f"{RESET}554=wrong|"])
def test_a_wrong_password_is_refused_with_a_reason_and_recorded(gate: Gate, given: str) -> None:
    before = len(gate.desk.changes("secret"))
    with gate.peer("SECRET") as peer:
        assert peer.logon(given).get(58) == "Rejected Logon Attempt: wrong password"
        assert peer.is_closed()
    eventually(lambda: len(gate.desk.changes("secret")) > before, "the refusal is recorded")
    assert gate.desk.changes("secret")[-1].text == "logon refused: wrong password"
    assert PASSWORD not in gate.wire.words()


def test_who_may_not_log_on_cannot_begin_the_numbers_again(gate: Gate) -> None:
    with gate.peer("SECRET") as peer:
        assert peer.logon(f"{RESET}554={PASSWORD}|").get(35) == "A"
        epoch = gate.desk
        peer.send("D", order("S1"))
        eventually(lambda: bool(gate.desk.received("secret")), "the order is recorded")
        number = peer.next_number
    before = gate.desk.received("secret")[-1].session_epoch
    with gate.peer("SECRET") as peer:
        peer.send("A", f"98=0|108=30|{RESET}554=wrong|")
        assert peer.is_closed()
    with gate.peer("SECRET") as peer:
        peer.next_number = number
        assert peer.logon(f"554={PASSWORD}|").get(35) == "A"
        peer.send("D", order("S2"))
        eventually(lambda: len(gate.desk.received("secret")) == 2, "the session goes on")
    assert epoch.received("secret")[-1].session_epoch == before


def test_an_address_that_is_not_listed_is_refused(gate: Gate) -> None:
    with gate.peer("FAR") as peer:
        text = "Rejected Logon Attempt: address 127.0.0.1 may not log on"
        assert peer.logon(RESET).get(58) == text
        assert peer.is_closed()


def test_a_reject_of_what_we_sent_is_recorded_for_the_gateway(gate: Gate) -> None:
    before = len(gate.desk.received("raw"))
    with gate.peer() as peer:
        peer.logon(RESET)
        peer.send("3", "45=1|58=we do not read this")
        eventually(lambda: len(gate.desk.received("raw")) > before, "the reject is recorded")
    reject = gate.desk.received("raw")[-1]
    assert (reject.message_type, reject.sequence) == ("3", 2)
    assert b"58=we do not read this" in reject.text


def test_a_session_that_floods_is_held_back_and_the_others_go_on(gate: Gate) -> None:
    before = len(gate.desk.received("raw"))
    with gate.peer("BUSY") as busy, gate.peer() as other:
        busy.logon(RESET)
        other.logon(RESET)
        for number in range(60):
            busy.send("D", order(f"B{number}"))
        for number in range(20):
            other.send("D", order(f"O{number}"))
        eventually(lambda: len(gate.desk.received("raw")) == before + 20, "the other one's orders")
        eventually(lambda: len(gate.desk.received("busy")) == 60, "the flood is recorded")
    received = gate.desk.received("busy")
    refused = [each for each in received if each.refusal == "MESSAGE_RATE"]
    took_s = (received[-1].received_ns - received[0].received_ns) / 1e9
    assert 60 - len(refused) <= 5 + 5 * took_s + 1, "no more than agreed are worked"
    assert took_s >= (60 - 20) / 20 - 1, "four times the limit is all that is read"
    assert all(not each.refusal for each in gate.desk.received("raw"))


def test_who_is_over_the_limit_can_still_cancel(gate: Gate) -> None:
    before = len(gate.desk.received("busy"))
    cancel = "41=B1|55=ACME|54=1|60=20261121-10:00:00"
    with gate.peer("BUSY") as busy:
        busy.logon(RESET)
        for number in range(9):
            busy.send("F", f"11=C{number}|{cancel}")
        busy.send("q", "11=M1|530=7|60=20261121-10:00:00")
        busy.send("K", "66=L1|60=20261121-10:00:00")
        busy.send("Q", "37=O1|17=E1|127=Z|55=ACME|54=1")
        for number in range(6):
            busy.send("D", order(f"D{number}"))
        eventually(lambda: len(gate.desk.received("busy")) == before + 18, "all is recorded")
    received = gate.desk.received("busy")[before:]
    refused = {each.message_type for each in received if each.refusal}
    assert refused == {"D"}, "cancels pass, and are counted: orders behind them do not"
