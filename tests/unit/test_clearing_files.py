"""Day files: whole or not there, summed, hashed; and a venue's drop copy file, read strictly."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.messages.core import BreakKind as B
from schemas.messages.core import ExecType, Side
from schemas.messages.core import ReconciliationCheck as C
from schemas.messages.venues import ExecutionReport
from services.clearing.files import DayFileError, read_day_file, write_day_files
from services.clearing.reconciliation.drop_copy import DropCopyError, read_drop_copy
from services.clearing.reconciliation.run import Reconciliation, reconcile
from services.venues.drop_copy import COLUMNS, write_drop_copies
from services.venues.state import Child, SimulatorState
from tests.support.audit_log import make
from tests.support.clearing_day import ClearingDay
from tests.support.clearing_log import TRADE_DATE, day, entries_of, log_of
from tests.support.clearing_plants import Entries

Edit = Callable[[str], str]


@pytest.fixture(scope="module")
def run() -> ClearingDay:
    found = ClearingDay(log_of(day()), 1)
    found.run()
    return found


@pytest.fixture(scope="module")
def clean(run: ClearingDay) -> Entries:
    return entries_of(run.log)


def test_the_files_of_a_day_hold_what_stands_with_sums_and_hash(
    run: ClearingDay, tmp_path: Path
) -> None:
    written = write_day_files(run.reports(), TRADE_DATE, tmp_path)
    assert written.files == {
        "allocations-account_2dA.csv": 2,
        "allocations-account_2dB.csv": 2,
        "allocations-account_2dC.csv": 1,
        "allocations-account_2dD.csv": 2,
        "street-V1.csv": 4,
        "street-V2.csv": 2,
    }
    rows = read_day_file(written.folder / "allocations-account_2dA.csv")
    assert [(row["report_id"], row["status"], row["quantity"], row["cash"]) for row in rows] == [
        ("A@P1#1:3", "ACCEPTED", "111", "11136.000000000"),
        ("A@X1:1", "ACCEPTED", "75", "7500.000000000"),
    ]
    lines = (written.folder / "allocations-account_2dA.csv").read_text().splitlines()
    assert lines[0] == f"#H,allocations,1,{TRADE_DATE},account-A,clearer"
    assert lines[-2] == "#S,USD,186,0,18636.000000000,0.000000000,12.000000000"
    assert lines[-1].startswith("#T,2,")
    street = read_day_file(written.folder / "street-V1.csv")
    assert [row["transaction"] for row in street if row["quantity"] == "0"] == ["CANCEL"] * 2


def test_the_same_day_is_the_same_bytes_and_the_manifest_names_them(
    run: ClearingDay, tmp_path: Path
) -> None:
    first = write_day_files(run.reports(), TRADE_DATE, tmp_path / "a").folder
    second = write_day_files(run.reports(), TRADE_DATE, tmp_path / "b").folder
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    assert not [name for name in names if name.startswith(".")], "no draft is left behind"
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
    manifest = json.loads((first / "manifest.json").read_text())
    assert sorted([*manifest["files"], "manifest.json"]) == names
    last = (first / "street-V1.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["type"] == "trailer"
    assert write_day_files(run.reports(), TRADE_DATE + 1, tmp_path).files == {}


@pytest.mark.parametrize(
    "damage",
    [lambda text: text.replace("111", "112", 1), lambda text: "\n".join(text.split("\n")[:-2])],
    ids=["a digit", "no trailer"],
)
def test_a_damaged_file_is_not_read(run: ClearingDay, tmp_path: Path, damage: Edit) -> None:
    folder = write_day_files(run.reports(), TRADE_DATE, tmp_path).folder
    path = folder / "allocations-account_2dA.csv"
    path.write_text(damage(path.read_text()))
    with pytest.raises(DayFileError, match="trailer"):
        read_day_file(path)


def drop_copies(clean: Entries, folder: Path) -> dict[str, Path]:
    """The venues' own files of the day, from books of their own."""
    state = SimulatorState()
    for entry in clean:
        report = entry.message
        if isinstance(report, ExecutionReport):
            child = state.children.setdefault(
                report.child_id,
                make(Child, child_id=report.child_id, venue_id=report.venue_id, executions=[]),
            )
            child.executions.append(report)
    paths = write_drop_copies(state, folder)
    return {path.stem.rpartition("-")[2]: path for path in paths}


def against(clean: Entries, folder: Path, venue: str, edit: Edit) -> Reconciliation:
    paths = drop_copies(clean, folder)
    text = edit(paths[venue].read_text())
    assert text != paths[venue].read_text() or edit is same
    paths[venue].write_text(text)
    return reconcile(clean, drop_copies=[read_drop_copy(path) for path in paths.values()])


def same(text: str) -> str:
    return text


def replaced(old: str, new: str) -> Edit:
    return lambda text: text.replace(old, new, 1)


def without(start: str) -> Edit:
    return lambda text: "".join(
        line for line in text.splitlines(keepends=True) if not line.startswith(start)
    )


def row(exec_id: str, kind: str = "TRADE", ref: str = "", quantity: int = 10) -> str:
    tail = "99.000000000,0,2026-02-27T15:00:00Z"
    return f"V1,{exec_id},{ref},{kind},P2.1.1,ACME,SELL,{quantity},{tail}\n"


