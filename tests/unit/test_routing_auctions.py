"""A slice for an auction: where its children go, what binds them, and what comes back."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    Constraints,
    ExecType,
    Liquidity,
    OrderStatus,
    OrderType,
    PhaseKind,
    RejectReason,
    Side,
    Tactic,
    TimeInForce,
    VenueKind,
)
from schemas.messages.netting import ParentHeld
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildPlaced,
    ChildRejected,
    FillBooked,
    RouteDecided,
    SliceReturned,
    VenueSuspended,
)
from streams.core.market import AUCTION_REPORTS_NS
from streams.routing import ROUTING, RoutingState, exposures
from streams.routing.commands import CancelChildren, MarketBooks, RouteSlice
from tests.support.auctions import CUTOFF_NS, UNCROSS_NS, auction
from tests.support.builders import OPEN_NS, SECOND, TICK, venue, venue_book
from tests.support.given import given
from tests.support.routing import (
    acknowledged,
    market,
    opened,
    released,
    report,
    wake,
)

LATE_NS = UNCROSS_NS + AUCTION_REPORTS_NS
CLOSING = PhaseKind.CLOSING_AUCTION


def slice_for(**changes: Any) -> Any:
    return released(**{"auction": CLOSING, "deadline_ns": LATE_NS, **changes})


def held(*auctions: Any, **changes: Any) -> MarketBooks:
    """Return two lit venues and a dark one; both lit ones hold a closing auction."""
    return market(auctions=auctions or (auction("V1"), auction("V2")), **changes)


def route(at_ns: int = OPEN_NS, **changes: Any) -> RouteSlice:
    return RouteSlice(slice_id="P.1", at_ns=at_ns, market=changes.pop("market", held()), **changes)


def decided(*history: Any, command: Any) -> tuple[Any, ...]:
    state = RoutingState()
    for event in history:
        ROUTING.evolve(state, event)
    return tuple(ROUTING.decide(state, command))


def children(events: tuple[Any, ...]) -> list[tuple[str, int]]:
    return [(e.venue_id, e.quantity) for e in events if isinstance(e, ChildPlaced)]


def test_without_any_interest_yet_all_of_it_goes_to_the_primary_venue() -> None:
    events = decided(*opened(), slice_for(), command=route())
    assert children(events) == [("V1", 100)]
    child = next(e for e in events if isinstance(e, ChildPlaced))
    assert child.time_in_force is TimeInForce.AT_CLOSE
    assert (child.order_type, child.price_e9) == (OrderType.MARKET, None)
    assert (child.tactic, child.cancel_until_ns) == (Tactic.AUCTION, CUTOFF_NS)
    assert child.rest_until_ns == LATE_NS
    assert child.arrival_price_e9 == 10_000 * TICK
    assert not [e for e in events if isinstance(e, SliceReturned)]


def test_an_opening_auction_gets_at_open_children() -> None:
    opening = held(auction(kind=PhaseKind.OPENING_AUCTION))
    part = slice_for(auction=PhaseKind.OPENING_AUCTION)
    (child,) = [
        e
        for e in decided(*opened(), part, command=route(market=opening))
        if isinstance(e, ChildPlaced)
    ]
    assert child.time_in_force is TimeInForce.AT_OPEN


# what the auctions would trade, what they traded before, how a hundred are split
@pytest.mark.parametrize(
    ("indicated", "traded", "parts"),
    [
        ((3_000, 1_000), (0, 0), [("V1", 75), ("V2", 25)]),
        ((2, 1), (0, 0), [("V1", 67), ("V2", 33)]),
        ((0, 0), (100, 300), [("V1", 25), ("V2", 75)]),
        ((0, 500), (900, 0), [("V2", 100)]),
    ],
)
def test_it_is_split_as_the_others_trade(
    indicated: tuple[int, int], traded: tuple[int, int], parts: list[tuple[str, int]]
) -> None:
    auctions = (
        auction("V1", quantity=indicated[0], traded_quantity=traded[0]),
        auction("V2", quantity=indicated[1], traded_quantity=traded[1]),
    )
    events = decided(*opened(), slice_for(), command=route(market=held(*auctions)))
    assert children(events) == parts
    decision = next(e for e in events if isinstance(e, RouteDecided))
    assert sum(each.quantity for each in decision.alternatives) == 100


def test_a_limit_is_on_the_grid_and_never_beyond() -> None:
    for side, limit, price in ((Side.BUY, 5, 0), (Side.SELL, 5, 10)):
        part = slice_for(side=side, limit_price_e9=10_000 * TICK + limit * TICK // 10)
        events = decided(*opened(side=side), part, command=route())
        (child,) = [e for e in events if isinstance(e, ChildPlaced)]
        assert child.order_type is OrderType.LIMIT
        assert child.price_e9 == 10_000 * TICK + price * TICK // 10


# why nobody gets it
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("late", {"at_ns": CUTOFF_NS}, "after the cut-off of its auction"),
    ("over", {"at_ns": UNCROSS_NS}, "its auction is over"),
    ("none", {"market": market()}, "holds no such auction"),
    (
        "opening only",
        {"market": held(auction(kind=PhaseKind.OPENING_AUCTION))},
        "holds no such auction",
    ),
    ("done", {"market": held(auction(is_final=True))}, "its auction is over"),
    (
        "killed",
        {"market": held(auction(), stopped_venue_ids=frozenset({"V1"}))},
        "stopped by the kill switch",
    ),
]


@pytest.mark.parametrize(("changes", "reason"), [e[1:] for e in REFUSALS], ids=lambda e: str(e)[:9])
def test_what_no_auction_takes_comes_back_at_once(changes: dict[str, Any], reason: str) -> None:
    events = decided(*opened(), slice_for(), command=route(**changes))
    assert children(events) == []
    decision = next(e for e in events if isinstance(e, RouteDecided))
    assert next(a for a in decision.alternatives if a.venue_id == "V1").reason == reason
    (back,) = [e for e in events if isinstance(e, SliceReturned)]
    assert (back.quantity, back.cause, back.is_closed) == (100, Cause.AUCTION, True)


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        (Constraints(venue_ids=("V2",)), [("V2", 100)]),
        (Constraints(excluded_venue_ids=("V1",)), [("V2", 100)]),
        (Constraints(minimum_quantity=50), []),
    ],
)
def test_the_owners_venues_and_minimum_hold(
    constraints: Constraints, expected: list[tuple[str, int]]
) -> None:
    events = decided(*opened(), slice_for(constraints=constraints), command=route())
    assert children(events) == expected


def test_a_venue_is_reached_before_its_cut_off_or_not_sent_to() -> None:
    far = venue("V1", latency_ns=5 * SECOND)
    books = (venue_book("V1", venue=far), venue_book("V2"))
    at_ns = CUTOFF_NS - 5 * SECOND
    events = decided(*opened(), slice_for(), command=route(at_ns, market=held_at(books)))
    assert children(events) == [("V2", 100)]


def held_at(books: tuple[Any, ...]) -> MarketBooks:
    return market(*books, auctions=(auction("V1"), auction("V2")))


def test_whole_lots_and_minimums_go_where_most_is() -> None:
    choosy = venue("V2", minimum_quantity=40)
    books = (venue_book("V1"), venue_book("V2", venue=choosy))
    auctions = (auction("V1", quantity=700), auction("V2", quantity=300))
    told = market(*books, auctions=auctions)
    events = decided(*opened(), slice_for(), command=route(market=told))
    assert children(events) == [("V1", 100)]


def sent(quantity: int = 100, limit_e9: int | None = None, **terms: Any) -> list[ChildPlaced]:
    """Return the children where V1 alone holds an auction, under those terms."""
    books = (venue_book("V1", venue=venue("V1", **terms)), venue_book("V2"))
    part = slice_for(quantity=quantity, limit_price_e9=limit_e9)
    command = route(market=market(*books, auctions=(auction("V1"),)))
    events = decided(*opened(quantity), part, command=command)
    return [event for event in events if isinstance(event, ChildPlaced)]


def test_a_venues_own_tick_and_lot_hold_in_its_auction() -> None:
    (child,) = sent(limit_e9=10_003 * TICK, tick_e9=5 * TICK)
    assert child.price_e9 == 10_000 * TICK
    (child,) = sent(quantity=170, lot=50)
    assert child.quantity == 150
    assert sent(quantity=40, lot=50) == []


def test_an_auction_gets_only_the_types_of_orders_that_its_venue_takes() -> None:
    assert sent(order_types=(OrderType.LIMIT,)) == []
    (child,) = sent(order_types=(OrderType.LIMIT,), limit_e9=10_000 * TICK)
    assert child.order_type is OrderType.LIMIT


def test_an_auctions_child_keeps_the_bound_of_its_venue_and_counts_in_it() -> None:
    (child,) = sent(messages_per_s=1, cancel_after_ns=SECOND, latency_ns=0)
    assert (child.messages_per_s, child.cancel_from_ns) == (1, OPEN_NS + SECOND)
    state = ROUTING.fold((*opened(200), slice_for(), child, slice_for(slice_id="P.2")))
    books = (venue_book("V1", venue=venue("V1", messages_per_s=1)), venue_book("V2"))
    told = market(*books, auctions=(auction("V1"),))
    for at_ns, reason in ((OPEN_NS, "throttled: 1 messages a second"), (OPEN_NS + SECOND, "")):
        command = RouteSlice(slice_id="P.2", at_ns=at_ns, market=told)
        events = ROUTING.decide(state, command)
        decision = next(event for event in events if isinstance(event, RouteDecided))
        found = next(each for each in decision.alternatives if each.venue_id == "V1")
        assert (found.reason == reason) == bool(reason)


def waiting(**changes: Any) -> tuple[Any, ...]:
    """Return the history of a slice whose one child waits at V1 for the close."""
    events = decided(*opened(), slice_for(**changes), command=route())
    return (*opened(), slice_for(**changes), *events, acknowledged())


def test_before_the_cut_off_a_cancel_is_asked() -> None:
    command = CancelChildren(parent_id="P", cause=Cause.CLIENT, at_ns=CUTOFF_NS - 1)
    events = decided(*waiting(), command=command)
    assert [type(e) for e in events] == [ChildCancelRequested]


def test_after_it_nothing_is_asked_and_the_quantity_stays_exposed() -> None:
    state = RoutingState()
    for event in (*waiting(), ParentHeld(parent_id="P", order_ids=("O",), cause=Cause.CLIENT)):
        ROUTING.evolve(state, event)
    command = CancelChildren(parent_id="P", cause=Cause.CLIENT, at_ns=CUTOFF_NS)
    assert ROUTING.decide(state, command) == ()
    assert exposures(state, "P") == ((1, 100),)


def test_a_kill_asks_at_any_time() -> None:
    command = CancelChildren(parent_id="P", cause=Cause.KILL, at_ns=CUTOFF_NS + 1)
    events = decided(*waiting(), command=command)
    assert [type(e) for e in events] == [ChildCancelRequested]


FINAL = (auction("V1", is_final=True), auction("V2", is_final=True))


def test_what_the_auction_leaves_comes_back_to_the_strategy() -> None:
    fill = report(
        ExecType.TRADE,
        at_ns=UNCROSS_NS,
        market=held(*FINAL),
        order_status=OrderStatus.PARTIALLY_FILLED,
        last_quantity=60,
        last_price_e9=10_000 * TICK,
        cumulative_quantity=60,
        leaves_quantity=40,
        liquidity=Liquidity.AUCTION,
    )
    filled = decided(*waiting(), command=fill)
    (booked,) = filled
    assert isinstance(booked, FillBooked)
    assert booked.liquidity is Liquidity.AUCTION
    end = report(
        ExecType.EXPIRED,
        "e10",
        at_ns=UNCROSS_NS + 1,
        market=held(*FINAL),
        order_status=OrderStatus.EXPIRED,
        cumulative_quantity=60,
        leaves_quantity=0,
    )
    events = decided(*waiting(), *filled, command=end)
    canceled = next(e for e in events if isinstance(e, ChildCanceled))
    assert (canceled.canceled_quantity, canceled.is_unsolicited) == (40, False)
    (back,) = [e for e in events if isinstance(e, SliceReturned)]
    assert (back.quantity, back.cause, back.is_closed) == (40, Cause.AUCTION, True)


def test_a_refused_child_goes_to_the_next_auction_while_there_is_time() -> None:
    refused = report(
        ExecType.REJECTED,
        at_ns=CUTOFF_NS - SECOND,
        market=held(),
        order_status=OrderStatus.REJECTED,
        text="no",
    )
    events = decided(*waiting(), command=refused)
    assert isinstance(events[0], ChildRejected)
    assert children(events) == [("V2", 100)]


def test_a_suspended_venue_gets_nothing() -> None:
    suspended = VenueSuspended(
        venue_id="V1", reason=RejectReason.VENUE_REJECTS, until_ns=OPEN_NS + SECOND
    )
    events = decided(*opened(), slice_for(), suspended, command=route())
    assert children(events) == [("V2", 100)]


def test_nobody_answers_after_the_uncrossing_and_the_venue_is_asked() -> None:
    command = wake("routing:child:P.1.1", LATE_NS, market=held())
    (asked,) = decided(*waiting(), command=command)
    assert isinstance(asked, ChildCancelRequested)


def test_the_dark_venue_holds_no_auction() -> None:
    books = (venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=()),)
    events = decided(*opened(), slice_for(), command=route(market=market(*books)))
    assert children(events) == []


def test_routing_a_slice_again_changes_nothing() -> None:
    given(ROUTING, *opened(), slice_for()).when(route()).then(
        *decided(*opened(), slice_for(), command=route())
    )
