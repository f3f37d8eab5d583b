"""The TCA view: the acceptance table, intervals, busts, crosses, repeats and gaps."""

from typing import Any

import msgspec
import pytest

from schemas.messages.allocation import AllocationRestated, CashAllocated
from schemas.messages.core import CashEntry, Cause, OrderStatus, Side, StrategyKind, TcaLevel
from schemas.messages.intake import OrderClosed, OrderReplaced
from schemas.messages.netting import ParentClosed
from schemas.messages.routing import FillCorrected
from schemas.messages.tca import TcaRow
from streams.views.sequence import GapError
from streams.views.totals import total
from tests.support.builders import ACME, NO_ID, OPEN_NS, SECOND, order_accepted
from tests.support.costs import (
    E9,
    Shown,
    cash,
    child_filled,
    child_placed,
    cross_allocated,
    entries,
    fill_allocated,
    fill_busted,
    log,
    printed,
    view_of,
)
from tests.support.parents import PARENT, epoch_opened, parent_opened

# quantity, price, benchmark, basis points of the issue's table
CHILDREN = [
    (5_000, 100_005, 100_010, "+0.5"),
    (10_000, 100_020, 100_022, "+0.2"),
    (7_500, 100_045, 100_050, "+0.5"),
    (12_500, 100_120, 100_115, "-0.5"),
    (15_000, 100_210, 100_211, "+0.1"),
]
MILLI_E9 = 1_000_000


def rows_of(level: TcaLevel, shown: list[Shown]) -> list[TcaRow]:
    return [row for row in view_of(shown).rows() if row.level is level]


def acceptance_log(side: Side = Side.BUY) -> list[Shown]:
    events: list[tuple[float, Any]] = []
    for ordinal, (quantity, price, benchmark, _) in enumerate(CHILDREN, start=1):
        arrival = {"arrival_price_e9": benchmark * MILLI_E9, "side": side}
        events.append((ordinal, child_placed(ordinal, quantity, **arrival)))
        fill = child_filled(ordinal, f"E{ordinal}", quantity, price * MILLI_E9, side=side)
        events.append((ordinal, fill))
    return log(*events)


def rounded(performance_e9: int | None) -> str:
    assert performance_e9 is not None
    return f"{performance_e9 / E9:+.1f}"


def test_the_five_children_of_the_issue() -> None:
    rows = rows_of(TcaLevel.CHILD, acceptance_log())
    assert [row.quantity for row in rows] == [quantity for quantity, *_ in CHILDREN]
    points = [rounded(row.arrival_performance_e9) for row in rows]
    assert points == [expected for *_, expected in CHILDREN]
    sums = total(rows)
    assert sums.quantity == 50_000
    assert sums.average_price_e9 == 100_104_250_000  # 100.10425
    assert sums.arrival_price_e9 == 100_104_950_000  # 100.10495
    assert sums.arrival_performance_e9 is not None
    assert round(sums.arrival_performance_e9 / E9, 2) == 0.07
    assert rounded(sums.arrival_performance_e9) == "+0.1"


def test_a_seller_has_the_opposite_sign() -> None:
    rows = rows_of(TcaLevel.CHILD, acceptance_log(Side.SELL))
    points = [rounded(row.arrival_performance_e9) for row in rows]
    assert points == ["-0.5", "-0.2", "-0.5", "+0.5", "-0.1"]


def test_the_parent_averages_its_fills_against_its_own_arrival() -> None:
    opened = parent_opened(StrategyKind.VWAP, quantity=50_000, arrival_price_e9=100 * E9)
    (row,) = rows_of(TcaLevel.PARENT, [*log((0, opened)), *acceptance_log()])
    assert (row.ordered_quantity, row.quantity) == (50_000, 50_000)
    assert row.average_price_e9 == 100_104_250_000
    assert row.arrival_performance_e9 == -10_425_000_000  # 10.425 bp paid over the arrival


def parent_story(*later: tuple[float, Any]) -> list[Shown]:
    """Two orders in a parent of 300: 100 at 100.00, then 200 at 100.30 for a fee of 0.30."""
    first = child_filled(1, "E1", 100, 100 * E9)
    second = child_filled(1, "E2", 200, 100_300 * MILLI_E9, fee_e9=300 * MILLI_E9)
    return log(
        (0, order_accepted("O1", quantity=200, arrival_price_e9=100 * E9)),
        (0, order_accepted("O2", quantity=100, arrival_price_e9=100 * E9)),
        (1, parent_opened(StrategyKind.VWAP, quantity=300)),
        (1, epoch_opened(300)),
        (1, child_placed(1, 300)),
        (2, printed(100 * E9, 1_000)),
        (3, first),
        (3, printed(100 * E9, 100, own_quantity=100)),
        (3, fill_allocated(first, O1=67, O2=33)),
        (4, second),
        (4, printed(100_300 * MILLI_E9, 200, own_quantity=200)),
        (4, fill_allocated(second, O1=133, O2=67)),
        *later,
    )


