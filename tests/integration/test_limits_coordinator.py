"""Two shards share a client's credit; the coordinator is killed and replaced on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.topics import create_topics
from schemas.messages.core import Side
from schemas.messages.intake import OrderAccepted, OrderRejected
from schemas.messages.market import TradePrinted
from schemas.messages.risk import LeaseGranted, LeaseReduced, LeaseRequested, LimitsInForce
from services.audit.findings import Code
from services.audit.kafka import check
from services.cli.log import read_to_end
from services.demo.publish import publish
from services.ending import FENCED, STOPPED
from streams.core.murmur import partition_of
from streams.core.topics import (
    CONTROL_COMMANDS,
    DECISIONS_EVENTS,
    MARKET_DATA,
    ORDERS_COMMANDS,
    ORDERS_EVENTS,
)
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.builders import (
    EURO,
    MINUTE,
    TRADE_DATE,
    account_defined,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.counted_run import ROOT, catches, eventually
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow]
SHARDS = 2
NAMES = tuple(
    next(f"{letter}{n}" for n in range(100) if partition_of(f"{letter}{n}", SHARDS) == shard)
    for shard, letter in enumerate("AB")
)
FILE = """
[[limit]]
limit_id = "client"
kind = "credit"
scope = "client"
value = 100_000
"""


class Desk:
    """A cluster with two engines; everything that the test starts ends with it."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.log_id = create_topics(bootstrap, partitions=SHARDS)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.now_ns = time.time_ns()
        self.orders = 0

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT)
        self.processes.append(process)
        return process

    def coordinate(self) -> subprocess.Popen[bytes]:
        cluster = f"--bootstrap={self.bootstrap}"
        return self.start("services.cli.main", "limits", "coordinate", cluster)

    def limits(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "services.cli.main", "limits", *arguments]
        subprocess.run([*command, f"--bootstrap={self.bootstrap}"], cwd=ROOT, check=True)

    def say(self, topic: str, partition: int, *messages: Any) -> None:
        self.now_ns = max(self.now_ns + 1, time.time_ns())
        publish(
            self.bootstrap,
            topic,
            [("test", partition, message) for message in messages],
            at_ns=self.now_ns,
            actor="test",
            log_id=self.log_id,
        )

    def order(self, shard: int, quantity: int) -> Any:
        """Send an order that starts much later, and return its answer."""
        self.orders += 1
        name = f"c{self.orders}"
        order = new_order(
            name,
            instrument_id=NAMES[shard],
            quantity=quantity,
            start_ns=self.now_ns + 30 * MINUTE,
            end_ns=self.now_ns + 60 * MINUTE,
        )
        self.say(ORDERS_COMMANDS, shard, order)
        eventually(lambda: bool(self.answers(name)), f"{name} is not answered")
        return self.answers(name)[0]

    def answers(self, name: str) -> list[Any]:
        found = self.read(ORDERS_EVENTS, OrderAccepted, OrderRejected)
        return [each for each in found if each.client_order_id == name]

    def read(self, topic: str, *kinds: type[Any]) -> list[Any]:
        entries = read_to_end(self.bootstrap, (topic,))
        return [entry.message for entry in entries if isinstance(entry.message, kinds)]

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def desk(
    own_broker: OwnBroker,  # noqa: F811  # the fixture
    tmp_path: Path,
) -> Iterator[Desk]:
    made = Desk(own_broker.bootstrap, tmp_path)
    session = {
        "session_open_ns": made.now_ns - 60 * MINUTE,
        "session_close_ns": made.now_ns + 120 * MINUTE,
        "trade_date": TRADE_DATE,
    }
    made.say(
        CONTROL_COMMANDS,
        0,
        *(instrument_defined(instrument_id=name, **session) for name in NAMES),
        account_defined("A1"),
        venue_defined("V1"),
    )
    for shard, name in enumerate(NAMES):
        trade = TradePrinted(
            venue_id="V1",
            instrument_id=name,
            price_e9=100 * EURO,
            quantity=1,
            own_quantity=0,
            aggressor=Side.BUY,
            is_hidden=False,
        )
        made.say(MARKET_DATA, shard, trade)
    try:
        yield made
    finally:
        made.end()


def test_credit_moves_to_the_shard_that_needs_it_whoever_is_killed(desk: Desk) -> None:
    file = desk.folder / "limits.toml"
    file.write_text("market_buffer_bps = 0\n" + FILE)
    desk.limits("propose", str(file), "--id=p1", "--actor=ann")
    desk.limits("approve", "p1", "--actor=bob")
    for shard in range(SHARDS):
        desk.start(
            "services.engine.shard",
            f"--bootstrap={desk.bootstrap}",
            f"--shard={shard}",
            f"--kill-dir={desk.folder}",
        )
    eventually(lambda: len(desk.read(DECISIONS_EVENTS, LimitsInForce)) == SHARDS, "no limits")
    first = desk.coordinate()
    # 100,000 in all, 50,000 a shard: more than three quarters of it asks for a larger part.
    assert isinstance(desk.order(0, 400), OrderAccepted)
    eventually(lambda: bool(desk.read(DECISIONS_EVENTS, LeaseRequested)), "nothing asked")
    os.kill(first.pid, signal.SIGKILL)
    second = desk.coordinate()
    eventually(lambda: bool(desk.read(CONTROL_COMMANDS, LeaseGranted)), "nothing granted")
    eventually(lambda: isinstance(desk.order(0, 100), OrderAccepted), "the part stays as it was")
    third = desk.coordinate()
    assert isinstance(desk.order(0, 400), OrderAccepted)  # 90,000: beyond any equal part
    refused = desk.order(1, 110)
    assert isinstance(refused, OrderRejected)
    assert refused.limit_id == "client"
    # Whoever is not the newest finds out with its next word.
    eventually(lambda: second.poll() == FENCED or _is_answered(desk), "nobody answers")
    eventually(lambda: catches(third.pid, signal.SIGTERM), "the third does not begin")
    third.terminate()
    assert third.wait(60) == STOPPED
    granted = sum(each.amount_e9 for each in desk.read(CONTROL_COMMANDS, LeaseGranted))
    reduced = sum(each.amount_e9 for each in desk.read(DECISIONS_EVENTS, LeaseReduced))
    assert 0 < granted <= reduced
    report = check(desk.bootstrap)
    assert [each for each in report.findings if each.code in (Code.CREDIT, Code.LIMITS)] == []
    assert report.orders >= 3


def _is_answered(desk: Desk) -> bool:
    asked = len(desk.read(DECISIONS_EVENTS, LeaseRequested))
    return len(desk.read(CONTROL_COMMANDS, LeaseGranted)) >= asked
