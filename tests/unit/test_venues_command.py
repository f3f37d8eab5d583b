"""What `penstock venues` shows: shards put together, best first, + for people a gain."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from schemas.messages.core import Envelope, Estimate, OrderKind, Side
from schemas.messages.scorecard import InstrumentBucketed, VenueScored
from services.cli.main import app
from services.cli.venues import as_json, render
from streams.core.topics import DECISIONS_EVENTS
from streams.scorecard.estimate import E9
from streams.scorecard.state import MARKOUTS_NS
from streams.views.scores import ScoresView
from streams.views.sequence import GapError
from tests.support.builders import ACME, OPEN_NS
from tests.support.scoring import Street

NONE = Estimate(mean_e9=0, error_e9=E9, weight_e9=0)


def told(*events: tuple[int, Any]) -> ScoresView:
    """Return the view after (shard, message)s, each shard numbering its own."""
    view, numbers = ScoresView(), dict[int, int]()
    for shard, message in events:
        number = numbers[shard] = numbers.get(shard, -1) + 1
        assert view.fold(DECISIONS_EVENTS, shard, envelope(shard, number), message)
    return view


def envelope(shard: int, topic_seq: int) -> Envelope:
    return Envelope(
        event_id=bytes(16),
        shard=shard,
        seq=topic_seq,
        index=0,
        topic_seq=topic_seq,
        at_ns=OPEN_NS,
        source_ns=0,
        actor="engine",
        causation_id=bytes(16),
        correlation_id="",
    )


def estimate(mean_bps: int, weight: int, error_bps: int = 1) -> Estimate:
    return Estimate(mean_e9=mean_bps * E9, error_e9=error_bps * E9, weight_e9=weight * E9)


def scored(
    venue_id: str = "V1", cost_bps: int = 2, weight: int = 10, **changes: Any
) -> VenueScored:
    known = estimate(cost_bps, weight)
    return VenueScored(
        **{
            "venue_id": venue_id,
            "kind": OrderKind.PASSIVE,
            "bucket": "fine",
            "side": Side.BUY,
            "scored_ns": OPEN_NS,
            "version": 7,
            "model": "",
            "children_e9": weight * E9,
            "horizons_ns": (E9, 15 * E9),
            "fill_e9": (E9 // 4, E9 // 2),
            "away_e9": (0, E9 // 4),
            "fill_error_e9": (E9 // 10, E9 // 10),
            "time_to_fill_ns": 2 * E9,
            "rejects": Estimate(mean_e9=E9 // 50, error_e9=E9 // 100, weight_e9=weight * E9),
            "busts": NONE,
            "ack_p50_ns": 1_500_000,
            "ack_p99_ns": 9_000_000,
            "effective": estimate(-1, weight),
            "latency": NONE,
            "realized": estimate(1, weight),
            "markout_horizons_ns": MARKOUTS_NS,
            "markouts": (estimate(3, weight),) * len(MARKOUTS_NS),
            "fee": estimate(-2, weight),
            "leakage": NONE,
            "missed": NONE,
            "cleanup_e9": E9,
            "score": known,
            "shrunk_e9": cost_bps * E9,
            "shrunk_error_e9": E9,
            "tail_lots": (),
            "tail_e9": (),
            "tail_at_risk_e9": (),
            **changes,
        }
    )


def text(view: ScoresView, **asked: Any) -> list[list[str]]:
    written = StringIO()
    for table in render(view.rows(**asked)):
        Console(width=240, file=written).print(table)
    return [line.split() for line in written.getvalue().splitlines() if line.strip()]


def test_the_best_venue_stands_first_and_a_cost_is_a_loss() -> None:
    lines = text(told((0, scored("DEAR", 5)), (0, scored("CHEAP", -3)), (0, scored("MID", 1))))
    assert " ".join(lines[0]) == "passive buys, fine (bp, + is a gain)"
    assert [line[:3] for line in lines[2:]] == [
        ["1", "CHEAP", "+3.0±1.0"],
        ["2", "MID", "-1.0±1.0"],
        ["3", "DEAR", "-5.0±1.0"],
    ]
    first = lines[2]
    assert first[4:10] == ["10.0", "50%±10%", "2.0s", "2%", "1.5ms", "9.0ms"]
    assert first[10:14] == ["+1.0±1.0", "-", "-1.0±1.0", "+2.0±1.0"]


def test_a_narrow_table_leaves_the_markouts_out() -> None:
    rows = told((0, scored())).rows()
    (wide,), (narrow,) = render(rows), render(rows, is_wide=False)
    assert len(wide.columns) - len(narrow.columns) == 7
    assert [column.header for column in narrow.columns][:4] == ["#", "venue", "all in", "n"]


def test_shards_are_put_together_by_what_each_saw() -> None:
    (row,) = told((0, scored(weight=10)), (3, scored(cost_bps=8, weight=30))).rows()
    assert row.shards == (0, 3)
    assert row.children_e9 == 40 * E9
    assert row.score.mean_e9 == (2 * 10 + 8 * 30) * E9 // 40
    assert row.score.error_e9 < E9
    assert row.shrunk_e9 == 5 * E9  # equally sure of both


def test_the_newest_word_of_a_shard_holds() -> None:
    (row,) = told((0, scored(cost_bps=9)), (0, scored(cost_bps=1))).rows()
    assert row.shrunk_e9 == E9


def test_kinds_buckets_and_sides_stand_apart() -> None:
    sell = scored(side=Side.SELL)
    dark = scored(kind=OrderKind.DARK, tail_lots=(1,), tail_e9=(E9,), tail_at_risk_e9=(E9,))
    view = told((0, scored()), (0, sell), (0, dark), (0, scored(bucket="huge")))
    assert len(text(view)) == 4 * 3
    assert [row.side for row in view.rows(OrderKind.PASSIVE, "fine")] == [Side.BUY, Side.SELL]
    assert len(view.rows(OrderKind.DARK)) == 1


def test_a_hole_in_the_log_is_no_answer() -> None:
    view = told((0, scored()))
    assert not view.fold(DECISIONS_EVENTS, 0, envelope(0, 0), scored())  # shown twice
    with pytest.raises(GapError):
        view.fold(DECISIONS_EVENTS, 0, envelope(0, 5), scored())


def test_an_instrument_names_its_bucket() -> None:
    view = told((1, InstrumentBucketed(instrument_id=ACME, bucket="fine", lot=1, tick_bps_e9=1)))
    assert view.buckets == {ACME: "fine"}


def test_the_json_is_the_integers() -> None:
    (row,) = as_json(told((0, scored())).rows())["venues"]
    assert row["shrunk_e9"] == 2 * E9
    assert row["score"]["weight_e9"] == 10 * E9
    assert row["kind"] == "PASSIVE"


def test_what_the_scorecard_publishes_can_be_shown() -> None:
    street = Street()
    for _ in range(5):
        street.fill(street.send())
        street.fill(street.hide(), venue_id="D1")
    street.wait(10)
    lines = text(told(*((0, event) for event in street.score().values())))
    assert {line[1] for line in lines if line[0] == "1"} <= {"V1", "V2", "D1"}


@pytest.mark.parametrize("asked", [["--kind", "sideways"], ["--side", "long"]])
def test_an_unknown_kind_or_side_is_refused(asked: list[str]) -> None:
    found = CliRunner().invoke(app, ["venues", *asked, "--bootstrap", "nowhere:1"])
    assert found.exit_code == 2
    assert "is not one of" in found.output
