"""The internal cross: what meets, at which price, and what forbids it."""

import json
from typing import Any

import pytest

from schemas.messages.core import (
    BookState,
    Cause,
    Constraints,
    CrossGuard,
    CrossKind,
    LimitState,
    QuoteEvidence,
    Side,
    TradingStatus,
    Urgency,
)
from schemas.messages.netting import (
    CrossExecuted,
    EpochOpened,
    ParentClosed,
    ParentOpened,
    WindowClosed,
)
from streams.core.crossed import crossed_shares
from streams.netting.commands import ParentExposure
from tests.support import netting as n
from tests.support.builders import NO_ID, OPEN_NS, TICK, TRADE_DATE, instrument, quote
from tests.support.netting import buy, close_window, crossing, exposed, netting, sell
from tests.support.shared import shared

G = CrossGuard
T = TradingStatus
TWICE = crossing(spread_median_bps=20_000)


def vectors() -> Any:
    return json.loads(shared("quant/vectors/10_crossing.json").read_text())


def crosses(events: tuple[Any, ...]) -> list[CrossExecuted]:
    return [event for event in events if isinstance(event, CrossExecuted)]


def parents(events: tuple[Any, ...]) -> list[tuple[Side, int]]:
    return [(e.side, e.quantity) for e in events if isinstance(e, ParentOpened)]


def shares(cross: CrossExecuted, side: str) -> dict[str, int]:
    of, given = getattr(cross, side), crossed_shares(cross)[side == "sells"]
    return {m.order_id: share for m, share in zip(of, given, strict=True)}


def reason(events: tuple[Any, ...]) -> str:
    assert isinstance(events[0], WindowClosed)
    return events[0].no_cross_reason


def opened(*orders: Any) -> tuple[Any, ...]:
    return (*orders, *netting(*orders).when(close_window()).events())


def test_500_to_buy_and_200_to_sell_leave_300_to_buy() -> None:
    history = (buy("B1", 300), buy("B2", 200, source="OMS2"), sell("S1", 200, source="OMS3"))
    events = netting(*history).when(close_window()).events()
    (cross,) = crosses(events)
    assert (cross.quantity, cross.price_e9) == (200, 10_000 * TICK)
    assert parents(events) == [(Side.BUY, 300)]
    assert events[0].crossed_quantity == 200
    netting(*history).when(close_window()).then(*events)


def test_the_vector_book_crosses_as_recorded() -> None:
    case = vectors()["netting"]
    history = [
        *(buy(name, quantity) for name, quantity in case["buys"]),
        *(sell(name, quantity) for name, quantity in case["sells"]),
    ]
    events = netting(*history).when(close_window()).events()
    (cross,) = crosses(events)
    assert cross.quantity == case["crossed"]
    assert shares(cross, "buys") == case["buy_alloc"]
    assert shares(cross, "sells") == case["sell_alloc"]
    assert parents(events) == [(Side.BUY, case["residual"])]


def test_only_orders_whose_limit_holds_the_midpoint_take_part() -> None:
    case = vectors()["netting_with_limits"]
    assert case["mid_ticks"] == "10001.5"

    def limited(order: Any, rows: list[Any]) -> list[Any]:
        return [
            order(name, quantity, limit_price_e9=None if limit is None else int(limit) * TICK)
            for name, quantity, limit in rows
        ]

    history = [*limited(buy, case["buys"]), *limited(sell, case["sells"])]
    events = netting(*history).when(close_window(quote=quote(10_001, 10_002))).events()
    (cross,) = crosses(events)
    assert cross.price_e9 * 2 == 20_003 * TICK
    assert cross.quantity == case["crossed"]
    assert [[m.order_id, m.quantity] for m in cross.buys] == case["eligible_buys"]
    assert [[m.order_id, m.quantity] for m in cross.sells] == case["eligible_sells"]
    assert shares(cross, "buys") == case["buy_alloc"]
    assert shares(cross, "sells") == case["sell_alloc"]


def test_the_midpoint_is_exact_to_the_half_tick() -> None:
    for case in vectors()["midpoint"]:
        seen = quote(case["bid_ticks"], case["ask_ticks"])
        halfticks = case.get("mid_halfticks", case["bid_ticks"] + case["ask_ticks"])
        assert seen.midpoint_e9 * 2 == halfticks * TICK


