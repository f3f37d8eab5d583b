"""What crosses saved, and the report that `penstock crosses` prints."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from schemas.messages.allocation import CrossAllocated
from schemas.messages.core import (
    CashEntry,
    CrossKind,
    CrossPair,
    Envelope,
    Member,
    QuoteEvidence,
    Side,
)
from schemas.messages.netting import CrossExecuted
from services.cli import crosses as command
from streams.core import topics
from streams.views.crosses import CrossesView, CrossRow, total_crosses
from streams.views.sequence import GapError
from tests.support.builders import (
    ACME,
    NO_ID,
    OPEN_NS,
    SECOND,
    TICK,
    TRADE_DATE,
    crossing_declared,
    instrument_defined,
    order_accepted,
    venue_defined,
)
from tests.support.shared import shared

CENT = 10_000_000
MID = 10_000 * TICK


def envelope(topic_seq: int = -1, **changes: Any) -> Envelope:
    return Envelope(
        **{
            "event_id": NO_ID,
            "shard": 0,
            "seq": 0,
            "index": 0,
            "topic_seq": topic_seq,
            "at_ns": OPEN_NS,
            "source_ns": 0,
            "actor": "compliance",
            "causation_id": NO_ID,
            "correlation_id": "",
            **changes,
        }
    )


def executed(cross_id: str = "X1", **changes: Any) -> CrossExecuted:
    """B1 and B2 buy 300 and 100, S sells 200, at the mid of 99.99 and 100.01."""
    return CrossExecuted(
        **{
            "cross_id": cross_id,
            "tenant": "T1",
            "instrument_id": ACME,
            "quantity": 200,
            "price_e9": MID,
            "evidence": QuoteEvidence(
                bid_e9=MID - TICK,
                ask_e9=MID + TICK,
                bid_venue_id="V1",
                ask_venue_id="V2",
                bid_event_id=NO_ID,
                ask_event_id=NO_ID,
                quote_ns=OPEN_NS,
            ),
            "declaration_id": "D1",
            "buys": (Member(order_id="B1", quantity=300), Member(order_id="B2", quantity=100)),
            "sells": (Member(order_id="S", quantity=200),),
            "crossed_ns": OPEN_NS + SECOND,
            "kind": CrossKind.CLIENT_CROSS,
            "trade_date": TRADE_DATE,
            **changes,
        }
    )


def entry(order_id: str, quantity: int, cash_e9: int | None = None) -> CashEntry:
    cash = MID * quantity if cash_e9 is None else cash_e9
    return CashEntry(order_id=order_id, quantity=quantity, cash_e9=cash, fee_e9=0)


def allocated(cross_id: str = "X1", **changes: Any) -> CrossAllocated:
    return CrossAllocated(
        **{
            "cross_id": cross_id,
            "quantity": 200,
            "price_e9": MID,
            "buys": (entry("B1", 150), entry("B2", 50)),
            "sells": (entry("S", 200),),
            **changes,
        }
    )


DEFINED = (
    instrument_defined(),
    crossing_declared(regime="17a-7"),
    venue_defined("V1", taker_fee_e9=3_000_000),
    venue_defined("V2", taker_fee_e9=1_000_000, taker_fee_ppm=10),
)


def view_of(*messages: Any, defined: tuple[Any, ...] = DEFINED) -> CrossesView:
    view = CrossesView()
    for message in (*defined, *messages):
        view.fold(topics.AGGREGATIONS_EVENTS, 0, envelope(), message)
    return view


def row_of(*messages: Any, defined: tuple[Any, ...] = DEFINED) -> CrossRow:
    (row,) = view_of(*messages, defined=defined).rows()
    return row


def test_each_order_saves_half_the_spread_and_the_takers_fee_of_its_touch() -> None:
    row = row_of(executed(), allocated(), order_accepted("B1", account_id="A7"))
    by_order = {order.order_id: order for order in row.orders}
    b1, seller = by_order["B1"], by_order["S"]
    assert (b1.account_id, b1.side, b1.weight, b1.quantity) == ("A7", Side.BUY, 300, 150)
    assert b1.improvement_e9 == 150 * CENT
    # V2 takes 0.001 a share and 10 ppm of 100.01: 0.15 + 0.150015.
    assert b1.saved_fee_e9 == 150_000_000 + 150_015_000
    assert (seller.improvement_e9, seller.saved_fee_e9) == (200 * CENT, 600_000_000)
    assert row.improvement_e9 == 400 * CENT
    assert row.saved_fee_e9 == sum(order.saved_fee_e9 for order in row.orders)


def test_the_vector_s_saving_is_half_a_spread_a_side() -> None:
    case = json.loads(shared("quant/vectors/10_crossing.json").read_text())["netting_saving"]
    crossed = case["crossed"]
    assert case["spread_ticks"] == 2  # as in the evidence here
    cross = executed(
        quantity=crossed,
        buys=(Member(order_id="B1", quantity=1_000),),
        sells=(Member(order_id="S", quantity=crossed),),
    )
    given = allocated(quantity=crossed, buys=(entry("B1", crossed),), sells=(entry("S", crossed),))
    row = row_of(cross, given)
    assert [order.improvement_e9 for order in row.orders] == [int(case["per_side"]) * TICK] * 2
    assert row.improvement_e9 == case["saving_share_ticks_total"] * TICK


def test_fairness_is_the_largest_distance_from_the_sides_rate() -> None:
    assert row_of(executed(), allocated()).fairness_e9 == 0
    off = allocated(buys=(entry("B1", 149), entry("B2", 51)))
    # Rates 149/300 and 51/100 against 1/2: 1/300 and 1/100.
    assert row_of(executed(), off).fairness_e9 == 10_000_000
    nobody = allocated(buys=(entry("B1", 200),))
    assert row_of(executed(), nobody).fairness_e9 == 500_000_000


def test_one_price_for_all_shows_no_dispersion() -> None:
    assert row_of(executed(), allocated()).dispersion_e9 == 0
    worse = allocated(buys=(entry("B1", 150, MID * 150 + 7), entry("B2", 50)))
    assert row_of(executed(), worse).dispersion_e9 == 7


def test_a_cross_names_its_declaration_regime_and_who_declared() -> None:
    row = row_of(executed(), allocated())
    assert (row.declaration_id, row.regime, row.declared_by) == ("D1", "17a-7", "compliance")
    named = (*DEFINED, crossing_declared(regime="MiFIR 23", declared_by="J. Doe"))
    assert row_of(executed(), allocated(), defined=named).declared_by == "J. Doe"
    withdrawn = (*DEFINED, crossing_declared(is_allowed=False))
    assert row_of(executed(), allocated(), defined=withdrawn).regime == "17a-7"


def test_own_netting_is_no_trade() -> None:
    own = executed(kind=CrossKind.OWN_NETTING, declaration_id="")
    row = row_of(own, allocated())
    assert (row.kind, row.is_reportable, row.regime) == (CrossKind.OWN_NETTING, False, "")


def test_an_older_record_is_a_client_cross_of_the_day_of_its_instant() -> None:
    row = row_of(executed(kind=CrossKind.UNKNOWN, trade_date=0), allocated())
    assert (row.kind, row.is_reportable) == (CrossKind.CLIENT_CROSS, True)
    assert row.trade_date == TRADE_DATE


def test_the_fee_is_that_of_the_venue_s_terms_at_the_time() -> None:
    later = venue_defined("V1", taker_fee_e9=9_000_000, effective_ns=OPEN_NS + 2 * SECOND)
    row = row_of(executed(), allocated(), defined=(*DEFINED, later))
    assert row.orders[-1].saved_fee_e9 == 600_000_000
    sooner = venue_defined("V1", taker_fee_e9=9_000_000, effective_ns=OPEN_NS + 1)
    row = row_of(executed(), allocated(), defined=(*DEFINED, sooner))
    assert row.orders[-1].saved_fee_e9 == 1_800_000_000


def test_the_order_of_topics_does_not_matter_and_a_cross_not_given_is_not_shown() -> None:
    assert row_of(allocated(), executed()) == row_of(executed(), allocated())
    assert view_of(executed()).rows() == []


def test_a_repeat_changes_nothing_and_a_gap_is_named() -> None:
    view = view_of()
    for _ in range(2):
        view.fold(topics.AGGREGATIONS_EVENTS, 0, envelope(0), executed())
    view.fold(topics.ALLOCATIONS_EVENTS, 0, envelope(0), allocated())
    assert len(view.rows()) == 1
    with pytest.raises(GapError):
        view.fold(topics.ALLOCATIONS_EVENTS, 0, envelope(2), allocated("X2"))


def two_days() -> list[CrossRow]:
    own = executed("X2", kind=CrossKind.OWN_NETTING, declaration_id="", trade_date=20250616)
    walls = (CrossPair(buy_order_id="B1", sell_order_id="S", quantity=200),)
    other = executed("X3", pairs=walls, crossed_ns=OPEN_NS)
    given = [allocated(cross_id) for cross_id in ("X1", "X2", "X3")]
    return view_of(executed(), own, other, *given).rows()


def test_rows_come_by_time_and_day() -> None:
    assert [row.cross_id for row in two_days()] == ["X3", "X1", "X2"]
    view = view_of(executed(), allocated())
    assert view.rows(TRADE_DATE) == view.rows() and view.rows(20250616) == []


def test_totals_keep_kinds_and_currencies_apart_and_sum_exactly() -> None:
    rows = two_days()
    client, own = total_crosses(rows)
    assert (client.kind, client.crosses, client.orders) == (CrossKind.CLIENT_CROSS, 2, 6)
    assert client.improvement_e9 == 2 * 400 * CENT
    assert (own.kind, own.currency, own.notional_e9) == (CrossKind.OWN_NETTING, "EUR", MID * 200)
    assert client.saved_fee_e9 + own.saved_fee_e9 == sum(row.saved_fee_e9 for row in rows)


def text(table: Any) -> str:
    written = StringIO()
    Console(width=200, file=written).print(table)
    return written.getvalue()


def test_the_table_shows_evidence_saving_and_declaration() -> None:
    written = text(command.render(two_days(), {ACME: instrument_defined()}, top=2))
    assert "3 crosses, the newest 2" in written
    first, second = [line.split() for line in written.splitlines()[2:4]]
    assert " ".join(first) == (
        "X1 cross Acme 200 100.0000 99.9900 100.0100 V1/V2 1.0 s 2 1 4.00 EUR 1.00 EUR "
        "0.000000 D1 17a-7 by compliance"
    )
    assert second[:3] == ["X2", "own", "netting"]
    assert second[-2:] == ["not", "needed"]


def test_a_cross_with_walls_is_marked_and_totals_are_shown() -> None:
    assert "0.000000*" in text(command.render(two_days()[:1], {}))
    totals = text(command.render_totals(total_crosses(two_days())))
    assert "own netting" in totals and "20,000.00" in totals


def test_json_and_csv_carry_the_integers() -> None:
    rows = two_days()
    found = json.loads(json.dumps(command.as_json(rows)))
    assert found["crosses"][1]["improvement_e9"] == 400 * CENT
    assert found["crosses"][1]["orders"][0]["quantity"] == 150
    assert [total["kind"] for total in found["totals"]] == ["CLIENT_CROSS", "OWN_NETTING"]
    lines = list(csv.DictReader(StringIO(command.as_csv(rows))))
    assert len(lines) == 9
    assert (lines[3]["cross_id"], lines[3]["order_id"], lines[3]["quantity"]) == ("X1", "B1", "150")
    assert lines[0]["is_restricted"] == "true" and lines[0]["trade_date"] == str(TRADE_DATE)
