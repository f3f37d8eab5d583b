"""`penstock clearing` and `penstock reconcile` over a day written by hand on a real broker."""

import json
from pathlib import Path

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from infra.broker import EmbeddedBroker
from infra.topics import create_topics
from services.audit import RawRecord
from services.clearing.once import clear_and_reconcile
from services.cli.main import app
from streams.core import topics
from tests.support.audit_log import written
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.clearing_day import CODEC, outside
from tests.support.clearing_log import TRADE_DATE, day, told

pytestmark = pytest.mark.broker


def publish(bootstrap: str, records: list[RawRecord]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for record in records:
        producer.produce(record.topic, record.value, record.key, record.partition)
    assert producer.flush(30) == 0


def run(bootstrap: str, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--bootstrap", bootstrap])
    return done.exit_code, done.output


def test_a_day_is_cleared_reconciled_and_a_late_execution_is_a_break(
    tmp_path: Path,
    own_broker: EmbeddedBroker,  # noqa: F811  # the fixture
) -> None:
    bootstrap = own_broker.bootstrap
    code, text = run(bootstrap, "reconcile")
    assert code == 1
    assert "cannot reconcile: topic control.commands.v1 is not on this cluster" in text
    create_topics(bootstrap, partitions=1)
    publish(bootstrap, written(day().values()))
    cleared = clear_and_reconcile(bootstrap)
    assert cleared.totals() == {"allocations": 6, "captures": 4, "breaks": 0}
    code, text = run(bootstrap, "reconcile")
    assert code == 0, text
    assert "information: ERROR_ACCOUNT V2/F3 error_quantity: ours 2" in text
    code, text = run(bootstrap, "clearing", "status", "--json")
    assert json.loads(text) == {"counts": {"ACCEPTED": 13}, "rejected": []}
    code, text = run(bootstrap, "clearing", "report", f"--day={TRADE_DATE}", f"--out={tmp_path}")
    assert "13 reports in 6 files" in text
    topic, late = told("G8", 5, 99, 0, 55)
    publish(bootstrap, [RawRecord(topic, 0, 0, b"", CODEC.encode(outside(1, "V1"), late))])
    code, text = run(bootstrap, "reconcile", f"--day={TRADE_DATE}", "--record")
    assert code == 4
    assert "MISSING_FILL V1/G8 quantity: ours -, theirs 5" in text
    assert "CHILD_CUMULATIVE_DIFFERS P2.1.1 cumulative_quantity: ours 50, theirs 55 (5)" in text
    assert "2 breaks" in text
    code, text = run(bootstrap, "tail", topics.CLEARING_REPORTS.removesuffix(".v1"))
    assert "ReconciliationBroke" in text


def test_a_repair_of_what_cannot_be_repaired_is_not_even_asked(
    own_broker: EmbeddedBroker,  # noqa: F811  # the fixture
) -> None:
    words = ("clearing", "repair", "A@X1:1", "--reason=r", "--actor=ann", "--set", "quantity=1")
    code, text = run(own_broker.bootstrap, *words)
    assert code == 1
    assert "clearing_account or settlement_date" in text