def test_a_cross_keeps_the_quote_as_evidence() -> None:
    seen = quote(bid_venue_id="V2", ask_event_id=b"a" * 16)
    events = netting(buy("B", 5), sell("S", 5)).when(close_window(quote=seen)).events()
    assert crosses(events) == [
        CrossExecuted(
            cross_id="Xabcdef.0.1",
            tenant="T1",
            instrument_id="ACME",
            quantity=5,
            price_e9=10_000 * TICK,
            evidence=QuoteEvidence(
                bid_e9=9_999 * TICK,
                ask_e9=10_001 * TICK,
                bid_venue_id="V2",
                ask_venue_id="V1",
                bid_event_id=NO_ID,
                ask_event_id=b"a" * 16,
                quote_ns=OPEN_NS,
            ),
            declaration_id="D1",
            buys=n.members(B=5),
            sells=n.members(S=5),
            crossed_ns=OPEN_NS + 1_000,
            kind=CrossKind.CLIENT_CROSS,
            trade_date=TRADE_DATE,
        )
    ]
    assert parents(events) == []


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"crossing": None}, G.NOT_DECLARED, "crossing not declared"),
        ({"instrument": instrument(is_halted=True)}, G.HALTED, "instrument halted"),
        ({"instrument": instrument(status=T.AUCTION)}, G.AUCTION, "instrument in auction"),
        (
            {"instrument": instrument(is_halted=True, status=T.PAUSED)},
            G.PAUSED,
            "trading paused",
        ),
        (
            {"instrument": instrument(limit_state=LimitState.LIMIT_UP)},
            G.LIMIT_STATE,
            "price at its limit",
        ),
        (
            {"instrument": instrument(upper_band_e9=9_999 * TICK)},
            G.LIMIT_STATE,
            "price at its limit",
        ),
        (
            {"instrument": instrument(lower_band_e9=10_000 * TICK, upper_band_e9=10_000 * TICK)},
            G.NONE,
            "",
        ),
        ({"interruption": BookState.HALTED}, G.HALTED, "instrument halted"),
        ({"interruption": BookState.AUCTION}, G.AUCTION, "instrument in auction"),
        ({"interruption": BookState.PAUSED}, G.PAUSED, "trading paused"),
        ({"interruption": BookState.CLOSED}, G.NONE, ""),  # one venue has other hours
        ({"quote": None}, G.NO_QUOTE, "quote missing"),
        ({"quote": quote(bid=0)}, G.ONE_SIDED, "quote one-sided"),
        ({"quote": quote(10_001, 10_001)}, G.LOCKED, "quote locked"),
        ({"quote": quote(10_002, 10_001)}, G.CROSSED, "quote crossed"),
        ({"quote": quote(at_ns=OPEN_NS - 1_001)}, G.STALE, "quote stale"),
        ({"quote": quote(at_ns=OPEN_NS - 1_000)}, G.NONE, ""),
        ({"quote": quote(9_950, 10_051)}, G.WIDE, "quote wide"),
        ({"quote": quote(9_950, 10_050)}, G.NONE, ""),  # 100 bps of the mid, not more
        ({"crossing": TWICE}, G.NO_MEDIAN, "median spread unknown"),
        ({"crossing": TWICE, "median_spread_e9": TICK}, G.NONE, ""),  # 2 ticks are twice as wide
        (
            {"crossing": TWICE, "median_spread_e9": TICK - 1},
            G.WIDER_THAN_MEDIAN,
            "quote wider than its median",
        ),
    ],
)
def test_guards_forbid_a_cross_and_say_why(
    changes: dict[str, Any], expected: CrossGuard, words: str
) -> None:
    for_one_owner = {"owner_id": "O"} if expected is not G.NOT_DECLARED else {}
    for owner in ({}, for_one_owner):  # own netting needs the same price
        history = (buy("B", 5, **owner), sell("S", 3, **owner))
        events = netting(*history).when(close_window(**changes)).events()
        assert (events[0].guard, reason(events)) == (expected, words)
        assert bool(crosses(events)) == (expected is G.NONE)
        left = [(Side.BUY, 2)] if expected is G.NONE else [(Side.BUY, 5), (Side.SELL, 3)]
        assert parents(events) == left


def test_the_median_that_a_guard_compared_with_is_kept() -> None:
    history = (buy("B", 5), sell("S", 3))
    command = close_window(crossing=TWICE, median_spread_e9=3 * TICK)
    (cross,) = crosses(netting(*history).when(command).events())
    assert cross.median_spread_e9 == 3 * TICK


