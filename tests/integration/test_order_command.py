"""`penstock order` and `penstock basket` on a real broker, answered by an engine's process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.topics import create_topics
from schemas.messages.core import TickBand
from services.cli.main import app
from services.demo.publish import publish
from streams.core import topics
from streams.core.murmur import partition_of
from tests.support.builders import (
    SECOND,
    TICK,
    account_defined,
    book_updated,
    instrument_defined,
    venue_defined,
)
from tests.support.counted_run import ROOT
from tests.support.own_broker import OwnBroker

pytestmark = pytest.mark.broker
PARTITIONS = 2
TRADE_DATE = 20250615
ACME = "ACME"
OTHER = next(f"X{n}" for n in range(99) if partition_of(f"X{n}", 2) != partition_of(ACME, 2))
HOUR_NS = 3_600 * SECOND


class Desk:
    """Runs commands against a cluster where an engine trades two instruments on two shards."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        log_id = create_topics(bootstrap, PARTITIONS)
        now_ns = time.time_ns()
        terms = {
            "session_open_ns": now_ns - HOUR_NS,
            "session_close_ns": now_ns + 10 * HOUR_NS,
            "tick_bands": (TickBand(from_price_e9=100_000 * TICK, tick_e9=10 * TICK),),
        }
        definitions = [
            account_defined("A1"),
            venue_defined("V1"),
            instrument_defined(**terms),
            instrument_defined(instrument_id=OTHER, **terms),
        ]
        books = [
            (name, partition_of(name, PARTITIONS), book_updated("V1", instrument_id=name))
            for name in (ACME, OTHER)
        ]
        control = [("x", 0, definition) for definition in definitions]
        for topic, messages in ((topics.CONTROL_COMMANDS, control), (topics.MARKET_DATA, books)):
            publish(bootstrap, topic, messages, at_ns=now_ns, actor="test", log_id=log_id)

    def run(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        """Run `penstock ...` and return the events that it was answered with."""
        options = [f"--bootstrap={self.bootstrap}", "--timeout=60", "--json"]
        told = CliRunner().invoke(app, [*arguments, *options])
        assert told.exit_code == code, told.output
        shown = json.loads(told.stdout)
        assert shown["is_accepted"] is (code == 0)
        events: list[dict[str, Any]] = shown["events"]
        return events

    def buy(self, name: str, *more: str, code: int = 0) -> dict[str, Any]:
        terms = ("--instrument=ACME", "--account=A1", "--desk=D1", "--limit=99.90", "--tif=gtc")
        (event,) = self.run("order", "new", "buy", "100", f"--id={name}", *terms, *more, code=code)
        return event


@pytest.fixture
def desk(own_broker: OwnBroker) -> Iterator[Desk]:
    made = Desk(own_broker.bootstrap)
    command = [sys.executable, "-m", "services.engine", "--bootstrap", made.bootstrap]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    engine = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    yield made
    engine.terminate()
    engine.wait(30)


def test_a_day_of_orders_from_a_terminal(desk: Desk, tmp_path: Path) -> None:
    check_what_can_not_be_told_exactly(desk)
    event = desk.buy("c1", "--display=40", "--venue=V1")
    assert (event["type"], event["quantity"]) == ("OrderAccepted", 100)
    assert event["limit_price_e9"] == 9_990 * TICK
    assert event["trade_date"] == TRADE_DATE
    assert event["constraints"] == {
        "minimum_quantity": 0,
        "display_quantity": 40,
        "would_price_e9": None,
        "venue_ids": ["V1"],
        "excluded_venue_ids": [],
    }
    assert desk.buy("c1", "--display=40", "--venue=V1")["type"] == "CommandRepeated"
    assert desk.buy("c2", "--limit=99.905", code=3)["reason"] == "PRICE_OFF_TICK"
    assert desk.buy("c3", "--account=A9", code=3)["reason"] == "UNKNOWN_ACCOUNT"

    (event,) = desk.run("order", "replace", "c1", "200", "--instrument=ACME", "--id=c4")
    assert event["type"] in ("OrderReplaced", "OrderPendingReplace")
    (event,) = desk.run("order", "cancel", "c1", "--instrument=ACME", "--id=c5", code=3)
    assert (event["type"], event["reason"]) == ("OrderCancelRejected", "TOO_LATE")

    check_parameters(desk)

    rows = [f"b{n},{name},A1,D1,buy,100,99.9" for n, name in enumerate((ACME, OTHER))]
    header = "client_order_id,instrument_id,account_id,desk_id,side,quantity,limit_price"
    file = tmp_path / "basket.csv"
    file.write_text("\n".join([header, *rows]))
    events = desk.run("basket", str(file), "--id=B1", code=3)
    assert [event["reason"] for event in events if event["type"] == "OrderRejected"] == [
        "BASKET_MEMBER_REFUSED",
        "BASKET_SPANS_SHARDS",
    ]
    file.write_text("\n".join([header, *rows]).replace("\nb", "\nv"))
    events = desk.run("basket", str(file), "--id=B2", "--valid-ones")
    assert [event["type"] for event in events] == ["OrderAccepted", "BasketAnswered"] * 2

    events = desk.run("order", "mass-cancel", "all", f"--trade-date={TRADE_DATE}")
    answers = [event for event in events if event["type"] == "MassCancelAnswered"]
    assert len(answers) == PARTITIONS
    assert sum(a["canceled_count"] + a["pending_count"] for a in answers) == 4


def check_parameters(desk: Desk) -> None:
    """They are told, refused with a reason, amended, and taken back."""
    options = ("--strategy=twap", "--time-jitter-bps=0")
    event = desk.buy("p1", *options, "--display-share-bps=2500", "--urgency=urgent")
    assert event["parameters"]["time_jitter_bps"] == 0
    assert event["parameters"]["display_share_bps"] == 2_500
    event = desk.buy("p2", "--strategy=vwap", "--half-life=20m", code=3)
    assert (event["reason"], event["value"]) == ("PARAMETER_UNKNOWN", str(1_200 * 10**9))
    event = desk.buy("p3", "--strategy=pov", "--participation-rate-bps=9001", code=3)
    assert (event["reason"], event["bound"]) == ("PARAMETER_OUT_OF_RANGE", "in 1..9000")
    amend = ("order", "replace", "p1", "100", "--instrument=ACME")
    changes = ("--time-jitter-bps=0", "--display-share-bps=3000")
    (event,) = desk.run(*amend, "--id=p4", "--presets", code=3)
    assert event["reason"] == "REPLACE_NOT_ALLOWED"  # it works already: its slots are drawn
    assert event["field"] == "parameters.time_jitter_bps"
    (event,) = desk.run(*amend, "--id=p5", *changes)
    assert event["parameters"]["display_share_bps"] == 3_000


def check_what_can_not_be_told_exactly(desk: Desk) -> None:
    """It is refused before it is sent, with exit code 1."""
    for options, sentence in (
        (["--limit=99.9000000001"], "limit_price 99.9000000001 is not a multiple of 1/1000000000"),
        (["--start=2026-03-02T17:30:00"], "is not a time with its offset"),
        (["--tif=never"], "time_in_force never is not one of DAY, IOC"),
        (["--instrument=NONE"], "instrument NONE is not defined in this log"),
    ):
        terms = ["--instrument=ACME", "--account=A1", "--desk=D1", *options]
        told = CliRunner().invoke(
            app, ["order", "new", "buy", "1", *terms, f"--bootstrap={desk.bootstrap}"]
        )
        assert told.exit_code == 1
        assert sentence in told.output
