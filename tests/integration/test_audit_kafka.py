"""The checker and `penstock verify` over a log on a real broker."""

import json

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from infra.topics import create_topics
from services.audit import RawRecord, check, check_records
from services.cli.main import app
from streams.core import topics
from tests.support.audit_day import day
from tests.support.audit_log import written
from tests.support.own_broker import OwnBroker

pytestmark = pytest.mark.broker


def publish(bootstrap: str, records: list[RawRecord]) -> None:
    """Write the records as they are; without transactions, so that offsets are those journalled."""
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for record in records:
        producer.produce(record.topic, record.value, record.key, record.partition)
    assert producer.flush(30) == 0


def test_a_log_on_kafka_is_checked_as_in_memory_and_verify_says_so(
    own_broker: OwnBroker,
) -> None:
    bootstrap, runner = own_broker.bootstrap, CliRunner()
    create_topics(bootstrap, partitions=1)
    records = written(day().values())
    publish(bootstrap, records)
    assert check(bootstrap) == check(bootstrap, [0]) == check_records(records)
    told = runner.invoke(app, ["verify", "--bootstrap", bootstrap, "--json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["filled_quantity"] == 350

    orphan = next(r for r in records if r.topic == topics.FILLS_EVENTS)
    publish(bootstrap, [orphan])
    told = runner.invoke(app, ["verify", "--bootstrap", bootstrap, "--json"])
    assert told.exit_code == 4
    assert json.loads(told.stdout)["counts"] == {"OUTPUT_ORPHAN": 1}
    assert "OUTPUT_ORPHAN" in runner.invoke(app, ["verify", "--bootstrap", bootstrap]).stdout


def test_verify_without_the_topics_says_which_is_missing(own_broker: OwnBroker) -> None:
    told = CliRunner().invoke(app, ["verify", "--bootstrap", own_broker.bootstrap])
    assert told.exit_code == 1
    assert "topic engine.journal.v1 is not on this cluster" in told.output