@pytest.mark.parametrize(
    "change",
    [
        {"is_cross_allowed": False},
        {"start_ns": OPEN_NS + 1_001},
        {"limit_price_e9": 10_001 * TICK},  # sells above the midpoint only
    ],
    ids=["opted out", "not started", "outside its limit"],
)
def test_an_order_that_may_not_take_part_stays_whole(change: dict[str, Any]) -> None:
    events = netting(buy("B", 5), sell("S", 3, **change)).when(close_window()).events()
    assert reason(events) == "no eligible pair"
    assert parents(events) == [(Side.BUY, 5), (Side.SELL, 3)]


def test_a_client_that_does_not_consent_meets_nobody() -> None:
    history = (buy("B1", 5), buy("B2", 4), sell("S", 9))
    command = close_window(opted_out_account_ids=frozenset({"B1"}))
    (cross,) = crosses(netting(*history).when(command).events())
    assert (cross.buys, cross.sells) == (n.members(B2=4), n.members(S=9))


def test_an_owner_who_takes_no_small_execution_stands_aside() -> None:
    minimum = Constraints(minimum_quantity=4)
    history = (buy("B1", 5, constraints=minimum), buy("B2", 4), sell("S", 9))
    (cross,) = crosses(netting(*history).when(close_window()).events())
    assert (cross.buys, cross.sells) == (n.members(B2=4), n.members(S=9))


def test_tenants_never_meet() -> None:
    history = (buy("B", 5), sell("S", 5, tenant="T2"))
    events = netting(*history).when(close_window()).events()
    assert not crosses(events) and reason(events) == ""


def test_an_urgent_order_meets_everybody_who_waits_on_the_other_side() -> None:
    history = (buy("B", 5), sell("S1", 3), sell("S2", 9, urgency=Urgency.URGENT))
    events = netting(*history).when(close_window(cause=Cause.WINDOW_ZERO)).events()
    (cross,) = crosses(events)
    assert (cross.buys, cross.sells) == (n.members(B=5), n.members(S2=9))
    assert events[0].order_ids == ("S2",)
    assert parents(events) == [(Side.SELL, 4)]


def test_waiting_orders_meet_what_an_opposing_parent_has_not_released() -> None:
    history = (*opened(buy("B1", 300), buy("B2", 100)), sell("S", 500))
    events = netting(*history).when(close_window(exposed(room=280, e1=120))).events()
    (cross,) = crosses(events)
    assert cross.quantity == 280
    assert (cross.buys, cross.sells) == (n.members(B1=210, B2=70), n.members(S=500))
    assert [e for e in events if isinstance(e, EpochOpened)] == [
        n.epoch_opened(2, (), parent_quantity=120, cause=Cause.WINDOW_TIME),
        n.epoch_opened(1, n.members(S=220), parent_id="Pabcdef.0.2"),
    ]


def test_a_parent_whose_room_crosses_away_with_nothing_live_is_done() -> None:
    history = (*opened(buy("B1", 300)), sell("S", 300))
    events = netting(*history).when(close_window(exposed(room=300))).events()
    assert isinstance(events[-1], ParentClosed)
    assert (events[-1].quantity, events[-1].filled_quantity) == (0, 0)


def test_waiting_orders_meet_each_other_before_a_parent() -> None:
    history = (*opened(buy("B1", 300)), buy("B2", 50), sell("S", 80))
    events = netting(*history).when(close_window(exposed(room=300))).events()
    first, second = crosses(events)
    assert (first.buys, first.quantity) == (n.members(B2=50), 50)
    assert (second.buys, second.sells, second.quantity) == (n.members(B1=300), n.members(S=30), 30)
    assert events[-1] == n.epoch_opened(
        2, n.members(B1=270), parent_quantity=270, cause=Cause.WINDOW_TIME
    )


def test_live_children_and_held_parents_are_never_crossed() -> None:
    history = (*opened(buy("B1", 300)), sell("S", 80))
    live = netting(*history).when(close_window(exposed(e1=300))).events()
    assert not crosses(live)
    hold = netting(*history).when(n.leave("B1", exposed(room=1, e1=299))).events()
    held = netting(*history, *hold).when(close_window(exposed(room=1, e1=299))).events()
    assert not crosses(held)


def test_a_parent_that_nobody_told_of_is_left_alone() -> None:
    history = (*opened(buy("B1", 300)), sell("S", 80))
    assert not crosses(netting(*history).when(close_window()).events())
    other = ParentExposure(parent_id="P?", room=9, exposures=())
    assert not crosses(netting(*history).when(close_window(other)).events())


def test_a_declaration_is_named_in_each_cross() -> None:
    command = close_window(crossing=crossing(declaration_id="D7"))
    (cross,) = crosses(netting(buy("B", 5), sell("S", 5)).when(command).events())
    assert cross.declaration_id == "D7"
