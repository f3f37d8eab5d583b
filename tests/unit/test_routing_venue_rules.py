"""Routing obeys what a venue says of itself, and says in the decision why it was passed over."""

from typing import Any

import pytest

from schemas.messages.core import (
    BookState,
    Cause,
    FeeTier,
    OrderType,
    RoutingLogic,
    SelfTradeRule,
    Side,
    VenueKind,
)
from schemas.messages.routing import (
    ChildCancelDeferred,
    ChildCancelRequested,
    ChildPlaced,
    RouteDecided,
    SliceDeferred,
    SliceReturned,
)
from streams.core.market import Venue
from streams.routing import ROUTING, RoutingState
from streams.routing.commands import CancelChildren, RouteSlice
from tests.support.builders import OPEN_NS, SECOND, TICK, venue, venue_book
from tests.support.routing import (
    acknowledged,
    market,
    opened,
    placed,
    released,
    wake,
)

FEES = {"taker_fee_e9": 0, "maker_fee_e9": -9_000_000}


def route(*books: Any, history: tuple[Any, ...] = (), **changes: Any) -> list[Any]:
    """Return what becomes of a slice of 100 with these books."""
    state = ROUTING.fold((*opened(1_000), *history, released(100, slice_id="P.9", **changes)))
    return _route(state, books)


def _route(state: RoutingState, books: tuple[Any, ...], at_ns: int = OPEN_NS) -> list[Any]:
    command = RouteSlice(slice_id="P.9", at_ns=at_ns, market=market(*books))
    return list(ROUTING.decide(state, command))


def reason(events: list[Any], venue_id: str) -> str:
    decided = next(event for event in events if isinstance(event, RouteDecided))
    return next(each.reason for each in decided.alternatives if each.venue_id == venue_id)


def children(events: list[Any]) -> list[ChildPlaced]:
    return [event for event in events if isinstance(event, ChildPlaced)]


V2 = venue_book("V2")
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "order type": ({"order_types": (OrderType.MARKET,)}, {}, "takes no limit orders"),
    "lot": ({"lot": 300}, {}, "less than the venue's lot of 300"),
    "minimum": ({"minimum_quantity": 101}, {}, "below the venue's minimum"),
    "session": ({}, {"state": BookState.CLOSED}, "closed"),
    "auction": ({}, {"state": BookState.AUCTION}, "auction"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_venue_that_does_not_take_the_child_is_passed_over_with_its_rule(name: str) -> None:
    terms, book, expected = REFUSED[name]
    events = route(venue_book("V1", venue=venue("V1", **FEES, **terms), **book), V2)
    assert reason(events, "V1") == expected
    assert [child.venue_id for child in children(events)] == ["V2"]


def test_price_and_quantity_follow_the_venues_own_grid() -> None:
    book = venue_book("V1", venue=venue("V1", **FEES, tick_e9=5 * TICK, lot=30))
    for side, price in ((Side.BUY, 9_995 * TICK), (Side.SELL, 10_005 * TICK)):
        events = route(book, side=side)
        (child,) = children(events)
        assert (child.quantity, child.price_e9) == (90, price)
        (back,) = [event for event in events if isinstance(event, SliceReturned)]
        assert back.quantity == 10


TIERED = Venue(
    venue_id="V1",
    kind=VenueKind.LIT,
    taker_fee_e9=3,
    maker_fee_e9=-2,
    taker_fee_ppm=0,
    maker_fee_ppm=0,
    minimum_quantity=1,
    latency_ns=0,
    month_quantity=50,
    fee_tiers=(
        FeeTier(from_quantity=100, taker_fee_e9=2, maker_fee_e9=-3),
        FeeTier(from_quantity=500, taker_fee_e9=1, maker_fee_e9=-4),
    ),
)


@pytest.mark.parametrize(
    ("own", "fees"), [(0, (3, -2)), (49, (3, -2)), (50, (2, -3)), (449, (2, -3)), (450, (1, -4))]
)
def test_fees_are_those_of_the_tier_that_own_volume_has_reached(
    own: int, fees: tuple[int, int]
) -> None:
    terms = TIERED.at_quantity(own)
    assert (terms.taker_fee_e9, terms.maker_fee_e9) == fees


@pytest.mark.parametrize(
    ("rule", "venue_id"),
    [
        (SelfTradeRule.NONE, "V2"),
        (SelfTradeRule.CANCEL_NEWEST, "V2"),
        (SelfTradeRule.CANCEL_BOTH, "V2"),
        (SelfTradeRule.CANCEL_OLDEST, "V1"),
        (SelfTradeRule.UNKNOWN, "V1"),
    ],
)
def test_a_child_is_not_sent_to_meet_our_own(rule: SelfTradeRule, venue_id: str) -> None:
    resting = (
        released(100, side=Side.SELL),
        placed(quantity=100, side=Side.SELL, price_e9=10_001 * TICK),
        acknowledged(),
    )
    own = venue_book("V1", venue=venue("V1", **FEES, self_trade_rule=rule))
    events = route(own, V2, history=resting, logic=RoutingLogic.SWEEP)
    assert [child.venue_id for child in children(events)] == [venue_id]
    if venue_id == "V2":
        assert reason(events, "V1") == "would meet our own order"


def test_a_child_that_is_too_young_is_not_canceled_and_the_wish_is_kept() -> None:
    book = venue_book("V1", venue=venue("V1", cancel_after_ns=3 * SECOND, latency_ns=SECOND))
    state = ROUTING.fold((*opened(), released()))
    command = RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=market(book))
    ROUTING.fold(ROUTING.decide(state, command), state)
    ask = CancelChildren(parent_id="P", cause=Cause.CLIENT, at_ns=OPEN_NS + SECOND)
    (wish,) = ROUTING.decide(state, ask)
    assert isinstance(wish, ChildCancelDeferred)
    assert wish.due_ns == OPEN_NS + 4 * SECOND
    ROUTING.evolve(state, wish)
    assert ROUTING.decide(state, ask) == ()
    assert ROUTING.decide(state, wake("routing:child:P.1.1", OPEN_NS + 3 * SECOND)) == ()
    (request,) = ROUTING.decide(state, wake("routing:child:P.1.1", wish.due_ns))
    assert isinstance(request, ChildCancelRequested)
    assert request.cause is Cause.CLIENT


