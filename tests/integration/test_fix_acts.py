"""A venue's wire misbehaves on demand, and a counterparty with QuickFIX hears every report."""

from pathlib import Path

import pytest

from infra.broker.ports import pick_ports
from services.fix.acts import ACT, Act
from tests.support.broker import Cluster
from tests.support.counted_run import eventually
from tests.support.fix_peer import FixPeer
from tests.support.fix_wire import Desk, WireProcess, acceptor_toml, report, session_toml

pytestmark = pytest.mark.broker
# Of each test a gateway number of its own: what stands on the log is part of a session.
ACTS = (Act.GAP, Act.GAP_FILL, Act.RESET, Act.LOGOUT)
RECONNECT = {"ReconnectInterval": "1"}


def venue_toml(number: int, port: int, *, is_simulator: bool) -> str:
    text = acceptor_toml(number, port, session_toml("venue", "FIRM"), kind="market")
    return f"is_simulator = {str(is_simulator).lower()}\n{text}"


def test_reports_arrive_whatever_the_session_does_between_them(
    tmp_path: Path, broker: Cluster
) -> None:
    (port,) = pick_ports(1)
    desk = Desk(broker, 9)
    with (
        WireProcess(tmp_path, broker.bootstrap, venue_toml(9, port, is_simulator=True)) as wire,
        FixPeer(
            tmp_path / "peer", port, sender="FIRM", target="PENSTOCK", settings=RECONNECT
        ) as peer,
    ):
        peer.await_logon()
        for number, act in enumerate(ACTS, 1):
            desk.send("venue", ACT, f"58={act}")
            desk.send("venue", "8", report(number))
            assert peer.take("8").get(17) == f"E{number}", wire.words()[-2000:]
        eventually(lambda: len(desk.sent("venue")) == len(ACTS), "marks of the messages alone")
        asked = [each for each in peer.seen if each.get(35) == "4"]
        assert {"N", "Y"} <= {each.get(123) for each in asked}
        assert [each.is_logged_on for each in desk.changes("venue")] == [True, False, True]
        numbers = [int(each.get(34)) for each in peer.seen if each.get(35) == "8"]
        assert numbers == sorted(set(numbers))


def test_a_link_that_is_lost_lets_nobody_in_until_it_is_back(
    tmp_path: Path, broker: Cluster
) -> None:
    (port,) = pick_ports(1)
    desk = Desk(broker, 10)
    with (
        WireProcess(tmp_path, broker.bootstrap, venue_toml(10, port, is_simulator=True)) as wire,
        FixPeer(
            tmp_path / "peer", port, sender="FIRM", target="PENSTOCK", settings=RECONNECT
        ) as peer,
    ):
        peer.await_logon()
        desk.send("venue", ACT, f"58={Act.LINK_LOST}")
        peer.await_logout()
        desk.send("venue", ACT, f"58={Act.LINK_BACK}")
        desk.send("venue", "8", report(1))
        assert peer.take("8").get(17) == "E1", wire.words()[-2000:]


def test_a_wire_that_is_no_simulators_does_none_of_it(tmp_path: Path, broker: Cluster) -> None:
    (port,) = pick_ports(1)
    desk = Desk(broker, 11)
    with (
        WireProcess(tmp_path, broker.bootstrap, venue_toml(11, port, is_simulator=False)),
        FixPeer(tmp_path / "peer", port, sender="FIRM", target="PENSTOCK") as peer,
    ):
        peer.await_logon()
        for act in ACTS:
            desk.send("venue", ACT, f"58={act}")
        desk.send("venue", "8", report(1))
        assert peer.take("8").get(17) == "E1"
        numbers = [int(each.get(34)) for each in peer.seen]
        assert numbers == [*range(1, len(numbers) + 1)]
        assert {each.get(35) for each in peer.seen}.isdisjoint({"4", "5"})
