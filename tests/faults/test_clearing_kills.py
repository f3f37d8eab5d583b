"""Clearing on a real broker: killed again and again, it loses no report and sends none twice."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.broker import EmbeddedBroker
from schemas.messages.clearing import (
    AllocationReported,
    ClearingRepaired,
    ReconciliationBroke,
    ReconciliationDone,
    TradeCaptured,
)
from schemas.messages.core import BreakKind
from schemas.messages.routing import FillBooked
from services.clearing.files import read_day_file
from services.clearing.outside import read_entries
from services.cli.main import app
from services.venues.scenario import Scenario
from streams.core import topics
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.counted_run import eventually
from tests.support.market_day import MarketDay

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(600)]
SCENARIO = Scenario(seed=21, minutes=1, orders=300)
KILLED_AT = (10, 25, 40, 55)
GRACE_S = 5


class Desk:
    """What a person types, and what comes of it."""

    def __init__(self, bootstrap: str) -> None:
        self._cluster = f"--bootstrap={bootstrap}"

    def run(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*words, self._cluster])
        return done.exit_code, done.output

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json")[1])

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.json("clearing", "status")["counts"]
        return counts


def start(day: MarketDay, copies: Path) -> None:
    day.start_engines()
    day._start(
        "simulator",
        "services.venues",
        f"--bootstrap={day.bootstrap}",
        f"--seed={SCENARIO.seed}",
        f"--minutes={SCENARIO.minutes}",
        f"--orders={SCENARIO.orders}",
        f"--drop-copy={copies}",
    )
    start_clearing(day)
    day._start(
        "clearer",
        "services.clearing.clearer_process",
        f"--bootstrap={day.bootstrap}",
        "--rejected-ppm=20000",
    )


def start_clearing(day: MarketDay) -> None:
    day._start(
        "clearing",
        "services.clearing",
        f"--bootstrap={day.bootstrap}",
        f"--grace-s={GRACE_S}",
        "--snapshot-batches=5",
    )


def test_clearing_killed_in_the_middle_reconciles_and_a_wrong_drop_copy_does_not(
    tmp_path: Path,
    own_broker: EmbeddedBroker,  # noqa: F811  # the fixture
) -> None:
    copies, logs = tmp_path / "copies", tmp_path / "logs"
    logs.mkdir()
    day = MarketDay(bootstrap=own_broker.bootstrap, scenario=SCENARIO, logs=logs)
    day.prepare()
    desk = Desk(day.bootstrap)
    try:
        start(day, copies)
        for step in KILLED_AT:
            day.follow_to(step)
            day.kill("clearing")
            start_clearing(day)
        day.follow_to(day.steps)
        expected = due(day.bootstrap)
        eventually(lambda: answered(desk, expected), "reports or answers are missing", 90)
        for name in desk.json("clearing", "status")["rejected"]:
            words = ("--set", "settlement_date=20260310", "--reason=wrong", "--actor=ann")
            assert desk.run("clearing", "repair", name, *words)[0] == 0
        eventually(lambda: set(desk.counts()) == {"ACCEPTED"}, "a repair is not accepted", 60)
        eventually(lambda: len(session_ends(day.bootstrap)) == 1, "the session is not ended", 60)
    finally:
        day.stop()
    files = sorted(copies.glob("*.csv"))
    assert len(files) == 4
    told = [f"--drop-copy={path}" for path in files]
    code, text = desk.run("reconcile", *told)
    assert code == 0, text
    assert "no break" in text
    check_reports(day.bootstrap)
    check_day_files(desk, tmp_path)
    check_planted(desk, day.bootstrap, files, told)
    assert len(session_ends(day.bootstrap)) == 1


def due(bootstrap: str) -> int:
    """Return how many fills the day has: each must be captured."""
    found = read_entries(bootstrap, [topics.FILLS_EVENTS])
    return sum(isinstance(entry.message, FillBooked) for entry in found)


def answered(desk: Desk, fills: int) -> bool:
    counts = desk.counts()
    return sum(counts.values()) > fills and not set(counts) - {"ACCEPTED", "REJECTED"}


def session_ends(bootstrap: str) -> list[ReconciliationDone]:
    return [
        entry.message
        for entry in read_entries(bootstrap, [topics.CLEARING_REPORTS])
        if isinstance(entry.message, ReconciliationDone) and entry.message.trigger == "SESSION_END"
    ]


def check_reports(bootstrap: str) -> None:
    """Each report once, numbered without a gap; people's repairs among them."""
    messages = [e.message for e in read_entries(bootstrap, [topics.CLEARING_REPORTS])]
    reports = [each for each in messages if isinstance(each, AllocationReported | TradeCaptured)]
    assert max(Counter(each.report_id for each in reports).values()) == 1
    newest: dict[str, int] = {}
    for each in reports:
        assert each.version == newest.get(each.record_id, 0) + 1
        newest[each.record_id] = each.version
    assert any(isinstance(each, ClearingRepaired) for each in messages)


def check_day_files(desk: Desk, folder: Path) -> None:
    day = 20260302
    written = desk.json("clearing", "report", f"--day={day}", f"--out={folder}")
    rows = [row for name in written["files"] for row in read_day_file(folder / str(day) / name)]
    assert sum(written["files"].values()) == len(rows) == sum(desk.counts().values())


def check_planted(desk: Desk, bootstrap: str, files: list[Path], told: list[str]) -> None:
    """A venue's file that says otherwise: named, exit 4, and on the record where asked."""
    lines = files[0].read_text().splitlines(keepends=True)
    files[0].write_text("".join([lines[0], *lines[2:]]))
    result = desk.json("reconcile", *told)
    assert result["counts"]["UNKNOWN_FILL"] == 1
    assert desk.run("reconcile", *told, "--record", "--actor=ann")[0] == 4
    found = [e.message for e in read_entries(bootstrap, [topics.CLEARING_REPORTS])]
    broke = [each for each in found if isinstance(each, ReconciliationBroke)]
    by_person = [e for e in found if isinstance(e, ReconciliationDone) and e.trigger == "PERSON"]
    kinds = Counter(each.kind for each in broke if each.run_id == by_person[0].run_id)
    assert kinds[BreakKind.UNKNOWN_FILL] == 1
    assert by_person[0].breaks == 1
    assert len(by_person[0].drop_copies) == len(files)
    files[0].write_text("no header\n")
    code, words = desk.run("reconcile", *told)
    assert code == 1
    assert "cannot reconcile" in words
