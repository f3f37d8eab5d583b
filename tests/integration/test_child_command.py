"""`penstock child` on a real broker: a venue stays silent, two persons settle, the engine books."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.topics import create_topics, read_log_id
from schemas.messages.allocation import FillAllocated
from schemas.messages.core import ClockMode, OrderType, StrategyKind, Urgency
from schemas.messages.routing import ChildUnresolved
from services.cli.log import read_to_end
from services.cli.main import app
from services.demo.publish import publish
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard
from tests.support.builders import (
    ACME,
    TICK,
    account_defined,
    book_updated,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.counted_run import eventually
from tests.support.own_broker import OwnBroker

pytestmark = pytest.mark.broker

SECOND = 1_000_000_000
HOUR_NS = 3_600 * SECOND
SAID = ("--said-by=Mr Key of V1", "--evidence=call 4711", "--reason=its session is gone")


class MovedClock:
    """Implements ports.Clock: the wall's, moved on by whoever cannot wait."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return time.time_ns() + self.ahead_ns

    def floor(self, now_ns: int) -> None:
        self.ahead_ns += max(0, now_ns - self.now_ns())


class Engine:
    """One shard on its own thread."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.log_id = create_topics(bootstrap, partitions=1)
        self.clock = MovedClock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join(60)

    def say(self, topic: str, *messages: Any) -> None:
        placed = [(ACME, 0, message) for message in messages]
        at_ns = self.clock.now_ns()
        publish(self.bootstrap, topic, placed, at_ns=at_ns, actor="test", log_id=self.log_id)

    def found(self, topic: str, kind: type[Any]) -> list[Any]:
        read = read_to_end(self.bootstrap, [topic])
        return [entry.message for entry in read if isinstance(entry.message, kind)]

    def _work(self) -> None:
        log, codec = KafkaLog(KafkaSettings(bootstrap=self.bootstrap)), AvroCodec()
        log_id = read_log_id(self.bootstrap)
        settings = engine_settings(0, ClockMode.LIVE, log_id, seed=7)
        host = ShardHost(
            log,
            codec,
            settings,
            make_application=lambda: EngineShard(0, 1, log_id),
            inbox=LiveInbox(log, codec, settings, self.clock),
            clock=self.clock,
        )
        host.take_over()
        try:
            while not self._is_over.is_set():
                host.turn()
        finally:
            host.close()


@pytest.fixture
def engine(own_broker: OwnBroker) -> Iterator[Engine]:
    made = Engine(own_broker.bootstrap)
    made.start()
    yield made
    made.stop()


def unanswered(engine: Engine) -> str:
    """Return a child of 100 that its venue was asked about in vain."""
    now_ns = time.time_ns()
    session = {"session_open_ns": now_ns - HOUR_NS, "session_close_ns": now_ns + HOUR_NS}
    engine.say(
        topics.CONTROL_COMMANDS,
        instrument_defined(**session),
        account_defined("A1"),
        *[venue_defined(f"V{n}") for n in range(1, 4)],
    )
    engine.say(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])
    order = new_order(
        "c1",
        quantity=100,
        strategy=StrategyKind.IMMEDIATE,
        order_type=OrderType.LIMIT,
        limit_price_e9=9_990 * TICK,
        urgency=Urgency.URGENT,
    )
    engine.say(topics.ORDERS_COMMANDS, order)

    def is_told() -> bool:
        engine.say(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])
        if not engine.found(topics.CHILDREN_EVENTS, ChildUnresolved):
            engine.clock.ahead_ns += 10 * SECOND
            return False
        return True

    eventually(is_told, "no child was escalated")
    told, *_ = engine.found(topics.CHILDREN_EVENTS, ChildUnresolved)
    return str(told.child_id)


def penstock(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and return its object; what it says where it is refused."""
    told = CliRunner().invoke(app, [*arguments, "--json"])
    assert told.exit_code == code, told.output
    return json.loads(told.stdout) if code == 0 else told.output


def test_two_persons_settle_what_a_venue_never_said(engine: Engine) -> None:
    child_id, where = unanswered(engine), f"--bootstrap={engine.bootstrap}"
    (shown,) = penstock("child", "list", where)["children"]
    assert (shown["child_id"], shown["exposed"], shown["waiting"]) == (child_id, "100", [])

    asked = ("child", "settle", child_id, *SAID, where)
    too_much = penstock(*asked, "--filled=101", "--price=99.9", "--actor=ana", code=3)
    assert "QUANTITY_TOO_LARGE" in too_much
    off_tick = penstock(*asked, "--filled=60", "--price=99.901", "--actor=ana", code=3)
    assert "PRICE_OFF_TICK" in off_tick
    penstock("child", "settle", "none", *SAID, where, "--nothing-filled", "--actor=ana", code=2)
    said = penstock(*asked, "--filled=60", "--fill=25@99.9", "--fill=35@99.89@x7", "--actor=ana")
    assert said["stage"] == "PROPOSED" and said["proposed_by"] == "ana"

    (shown,) = penstock("child", "list", where)["children"]
    (waiting,) = shown["waiting"]
    assert [each["price"] for each in waiting["fills"]] == ["99.9", "99.89"]
    assert waiting["cumulative"] == "60" and waiting["evidence"] == "call 4711"
    agree = ("child", "approve", child_id, said["settlement_id"], "--reason=heard it", where)
    assert "SAME_PERSON" in penstock(*agree, "--actor=ana", code=3)
    assert not engine.found(topics.ALLOCATIONS_EVENTS, FillAllocated)

    done = penstock(*agree, "--actor=ben")
    assert (done["stage"], done["freed_quantity"], done["approved_by"]) == ("SETTLED", 40, "ben")
    assert penstock("child", "list", where)["children"] == []
    given = engine.found(topics.ALLOCATIONS_EVENTS, FillAllocated)
    assert sum(entry.quantity for event in given for entry in event.entries) == 60
    assert "TOO_LATE" in penstock(*asked, "--filled=60", "--actor=ana", code=3)
    story = penstock("explain", child_id, where)["events"]
    settled = [each for each in story if each["type"] == "ChildSettled"]
    assert [each["stage"] for each in settled] == ["PROPOSED", "SETTLED"]
    assert CliRunner().invoke(app, ["verify", where]).exit_code == 0
