"""kill -9 of the wire: between any two steps, both ways, nothing is lost and nothing is doubled."""

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.broker.ports import pick_ports
from infra.topics import create_topics
from services.fix.fields import Fields
from tests.support.counted_run import eventually
from tests.support.fix_peer import FixPeer
from tests.support.fix_wire import (
    CRASH,
    CRASH_POINTS,
    ROOT,
    Desk,
    WireProcess,
    acceptor_toml,
    order,
    session_toml,
)
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(600)]

NUMBER = 2
SEED = 7
KILLS = 8
PER_KILL = 12  # orders
CRASHING = "tests.support.fix_crashing_wire"


class Echo:
    """A wire and an echoing gateway over one counterparty that sends orders."""

    def __init__(self, folder: Path, bootstrap: str) -> None:
        (port,) = pick_ports(1)
        toml = acceptor_toml(NUMBER, port, session_toml("desk", "DESK"))
        self.wire = WireProcess(folder, bootstrap, toml)
        self.peer = FixPeer(folder / "peer", port, sender="DESK", target="PENSTOCK")
        self.desk = Desk(type("Cluster", (), {"bootstrap": bootstrap}), NUMBER)
        self.orders = 0

    def send(self, count: int) -> None:
        for _ in range(count):
            self.orders += 1
            self.peer.send("D", order(f"C{self.orders}"))

    def reports(self) -> dict[str, Fields]:
        """Return the reports by their number in the session: a resent one is the same one."""
        return {each.get(34): each for each in [*self.peer.seen] if each.get(35) == "8"}

    def is_answered(self) -> bool:
        return len(self.reports()) >= self.orders

    def check(self) -> None:
        """Each order was answered once; the log has it once."""
        expected = Counter(f"C{number}" for number in range(1, self.orders + 1))
        assert Counter(each.get(11) for each in self.reports().values()) == expected
        executions = Counter(each.get(17) for each in self.reports().values())
        assert executions == Counter(f"E{number}" for number in range(1, self.orders + 1))
        recorded = {each.sequence: each for each in self.desk.received("desk")}
        assert len(recorded) == self.orders
        eventually(lambda: len(self.desk.sent("desk")) >= self.orders, "marks of what went out")
        marks: dict[int, Any] = {each.ordinal: each for each in self.desk.sent("desk")}
        assert sorted(marks) == list(range(1, self.orders + 1))
        numbers = {each.get(17): int(each.get(34)) for each in self.reports().values()}
        assert {f"E{n}": mark.sequence for n, mark in marks.items()} == numbers


@contextmanager
def echo(folder: Path, broker: OwnBroker) -> Iterator[Echo]:
    create_topics(broker.bootstrap, partitions=1)
    world = Echo(folder, broker.bootstrap)
    log = (folder / "gateway.log").open("wb")
    command = [sys.executable, "-m", "tests.support.fix_echo", broker.bootstrap]
    gateway = subprocess.Popen([*command, str(world.wire.file)], stderr=log, cwd=ROOT)
    try:
        with world.peer, world.wire:
            yield world
    finally:
        gateway.kill()
        gateway.wait()
        log.close()


def test_a_wire_that_dies_between_any_two_steps_loses_and_doubles_nothing(
    tmp_path: Path, own_broker: OwnBroker
) -> None:
    with echo(tmp_path, own_broker) as world:
        world.peer.await_logon()
        for point in CRASH_POINTS:
            world.wire.stop()
            world.wire.start(CRASHING, **{CRASH: f"{point}:3"})
            world.send(6)
            eventually(lambda: world.wire.ended() is not None, f"the crash at {point}")
            assert world.wire.ended() == -9, f"{point}: {world.wire.words()[-2000:]}"
            world.send(2)
            world.wire.start()
            eventually(world.is_answered, f"every order answered after {point}")
        words = world.wire.words()
        for ruled in ("was sent\n", "was not sent: it is sent now\n"):
            assert ruled in words, "an intent of each kind must have been found"
        assert world.peer.count("8", {43: "Y"}), "we resent nothing"
        world.check()


def test_a_wire_killed_at_any_time_loses_and_doubles_nothing(
    tmp_path: Path, own_broker: OwnBroker
) -> None:
    dice = random.Random(SEED)
    with echo(tmp_path, own_broker) as world:
        world.peer.await_logon()
        for number in range(KILLS):
            world.send(PER_KILL)
            threshold = world.orders - dice.randrange(PER_KILL + 1)
            eventually(
                lambda threshold=threshold: len(world.reports()) >= threshold,  # type: ignore[misc]
                f"{threshold} reports before kill {number}",
            )
            world.wire.kill()
            if dice.random() < 0.4:
                world.send(1)
                world.peer.numbers()  # asked after the order: it is in the peer's store
                world.peer.restart()
            world.wire.start()
        eventually(world.is_answered, f"every order answered, seed {SEED}")
        world.check()
