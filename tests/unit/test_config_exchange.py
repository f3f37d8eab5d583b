"""The calendar tool, where the extra that brings it is installed: half-days, holidays, lunch."""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.messages.control import CalendarDefined
from schemas.messages.core import PhaseKind, Session
from services.cli.main import app
from services.config.files import read

HOUR = 3_600 * 1_000_000_000
ROOT = Path(__file__).parents[2]


def sessions(path: Path, *arguments: str) -> Sequence[Session]:
    """Write a calendar by the command, read it as a configuration, return its sessions."""
    pytest.importorskip("exchange_calendars", reason="the extra `tools` is not installed")
    told = CliRunner().invoke(app, ["config", "calendar", *arguments])
    assert told.exit_code == 0, told.output
    (path / "calendars.toml").write_text(told.stdout)
    found = [definition.message for definition in read(path).definitions]
    return [s for m in found if isinstance(m, CalendarDefined) for s in m.sessions]


def by_date(path: Path, arguments: str) -> dict[int, Session]:
    return {session.trade_date: session for session in sessions(path, *arguments.split())}


def hours(session: Session) -> list[tuple[str, float, float]]:
    """Return phases with their UTC hours."""
    return [
        (phase.kind.value, phase.start_ns / HOUR % 24, phase.end_ns / HOUR % 24)
        for phase in session.phases
    ]


def test_new_york_rests_on_thanksgiving_and_closes_early_the_day_after(tmp_path: Path) -> None:
    found = {
        s.trade_date: s
        for s in sessions(tmp_path, *["XNYS", "--from", "2026-11-23", "--to", "2026-12-01"])
    }
    assert sorted(found) == [20261123, 20261124, 20261125, 20261127, 20261130, 20261201]
    assert [date for date, session in found.items() if session.is_half_day] == [20261127]
    assert hours(found[20261125]) == [("CONTINUOUS", 14.5, 21)]
    assert hours(found[20261127]) == [("CONTINUOUS", 14.5, 18)]


def test_the_clock_change_moves_a_session_by_an_hour_of_utc(tmp_path: Path) -> None:
    found = sessions(tmp_path, *["XNYS", "--from", "2026-03-06", "--to", "2026-03-09"])
    assert [hours(session) for session in found] == [
        [("CONTINUOUS", 14.5, 21)],
        [("CONTINUOUS", 13.5, 20)],
    ]


def test_hong_kong_has_lunch_and_a_half_day_without(tmp_path: Path) -> None:
    found = {
        s.trade_date: s
        for s in sessions(tmp_path, *["XHKG", "--from", "2026-12-23", "--to", "2026-12-28"])
    }
    assert sorted(found) == [20261223, 20261224, 20261228]
    assert hours(found[20261223]) == [
        ("CONTINUOUS", 1.5, 4),
        ("LUNCH", 4, 5),
        ("CONTINUOUS", 5, 8),
    ]
    assert hours(found[20261224]) == [("CONTINUOUS", 1.5, 4)]


def test_what_the_package_does_not_know_is_given(tmp_path: Path) -> None:
    auctions = "--opening-auction 2 --closing-auction 10 --closing-cutoff 10"
    (found,) = by_date(
        tmp_path, f"XNYS --from 2026-11-27 --to 2026-11-27 --pre-open 330 {auctions} --post 60"
    ).values()
    assert [phase.kind for phase in found.phases] == [
        PhaseKind.PRE_OPEN,
        PhaseKind.OPENING_AUCTION,
        PhaseKind.CONTINUOUS,
        PhaseKind.CLOSING_AUCTION,
        PhaseKind.POST,
    ]
    auction = found.phases[3]
    assert auction.cutoff_ns == auction.start_ns - HOUR // 6


# arguments, what the answer says
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("NOPE --from 2026-11-27 --to 2026-11-28", "[CALENDAR_UNKNOWN]"),
        ("XNYS --from 2026-11-28 --to 2026-11-20", "[CALENDAR_UNKNOWN]"),
    ],
)
def test_an_unknown_exchange_or_range_is_a_sentence(arguments: str, expected: str) -> None:
    pytest.importorskip("exchange_calendars", reason="the extra `tools` is not installed")
    told = CliRunner().invoke(app, ["config", "calendar", *arguments.split()])
    assert told.exit_code == 1
    assert expected in told.output


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    arguments = ["config", "calendar", "XNYS", "--from", "2026-11-23", "--to", "2026-11-24"]
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 1
    assert "not installed: `make tools`" in told.output


def test_one_module_alone_names_the_package_and_loads_it_when_asked() -> None:
    """An import contract keeps it out of what runs; this keeps it out of everything else."""
    found: list[tuple[str, bool]] = []
    for folder in ("streams", "services", "schemas", "infra", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text())
            top = set(map(id, tree.body))
            found += [
                (path.relative_to(ROOT).as_posix(), id(node) in top)
                for node in ast.walk(tree)
                if _names_it(node)
            ]
    assert found == [("services/config/exchange.py", False)]


def _names_it(node: Any) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.startswith("exchange_calendars") for alias in node.names)
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith("exchange_calendars")
