"""Reports to FIX clearers by wire, gateway and broker: killed, rejected, repaired; once each."""

import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.broker.ports import pick_ports
from schemas.messages.core import ClearingStatus
from schemas.messages.fix import FixSending
from services.clearing.clearer import Rule
from services.clearing.outside import read_entries
from services.cli.main import app
from streams.core import topics
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.fix_cleared import SESSIONS, FixCleared
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(400)]
RULE = Rule(seed=3, rejected_ppm=350_000, received_ppm=300_000, late_ppm=300_000, twice_ppm=300_000)


def run(bootstrap: str, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, f"--bootstrap={bootstrap}"])
    assert done.exit_code == 0, done.output
    return done.output


def test_kills_rejects_and_repairs_leave_the_clearers_books_as_the_ledger(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # fixture
) -> None:
    (port,) = pick_ports(1)
    bootstrap = own_broker.bootstrap
    with FixCleared(bootstrap, tmp_path, port, RULE) as run_of:
        run_of.commit("orders", "fills")
        run_of.settle()
        run_of.commit("cash")
        run_of.kill("gateway")
        run_of.commit("bust")
        run_of.start_gateway()
        run_of.work()
        run_of.wire.kill()
        run_of.commit("correction", "by fill")
        run_of.wire.start()
        run_of.settle()
        run_of.commit("bust by fill")
        run_of.settle()
        refused = rejected(run_of)
        assert refused, "nothing was rejected: choose another seed"
        for clearer in run_of.clearers.values():
            clearer.repaired = True
        for name in refused:
            words = ("--set=settlement_date=20260304", "--reason=as they ask", "--actor=ann")
            run(bootstrap, "clearing", "repair", name, *words)
        run_of.settle()
        assert rejected(run_of) == []
        for name in SESSIONS:
            clearer = run_of.clearers[name]
            assert clearer.faults == []
            assert clearer.books == run_of.books(name)
            assert clearer.verdicts, f"{name} was told nothing"
        counts = json.loads(run(bootstrap, "clearing", "status", "--json"))["counts"]
        assert set(counts) <= {"ACCEPTED", "REJECTED", "REPAIRED", "WITHDRAWN"}, counts
        sent = [e.message for e in read_entries(bootstrap, [topics.FIX_SENDING])]
        times = Counter(
            m.subject for m in sent if isinstance(m, FixSending) and not m.is_possible_resend
        )
        assert set(times.values()) == {1}, "a report was given to the wire twice"


def rejected(run_of: FixCleared) -> list[str]:
    """Return the newest versions that stand rejected."""
    return [
        f"{name}:{len(record.versions)}"
        for name, record in run_of.ledger().records.items()
        if record.newest.status is ClearingStatus.REJECTED
    ]
