"""`penstock volume-model` on a real broker: days of prints collected, fitted, published."""

import json
from hashlib import blake2b
from math import exp
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from infra.topics import create_topics
from schemas.messages.control import VolumeCurveDefined
from services.cli.log import read_to_end
from services.cli.main import app
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.topics import CONTROL_COMMANDS, MARKET_DATA
from streams.shard.reference.checks import check
from tests.support.builders import ACME, CLOSE_NS, MINUTE, OPEN_NS, TRADE_DATE, instrument_defined
from tests.support.own_broker import OwnBroker
from tests.support.prints import printed

pytestmark = pytest.mark.broker
DAY = 24 * 60 * MINUTE
CODEC = AvroCodec()


def penstock(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and return its object."""
    told = CliRunner().invoke(app, ["volume-model", *arguments, "--json"])
    assert told.exit_code == code, told.output
    return json.loads(told.stdout)


def publish_days(bootstrap: str, days: int) -> None:
    """Write definitions and prints of that many days, six bins of ten minutes each."""
    random, producer = Random(6), Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    for day in range(days):
        defined = instrument_defined(
            session_open_ns=OPEN_NS + day * DAY,
            session_close_ns=CLOSE_NS + day * DAY,
            trade_date=TRADE_DATE + day,
        )
        _put(producer, CONTROL_COMMANDS, day, day, defined)
        for step in range(60):
            at_ns = OPEN_NS + day * DAY + step * MINUTE
            quantity = round(exp(8 + (0.5 if step < 10 else 0.0) + random.gauss(0, 0.2)))
            _put(producer, MARKET_DATA, at_ns, at_ns, printed(quantity))
    producer.flush(20)


def _put(producer: Producer, topic: str, number: int, at_ns: int, message: Any) -> None:
    event_id = blake2b(f"{topic}/{number}".encode(), digest_size=16).digest()
    value = CODEC.encode(outside_envelope(event_id, at_ns, "feed"), message)
    producer.produce(topic, key=ACME.encode(), value=value, partition=0)


def curves(bootstrap: str) -> list[VolumeCurveDefined]:
    entries = read_to_end(bootstrap, (CONTROL_COMMANDS,))
    return [e.message for e in entries if isinstance(e.message, VolumeCurveDefined)]


def test_a_log_of_days_becomes_a_curve_that_engines_take(
    own_broker: OwnBroker, tmp_path: Path
) -> None:
    bootstrap = own_broker.bootstrap
    create_topics(bootstrap, partitions=1)
    assert penstock("fit", "--bootstrap", bootstrap, code=3)["curves"] == []
    publish_days(bootstrap, 8)
    where = ("--bin-s", "600", "--bootstrap", bootstrap)
    kept = penstock("collect", str(tmp_path), *where)
    assert (kept["days"], len(kept["files"])) == (8, 8)

    shown = penstock("fit", "--archive", str(tmp_path), *where)
    (row,) = shown["curves"]
    assert (row["instrument_id"], row["days"], row["bins"]) == (ACME, 8, 6)
    assert not shown["is_published"] and curves(bootstrap) == []

    nameless = CliRunner().invoke(
        app, ["volume-model", "fit", "--publish", *where], env={"USER": ""}
    )
    assert nameless.exit_code == 4 and curves(bootstrap) == []

    said = penstock("fit", "--publish", "--actor", "ana", *where)
    (curve,) = curves(bootstrap)
    check(curve)  # as every shard does before it takes it
    assert said["is_published"] and curve.days == 8
    assert curve.first_bin_ns == OPEN_NS + 7 * DAY  # no later session is defined
    assert curve.log_volume_e9[0] - curve.log_volume_e9[3] == pytest.approx(0.5e9, abs=0.2e9)