CLOSED = (
    (
        5,
        OrderClosed(
            order_id="O1",
            status=OrderStatus.FILLED,
            cumulative_quantity=200,
            leaves_quantity=0,
            cause=Cause.FILL,
        ),
    ),
    (
        5,
        ParentClosed(
            parent_id=PARENT, status=OrderStatus.FILLED, quantity=300, filled_quantity=300
        ),
    ),
    (9, printed(500 * E9, 10_000)),
)


def test_every_order_of_an_epoch_has_the_epochs_average_price() -> None:
    first, second = rows_of(TcaLevel.ORDER, parent_story())
    assert (first.id, first.quantity, second.id, second.quantity) == ("O1", 200, "O2", 100)
    assert first.average_price_e9 == second.average_price_e9 == 100_200 * MILLI_E9
    assert (first.fee_e9, second.fee_e9) == (200 * MILLI_E9, 100 * MILLI_E9)
    assert first.arrival_performance_e9 == -20 * E9


def test_the_interval_ends_with_the_order_and_leaves_own_prints_out_on_demand() -> None:
    (parent,) = rows_of(TcaLevel.PARENT, parent_story(*CLOSED))
    # 1,100 at 100.00 and 200 at 100.30; what traded at 500 came after the end.
    assert parent.interval_vwap_e9 == round((1_100 * 100 * E9 + 200 * 100_300 * MILLI_E9) / 1_300)
    assert parent.others_vwap_e9 == 100 * E9
    still_working = rows_of(TcaLevel.ORDER, parent_story(*CLOSED))[1]
    assert still_working.interval_vwap_e9 is not None
    assert still_working.interval_vwap_e9 > 400 * E9
    (child,) = rows_of(TcaLevel.CHILD, parent_story(*CLOSED))
    assert child.interval_vwap_e9 == parent.interval_vwap_e9  # it ended with its last fill


def test_prints_before_the_arrival_do_not_count() -> None:
    (with_early,) = rows_of(TcaLevel.PARENT, parent_story((0.5, printed(1 * E9, 10**6))))
    (plain,) = rows_of(TcaLevel.PARENT, parent_story())
    assert with_early == plain


def test_a_print_counts_when_it_happened_not_when_it_was_published() -> None:
    story = parent_story(*CLOSED)
    moved = [
        event._replace(
            envelope=msgspec.structs.replace(event.envelope, source_ns=OPEN_NS + 2 * SECOND)
        )
        if event.message == printed(500 * E9, 10_000)
        else event
        for event in story
    ]
    (late,), (early,) = rows_of(TcaLevel.PARENT, story), rows_of(TcaLevel.PARENT, moved)
    assert late.interval_vwap_e9 is not None
    assert early.interval_vwap_e9 is not None
    assert early.interval_vwap_e9 > 4 * late.interval_vwap_e9


def test_final_cash_brings_the_exact_fees() -> None:
    final = CashAllocated(
        parent_id=PARENT,
        epoch=1,
        version=1,
        quantity=300,
        cash_e9=30_060 * E9,
        fee_e9=300 * MILLI_E9,
        entries=(cash(200, 20_040 * E9, 201 * MILLI_E9), cash(100, 10_020 * E9, 99, "O2")),
    )
    first, second = rows_of(TcaLevel.ORDER, parent_story((6, final)))
    assert (first.fee_e9, second.fee_e9) == (201 * MILLI_E9, 99)


def test_cash_by_fill_gives_each_order_the_prices_of_its_own_fills() -> None:
    def own(exec_id: str, fee_e9: int, *parts: CashEntry) -> CashAllocated:
        return CashAllocated(
            parent_id=PARENT,
            epoch=1,
            version=1,
            quantity=sum(part.quantity for part in parts),
            cash_e9=sum(part.cash_e9 for part in parts),
            fee_e9=fee_e9,
            entries=parts,
            fill_id=f"V1/{exec_id}",
        )

    first = own("E1", 5, cash(100, 10_000 * E9, 5))
    second = own("E2", 300, cash(100, 10_030 * E9, 101), cash(100, 10_030 * E9, 199, "O2"))
    one, other = rows_of(TcaLevel.ORDER, parent_story((6, first), (6, second)))
    assert (one.quantity, one.average_price_e9, one.fee_e9) == (200, 100_150 * MILLI_E9, 106)
    assert (other.quantity, other.average_price_e9, other.fee_e9) == (100, 100_300 * MILLI_E9, 199)


