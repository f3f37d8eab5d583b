"""The wire between real QuickFIX counterparties and a real log."""

from pathlib import Path

import pytest

from infra.broker.ports import pick_ports
from tests.support.broker import Cluster
from tests.support.counted_run import eventually
from tests.support.fix_peer import FixPeer
from tests.support.fix_wire import Desk, WireProcess, acceptor_toml, order, report, session_toml

pytestmark = pytest.mark.broker


def test_messages_go_both_ways_and_survive_a_clean_restart(tmp_path: Path, broker: Cluster) -> None:
    (port,) = pick_ports(1)
    toml = acceptor_toml(15, port, session_toml("desk", "DESK"))
    desk = Desk(broker, 15)
    with (
        WireProcess(tmp_path, broker.bootstrap, toml) as wire,
        FixPeer(tmp_path / "peer", port, sender="DESK", target="PENSTOCK") as peer,
    ):
        peer.await_logon()
        peer.send("D", order(1))
        eventually(lambda: len(desk.received("desk")) == 1, "the order is recorded")
        (received,) = desk.received("desk")
        assert received.message_type == "D"
        assert b"\x0111=1\x01" in received.text
        assert received.text.startswith(b"8=FIX.4.4\x01")
        desk.send("desk", "8", report(1))
        assert peer.take("8").get(17) == "E1"
        eventually(lambda: [each.ordinal for each in desk.sent("desk")] == [1], "its mark")
        assert wire.stop() == 0, wire.words()
        assert peer.take("5").get(58) == "the gateway stops"
        desk.send("desk", "8", report(2))
        wire.start()
        assert peer.take("8").get(17) == "E2"
        peer.send("D", order(2))
        eventually(lambda: len(desk.received("desk")) == 2, "the second order")
        assert [each.session_epoch for each in desk.received("desk")] == [1, 1]
        numbers = [each.sequence for each in desk.received("desk")]
        assert numbers == sorted(set(numbers))
        assert [each.is_logged_on for each in desk.changes("desk")] == [True, False, True]
        text = "caf\u00e9".encode().decode("latin-1")  # fields hold bytes
        desk.send("desk", "8", report(3) + f"|58={text}")
        assert peer.take("8", {17: "E3"}).get(58) == "caf\u00e9"


def test_a_message_that_cannot_be_sent_stops_its_session_and_no_other(
    tmp_path: Path, broker: Cluster
) -> None:
    (port,) = pick_ports(1)
    sessions = [session_toml(name, name.upper()) for name in ("sick", "well")]
    desk = Desk(broker, 15)
    with (
        WireProcess(tmp_path, broker.bootstrap, acceptor_toml(15, port, *sessions)) as wire,
        FixPeer(tmp_path / "sick", port, sender="SICK", target="PENSTOCK") as sick,
        FixPeer(tmp_path / "well", port, sender="WELL", target="PENSTOCK") as well,
    ):
        sick.await_logon()
        well.await_logon()
        desk.send("sick", "8", "nonsense")
        eventually(lambda: "sick: ordinal 1 cannot be sent" in wire.words(), "the word of it")
        desk.send("sick", "8", report(1))
        desk.send("well", "8", report(2))
        assert well.take("8").get(17) == "E2"
        assert sick.count("8") == 0
        assert wire.ended() is None


def test_the_wire_connects_to_counterparties_and_says_who_it_is(
    tmp_path: Path, broker: Cluster
) -> None:
    (port,) = pick_ports(1)
    venue = session_toml("venue", "VENUE", more='username = "us"\npassword_env = "TEST_VENUE"')
    toml = acceptor_toml(15, port, venue, kind="venues", name="out").replace(
        "acceptor", "initiator"
    )
    toml = toml.replace("SocketAcceptPort", "SocketConnectPort").replace(
        "[quickfix]", '[quickfix]\nSocketConnectHost = "127.0.0.1"\nReconnectInterval = "1"'
    )
    desk = Desk(broker, 15)
    wire = WireProcess(tmp_path, broker.bootstrap, toml)
    with FixPeer(tmp_path / "peer", port, sender="VENUE", target="PENSTOCK", acceptor=True) as peer:
        wire.start(TEST_VENUE="open sesame")
        with wire:
            logon = peer.take("A")
            assert (logon.get(553), logon.get(554)) == ("us", "open sesame")
            desk.send("venue", "D", order(1))
            assert peer.take("D").get(11) == "1"
            peer.send("8", report(1))
            eventually(lambda: len(desk.received("venue")) == 1, "the report is recorded")
            wire.kill()
            desk.send("venue", "D", order(2))
            wire.start(TEST_VENUE="open sesame")
            assert peer.take("D").get(11) == "2"
            assert wire.stop() == 0
    assert "open sesame" not in wire.words()
