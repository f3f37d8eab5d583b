"""What a wire remembers of sessions that stay away or begin again, and of a store that is lost."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.broker.ports import pick_ports
from services.fix.wire.line import WAITING_MAX
from tests.support.broker import Cluster
from tests.support.counted_run import eventually
from tests.support.fix_peer import FixPeer, RawPeer
from tests.support.fix_wire import Desk, WireProcess, acceptor_toml, order, report, session_toml

pytestmark = pytest.mark.broker

NUMBER = 11


class Sessions:
    """Two counterparties and a wire."""

    def __init__(self, folder: Path, broker: Cluster, name: str, **settings: str) -> None:
        (port,) = self.ports = pick_ports(1)
        self.near, self.far = f"{name}-near", f"{name}-far"
        toml = acceptor_toml(
            NUMBER,
            port,
            session_toml(self.near, f"{name}NEAR"),
            session_toml(self.far, f"{name}FAR"),
            name=name.lower(),
        )
        self.desk = Desk(broker, NUMBER)
        self.wire = WireProcess(folder, broker.bootstrap, toml)
        self.folder = folder / "stores" / name.lower()
        self.peers = {
            each: FixPeer(
                folder / each,
                port,
                sender=each.replace("-", "").upper(),
                target="PENSTOCK",
                settings=settings,
            )
            for each in (self.near, self.far)
        }


def test_a_session_that_stays_away_gets_everything_later_and_holds_up_nobody(
    tmp_path: Path, broker: Cluster
) -> None:
    world = Sessions(tmp_path, broker, "AWAY")
    near, far = world.peers[world.near], world.peers[world.far]
    count = WAITING_MAX + 300  # more than is kept in memory
    with world.wire, near:
        near.await_logon()
        for number in range(count):
            world.desk.queue(world.far, "8", report(number))
        world.desk.send(world.near, "8", report("N"))
        assert near.take("8").get(17) == "EN"
        world.wire.stop()
        world.wire.start()
        near.await_logon()
        with far:
            far.await_logon()
            eventually(lambda: far.count("8") >= count, "everything that waited")
            world.desk.send(world.far, "8", report("last"))
            assert far.take("8", {17: "Elast"})
            reports = [each.get(17) for each in far.seen if each.get(35) == "8"]
    assert reports == [f"E{number}" for number in range(count)] + ["Elast"]


@pytest.mark.slow
def test_a_session_that_takes_nothing_is_cut_off_and_holds_up_nobody(
    tmp_path: Path, broker: Cluster
) -> None:
    world = Sessions(tmp_path, broker, "DEAF")
    near, (port,) = world.peers[world.near], world.ports
    with world.wire, near:
        near.await_logon()
        with RawPeer(port, sender="DEAFFAR", target="PENSTOCK") as deaf:
            deaf.logon()
            # The buffers of both ends hold some megabytes before a send has to wait.
            for number in range(60_000):
                world.desk.queue(world.far, "8", report(number))
            world.desk.send(world.near, "8", report("N"))
            assert near.take("8").get(17) == "EN"
            eventually(lambda: len(world.desk.changes(world.far)) == 2, "the deaf one is cut", 120)
            assert not world.desk.changes(world.far)[-1].is_logged_on
        world.desk.send(world.near, "8", report("M"))
        assert near.take("8", {17: "EM"})


def test_a_cut_connection_is_recorded_and_the_next_messages_follow(
    tmp_path: Path, broker: Cluster
) -> None:
    world = Sessions(tmp_path, broker, "CUT")
    near = world.peers[world.near]
    with world.wire, near:
        near.await_logon()
        near.kill()
        eventually(lambda: len(world.desk.changes(world.near)) == 2, "the loss is recorded")
        assert not world.desk.changes(world.near)[-1].is_logged_on
        world.desk.send(world.near, "8", report(1))
        near.start()
        assert near.take("8").get(17) == "E1"
        near.logout("closing time")
        eventually(lambda: len(world.desk.changes(world.near)) == 4, "the logout is recorded")
        assert world.desk.changes(world.near)[-1].text == "closing time"


def test_numbers_that_begin_again_begin_an_epoch(tmp_path: Path, broker: Cluster) -> None:
    world = Sessions(tmp_path, broker, "RESET", ResetOnLogon="Y")
    near = world.peers[world.near]
    with world.wire, near:
        for number in (1, 2):
            near.await_logon()
            near.send("D", order(number))
            eventually(
                lambda number=number: len(world.desk.received(world.near)) == number,  # type: ignore[misc]
                f"order {number}",
            )
            near.logout()
            near.logon()
    first, second = world.desk.received(world.near)
    assert second.session_epoch > first.session_epoch
    assert second.sequence == first.sequence == 2


def test_a_session_of_another_day_begins_its_numbers_again(tmp_path: Path, broker: Cluster) -> None:
    world = Sessions(tmp_path, broker, "DAY")
    near = world.peers[world.near]
    with world.wire, near:
        for number in (1, 2):
            near.await_logon()
            near.send("D", order(number))
            world.desk.send(world.near, "8", report(number))
            assert near.take("8").get(17) == f"E{number}"
            eventually(
                lambda number=number: len(world.desk.received(world.near)) == number,  # type: ignore[misc]
                f"order {number}",
            )
            assert world.wire.stop() == 0
            near.close()
            for folder in (world.folder, tmp_path / world.near):
                for store in folder.glob("*NEAR*.session"):
                    store.write_text("20261101-10:00:00")  # when QuickFIX began the numbers
            near.start()
            world.wire.start()
    first, second = world.desk.received(world.near)
    assert (first.session_epoch, second.session_epoch) == (1, 2)
    assert [each.ordinal for each in world.desk.sent(world.near)] == [1, 2]
    epochs = [each.session_epoch for each in world.desk.sent(world.near)]
    assert epochs == [1, 2]


def test_nobody_is_let_in_outside_the_hours_of_a_session(tmp_path: Path, broker: Cluster) -> None:
    now = datetime.now(UTC)
    later = [(now + timedelta(hours=hours)).strftime("%H:%M:%S") for hours in (2, 4)]
    (port,) = pick_ports(1)
    hours = f'StartTime = "{later[0]}"\nEndTime = "{later[1]}"\n'
    toml = acceptor_toml(NUMBER, port, session_toml("HOURS-one", "HOURS") + hours, name="hours")
    with WireProcess(tmp_path, broker.bootstrap, toml) as wire:
        eventually(lambda: "listening on" in wire.words(), "the wire listens")
        with RawPeer(port, sender="HOURS", target="PENSTOCK") as peer:
            peer.send("A", "98=0|108=30|141=Y")
            assert peer.is_closed()


def test_a_lost_store_goes_on_from_the_log_and_says_what_is_doubtful(
    tmp_path: Path, broker: Cluster
) -> None:
    world = Sessions(tmp_path, broker, "LOST")
    near = world.peers[world.near]
    with world.wire, near:
        near.await_logon()
        near.send("D", order(1))
        world.desk.send(world.near, "8", report(1))
        assert near.take("8").get(17) == "E1"
        eventually(lambda: len(world.desk.sent(world.near)) == 1, "the mark")
        world.wire.kill()
        shutil.rmtree(world.folder)
        near.send("D", order(2))
        world.desk.send(world.near, "8", report(2))
        world.wire.start()
        second = near.take("8", {17: "E2"})
        assert second.get(97) == "Y"
        world.desk.send(world.near, "8", report(3))
        assert near.take("8", {17: "E3"}).get(97) == ""
        eventually(lambda: len(world.desk.received(world.near)) == 2, "the second order")
        assert near.count("8") == 3
        orders = world.desk.received(world.near)
        assert [each.session_epoch for each in orders] == [1, 1]
        assert orders[0].sequence < orders[1].sequence