BUSY = venue_book("V1", venue=venue("V1", **FEES, messages_per_s=5))


def placing(count: int) -> RoutingState:
    """Return a state in which so many children went to V1 at once."""
    state = ROUTING.fold(opened(1_000))
    for n in range(1, count + 1):
        ROUTING.evolve(state, released(10, slice_id=f"P.{n}"))
        child = placed(f"P.{n}.1", 10, slice_id=f"P.{n}", messages_per_s=5)
        ROUTING.evolve(state, child)
    ROUTING.evolve(state, released(100, slice_id="P.9"))
    return state


def test_a_throttled_venue_is_passed_over_and_the_child_goes_elsewhere() -> None:
    events = _route(placing(4), (BUSY, V2))
    assert reason(events, "V1") == "throttled: 5 messages a second"
    assert [child.venue_id for child in children(events)] == ["V2"]


def test_a_child_for_which_only_a_throttled_venue_is_there_waits_and_is_not_lost() -> None:
    state = placing(4)
    events = _route(state, (BUSY,))
    wait = events[-1]
    assert isinstance(wait, SliceDeferred)
    assert (wait.quantity, wait.due_ns) == (100, OPEN_NS + SECOND)
    ROUTING.fold(events, state)
    later = wake("routing:wait:P.9", wait.due_ns, market=market(BUSY))
    assert [child.quantity for child in children(list(ROUTING.decide(state, later)))] == [100]


def test_a_slice_that_ends_while_it_waits_gives_everything_back() -> None:
    state = placing(4)
    ROUTING.fold(_route(state, (BUSY,)), state)
    events = ROUTING.decide(state, wake("routing:slice:P.9", OPEN_NS + 300 * SECOND))
    assert [(type(event), event.quantity) for event in events] == [(SliceReturned, 100)]


def test_the_last_fifth_of_a_bound_is_for_cancels() -> None:
    state = placing(4)
    ask = CancelChildren(parent_id="P", cause=Cause.CLIENT, at_ns=OPEN_NS)
    events = [each for each in ROUTING.decide(state, ask) if not isinstance(each, SliceReturned)]
    kinds = [type(event) for event in events]
    assert kinds == [ChildCancelRequested] + [ChildCancelDeferred] * 3
    assert {event.due_ns for event in events[1:]} == {OPEN_NS + SECOND}


def test_any_second_holds_at_most_the_bound() -> None:
    state = placing(4)
    at_ns = OPEN_NS + SECOND - 1  # not yet a second after the first four
    assert isinstance(_route(state, (BUSY,), at_ns)[-1], SliceDeferred)
    assert children(_route(state, (BUSY,), OPEN_NS + SECOND))