def test_a_bust_restates_child_parent_and_order() -> None:
    second = child_filled(1, "E2", 200, 100_300 * MILLI_E9, fee_e9=300 * MILLI_E9)
    restated = AllocationRestated(
        parent_id=PARENT,
        epoch=1,
        is_tail=False,
        fill_id=second.fill_id,
        cause=Cause.BUST,
        is_minimal=False,
        entries=entries(O1=-133, O2=-67),
    )
    rows = view_of(parent_story((7, fill_busted(second)), (7, restated))).rows()
    by_id = {row.id: row for row in rows}
    assert [row.quantity for row in rows] == [100, 67, 33, 100]
    assert {row.average_price_e9 for row in rows} == {100 * E9}
    assert {row.fee_e9 for row in rows} == {0}
    assert by_id["O1"].arrival_performance_e9 == 0


def test_a_correction_restates_the_price() -> None:
    corrected = FillCorrected(
        fill_id="V1/E2",
        exec_id="E2",
        child_id=f"{PARENT}.1.1",
        slice_id=f"{PARENT}.1",
        parent_id=PARENT,
        epoch=1,
        venue_id="V1",
        instrument_id=ACME,
        side=Side.BUY,
        correction_exec_id="C1",
        previous_quantity=200,
        quantity=200,
        error_quantity=0,
        previous_price_e9=100_300 * MILLI_E9,
        price_e9=100_150 * MILLI_E9,
        cash_e9=200 * 100_150 * MILLI_E9,
        transact_ns=0,
        fee_e9=0,
    )
    rows = view_of(parent_story((7, corrected))).rows()
    assert {row.average_price_e9 for row in rows} == {100_100 * MILLI_E9}


def test_a_cross_counts_for_the_orders_and_not_for_the_parent() -> None:
    rows = view_of(parent_story((6, cross_allocated(50, 100_600 * MILLI_E9)))).rows()
    by_id = {row.id: row for row in rows}
    assert (by_id["O1"].quantity, by_id["O1"].crossed_quantity) == (250, 50)
    # (200 at 100.20 + 50 at 100.60) / 250
    assert by_id["O1"].average_price_e9 == 100_280 * MILLI_E9
    assert (by_id[PARENT].quantity, by_id[PARENT].crossed_quantity) == (300, 0)


def test_a_replaced_order_and_a_new_epoch_change_what_was_ordered() -> None:
    replaced = OrderReplaced(
        order_id="O1",
        tenant="T1",
        source="OMS",
        client_order_id="c9",
        quantity=900,
        order_type=order_accepted().order_type,
        limit_price_e9=None,
        group_id="g",
        cumulative_quantity=0,
        replaced_ns=0,
        command_digest=NO_ID,
    )
    joined = epoch_opened(700, epoch=2, parent_quantity=1_000)
    rows = view_of(parent_story((6, replaced), (6, joined))).rows()
    by_id = {row.id: row for row in rows}
    assert by_id["O1"].ordered_quantity == 900
    assert by_id[PARENT].ordered_quantity == 1_000


def test_without_market_or_fills_there_is_nothing_to_compare() -> None:
    (row,) = view_of(log((0, order_accepted("O1", arrival_price_e9=None)))).rows()
    assert (row.average_price_e9, row.interval_vwap_e9, row.arrival_performance_e9) == (
        None,
        None,
        None,
    )


def test_a_repeat_changes_nothing() -> None:
    story = parent_story(*CLOSED)
    view = view_of(story)
    before = view.digest()
    for event in story:
        view.fold(*event)
    assert view.digest() == before


def test_a_gap_names_what_is_missing_and_applies_nothing() -> None:
    story = [event for event in parent_story() if event.topic.startswith("fills")]
    view = view_of(())
    with pytest.raises(GapError, match=r"fills.events.v1\[0\]: topic_seq 0 to 0 were not") as gap:
        view.fold(*story[1])
    assert (gap.value.partition, gap.value.first, gap.value.last) == (0, 0, 0)
    for event in story:  # the reader reads again from the first that is missing
        view.fold(*event)
    assert view.digest() == view_of(story).digest()


def test_partitions_are_numbered_apart() -> None:
    story = parent_story()
    view = view_of(story)
    other = story[0]._replace(partition=1)
    view.fold(*other)  # number 0 of partition 1 is no repeat and no gap
    with pytest.raises(GapError):
        view.fold(*other._replace(partition=2, envelope=story[1].envelope))


def test_an_order_is_shown_with_its_parents_and_children() -> None:
    view = view_of(parent_story())
    child = f"{PARENT}.1.1"
    assert view.related("O1") == {"O1", PARENT, child}
    assert view.related(PARENT) == {"O1", "O2", PARENT, child}
    assert view.related("nobody") == {"nobody"}