PLANTED: list[tuple[B, str, str, Edit]] = [
    # kind, subject, venue, what is done to its file
    (B.MISSING_FILL, "V1/G9", "V1", lambda text: text + row("G9")),
    (B.UNKNOWN_FILL, "V1/G1", "V1", without("V1,G1,")),
    (B.DUPLICATE_EXEC_ID, "V1/G1", "V1", lambda text: text + row("G1", quantity=50)),
    (B.BUST_NOT_APPLIED, "V1/G1", "V1", lambda text: text + row("G9", "TRADE_CANCEL", "G1")),
    (
        B.CORRECTION_NOT_APPLIED,
        "V1/G1",
        "V1",
        lambda text: text + row("G9", "TRADE_CORRECT", "G1", 20),
    ),
    (B.SIDE_DIFFERS, "V1/G1", "V1", replaced("ACME,SELL,50", "ACME,BUY,50")),
    (B.QUANTITY_DIFFERS, "V1/G1", "V1", replaced("SELL,50", "SELL,51")),
    (B.PRICE_DIFFERS, "V1/G1", "V1", replaced("SELL,50,99.0", "SELL,50,99.1")),
    (B.FEE_DIFFERS, "V1/G1", "V1", replaced("50,99.000000000,2.0", "50,99.000000000,2.5")),
    (B.QUANTITY_DIFFERS, "V1/G2", "V1", without("V1,G3,")),  # we took a bust that they have not
]


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: str(case[0]))
def test_a_difference_to_the_drop_copy_is_named(
    case: tuple[B, str, str, Edit], clean: Entries, tmp_path: Path
) -> None:
    kind, subject, venue, edit = case
    result = against(clean, tmp_path, venue, edit)
    found = [(each.kind, each.check, each.subject) for each in result.breaks]
    assert (kind, C.DROP_COPY, subject) in found
    assert {check for _, check, _ in found} == {C.DROP_COPY}, "the log itself is clean"


def test_lines_and_columns_of_a_drop_copy_may_stand_in_any_order(
    clean: Entries, tmp_path: Path
) -> None:
    def shuffled(text: str) -> str:
        table = [line.split(",")[::-1] for line in text.splitlines()]
        head, *rows = table
        lines = [["note", *head], *(["x", *line] for line in reversed(rows))]
        return "\n".join(",".join(line) for line in lines) + "\n"

    result = against(clean, tmp_path, "V1", shuffled)
    assert result.is_clean
    assert len(result.drop_copies) == 2
    assert against(clean, tmp_path, "V1", same).is_clean


HEAD = ",".join(COLUMNS) + "\n"
GOOD = "V1,G1,,TRADE,P2.1.1,ACME,SELL,50,99.5,0.1,2026-02-27T15:00:00.5Z\n"
BAD = [
    # column or part, what stands in the file
    ("header", GOOD),
    ("header", HEAD.replace("fee,", "") + GOOD),
    ("exec_type", HEAD + GOOD.replace("TRADE", "NEW")),
    ("side", HEAD + GOOD.replace("SELL", "S")),
    ("last_quantity", HEAD + GOOD.replace(",50,", ",50.5,")),
    ("last_quantity", HEAD + GOOD.replace(",50,", ",-1,")),
    ("last_quantity", HEAD + GOOD.replace(",50,", ",\u0665\u0660,")),
    ("last_price", HEAD + GOOD.replace("99.5", "\u0665")),
    ("last_quantity", HEAD + GOOD.replace(",50,", ",0,")),
    ("last_price", HEAD + GOOD.replace("99.5", "99.0000000005")),
    ("last_price", HEAD + GOOD.replace("99.5", "NaN")),
    ("last_price", HEAD + GOOD.replace("99.5", "1e999999")),
    ("last_price", HEAD + GOOD.replace("99.5", "-1")),
    ("last_price", HEAD + GOOD.replace("99.5", "")),
    ("fee", HEAD + GOOD.replace("0.1", "a")),
    ("transact_time", HEAD + GOOD.replace("Z", "")),
    ("transact_time", HEAD + GOOD.replace("2026-02-27", "2026-02-30")),
    ("exec_ref_id", HEAD + GOOD.replace("G1,,", "G1,G0,")),
    ("exec_ref_id", HEAD + GOOD.replace("TRADE", "TRADE_CANCEL")),
    ("child_id", HEAD + GOOD.replace("P2.1.1", "")),
    ("venue_id", HEAD + GOOD.replace("V1,", ",", 1)),
    ("a cell is missing", HEAD + GOOD.rpartition(",")[0] + "\n"),
    ("more cells", HEAD + GOOD.replace("\n", ",more\n")),
    ("line", HEAD + GOOD.replace("G1", '"G1')),
]


@pytest.mark.parametrize(("named", "text"), BAD, ids=range(len(BAD)))
def test_a_drop_copy_that_is_not_sound_is_refused_by_line_and_column(
    named: str, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "V1.csv"
    path.write_text(text)
    with pytest.raises(DropCopyError, match=named) as raised:
        read_drop_copy(path)
    assert str(raised.value).startswith("V1.csv")


def test_a_drop_copy_is_read_to_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "V1.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DropCopyError, match="encoding"):
        read_drop_copy(path)
    path.write_text("\ufeff" + HEAD + GOOD.replace("0.1", "-0.000000001"))
    copy = read_drop_copy(path)
    assert (copy.venues, copy.rows) == (frozenset({"V1"}), 1)
    (told,) = copy.executions._told.values()
    assert (told.exec_type, told.side, told.quantity) == (ExecType.TRADE, Side.SELL, 50)
    assert (told.price_e9, told.fee_e9) == (99_500_000_000, -1)
    assert told.transact_ns % 10**9 == 500_000_000
