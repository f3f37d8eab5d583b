"""A child that follows the quote: moved when it is worth it, kept otherwise, never run after."""

from typing import Any

import pytest

from schemas.messages.core import Cause, ExecType, Level, OrderStatus, Side, Tactic
from schemas.messages.routing import ChildCancelRequested, ChildPlaced
from streams.routing import ROUTING, RoutingState
from streams.routing.commands import RepriceChildren
from streams.routing.pegging import LIFE_MIN_NS, REPRICES_PER_FILL_MAX, hysteresis_e9
from streams.routing.resting import PRIOR_FILLS, PRIOR_NS, Hazard, RestingChildren, fill_hazard_e9
from tests.support.builders import ACME, OPEN_NS, SECOND, TICK, instrument, quote, venue_book
from tests.support.given import given
from tests.support.routing import (
    DEADLINE_NS,
    acknowledged,
    booked,
    cancel_requested,
    canceled,
    market,
    opened,
    placed,
    released,
    report,
)

LATER_NS = OPEN_NS + 2 * SECOND  # past the first second and every jitter
REST_NS = DEADLINE_NS - SECOND


def levels(price: int, size: int = 500) -> tuple[Level, ...]:
    return (Level(price_e9=price * TICK, quantity=size),)


def books(bid: int, ask: int, *, own: int = 0) -> Any:
    """Return a market whose V1 also shows our `own` quantity at 99.99."""
    bids = levels(bid)
    if own:
        ours = levels(9_999, own)
        bids = (*ours, *bids) if bid < 9_999 else (*bids, *ours)
    return market(
        venue_book("V1", bids=bids, asks=levels(ask)),
        venue_book("V2", bids=levels(bid), asks=levels(ask)),
        quote=quote(bid=max(bid, 9_999) if own else bid, ask=ask),
    )


def pegged(tactic: Tactic = Tactic.PEG, **changes: Any) -> tuple[Any, ...]:
    """Return a child at 99.99 that follows, alive since the open."""
    child = placed(tactic=tactic, rest_until_ns=REST_NS, **changes)
    return (*opened(), released(tactic=tactic), child, acknowledged())


def moved(
    *history: Any, bid: int, ask: int, at_ns: int = LATER_NS, own: int = 100
) -> tuple[Any, ...]:
    command = RepriceChildren(instrument_id=ACME, at_ns=at_ns, market=books(bid, ask, own=own))
    return given(ROUTING, *history).when(command).events()


def test_a_quote_that_flickers_by_one_tick_moves_nothing() -> None:
    assert moved(*pegged(), bid=10_000, ask=10_002) == ()
    assert moved(*pegged(), bid=9_998, ask=10_000) == ()


def test_a_quote_that_has_moved_asks_the_child_back_first() -> None:
    (request,) = moved(*pegged(), bid=10_003, ask=10_005)
    assert isinstance(request, ChildCancelRequested)
    assert (request.child_id, request.cause) == ("P.1.1", Cause.PRICE)


def test_nothing_is_placed_before_the_cancel_is_acknowledged() -> None:
    """Defect D1: the quantity is live until the venue says otherwise."""
    history = (*pegged(), *moved(*pegged(), bid=10_003, ask=10_005))
    assert moved(*history, bid=10_009, ask=10_011) == ()
    state = ROUTING.fold(history)
    assert state.slices["P.1"].unplaced == 0
    assert state.children["P.1.1"].exposure == 100


def test_after_the_acknowledgment_it_stands_at_the_new_price() -> None:
    history = (*pegged(), *moved(*pegged(), bid=10_003, ask=10_005))
    answer = report_canceled(market=books(10_003, 10_005))
    events = given(ROUTING, *history).when(answer).events()
    (child,) = [event for event in events if isinstance(event, ChildPlaced)]
    assert (child.price_e9, child.venue_id) == (10_003 * TICK, "V2")  # the best, as at first
    assert (child.tactic, child.quantity) == (Tactic.PEG, 100)


def report_canceled(**changes: Any) -> Any:
    return report(
        ExecType.CANCELED, order_status=OrderStatus.CANCELED, at_ns=LATER_NS + SECOND, **changes
    )


def test_a_child_that_leads_alone_goes_back_with_the_market() -> None:
    """The best bid is our own: a peg to it would never move again."""
    (request,) = moved(*pegged(), bid=9_990, ask=9_993)
    assert request.cause is Cause.PRICE


@pytest.mark.parametrize("tactic", [Tactic.JOIN, Tactic.IMPROVE, Tactic.UNKNOWN])
def test_a_child_that_does_not_follow_stays(tactic: Tactic) -> None:
    assert moved(*pegged(tactic), bid=10_003, ask=10_005) == ()


def test_a_young_child_and_one_about_to_end_are_kept() -> None:
    early = OPEN_NS + LIFE_MIN_NS - 1
    assert moved(*pegged(), bid=10_003, ask=10_005, at_ns=early) == ()
    late = REST_NS - SECOND // 2
    assert moved(*pegged(), bid=10_003, ask=10_005, at_ns=late) == ()


def test_a_price_that_runs_away_is_not_run_after() -> None:
    # Five ticks from the first price, or two spreads of four ticks.
    (request,) = moved(*pegged(), bid=10_030, ask=10_032)
    answer = report_canceled(market=books(10_030, 10_032))
    events = given(ROUTING, *pegged(), request).when(answer).events()
    (child,) = [event for event in events if isinstance(event, ChildPlaced)]
    assert child.price_e9 == 10_004 * TICK
    history = (*pegged(), request, canceled(100), child, acknowledged(child_id=child.child_id))
    assert moved(*history, bid=10_060, ask=10_062, at_ns=LATER_NS + 9 * SECOND, own=0) == ()


def test_the_limit_holds_wherever_the_quote_goes() -> None:
    slice_ = released(tactic=Tactic.PEG, limit_price_e9=10_001 * TICK)
    child = placed(tactic=Tactic.PEG, rest_until_ns=REST_NS)
    history = (*opened(), slice_, child, acknowledged())
    (request,) = moved(*history, bid=10_004, ask=10_006)
    answer = report_canceled(market=books(10_004, 10_006))
    events = given(ROUTING, *history, request).when(answer).events()
    (again,) = [event for event in events if isinstance(event, ChildPlaced)]
    assert again.price_e9 == 10_001 * TICK


def test_reprices_between_two_fills_are_bounded() -> None:
    state = ROUTING.fold(pegged())
    state.resting.reprices["P"] = REPRICES_PER_FILL_MAX
    command = RepriceChildren(instrument_id=ACME, at_ns=LATER_NS, market=books(10_003, 10_005))
    assert ROUTING.decide(state, command) == ()
    ROUTING.evolve(state, booked("e1", 10))
    assert len(ROUTING.decide(state, command)) == 1


def test_without_a_quote_or_a_child_that_follows_nothing_is_asked() -> None:
    none = RepriceChildren(instrument_id=ACME, at_ns=LATER_NS, market=market(quote=None))
    assert given(ROUTING, *pegged()).when(none).events() == ()
    other = RepriceChildren(instrument_id="OTHER", at_ns=LATER_NS, market=books(1, 9))
    assert given(ROUTING, *pegged()).when(other).events() == ()


def test_the_hysteresis_is_what_the_place_in_the_queue_is_worth() -> None:
    wide, terms = quote(bid=9_990, ask=10_010), instrument()
    none = hysteresis_e9(terms, wide, 9_990 * TICK, 0, 10 * SECOND)
    likely = hysteresis_e9(terms, wide, 9_990 * TICK, 200_000_000, 10 * SECOND)
    soon = hysteresis_e9(terms, wide, 9_990 * TICK, 200_000_000, 2 * SECOND)
    assert none == TICK  # never less than the flicker of a quote
    assert 17 * TICK < likely < 18 * TICK  # 1 - 0.8 ** 10 of twenty ticks
    assert 7 * TICK < soon < 8 * TICK
    # It moves for eight ticks with two seconds left and not with ten.


def test_what_follows_is_counted_until_it_is_gone() -> None:
    state = ROUTING.fold(pegged())
    assert state.resting.following == {ACME: 1}
    ROUTING.fold((cancel_requested(cause=Cause.PRICE), canceled(100)), state)
    assert (state.resting.following, state.resting.children) == ({}, {})
    assert state.slices["P.1"].attempts == {"V1": 0}  # it goes back there
    assert state.resting.anchors == {"P.1": 9_999 * TICK}


def test_a_full_fill_leaves_nothing_behind() -> None:
    state = ROUTING.fold((*pegged(), booked("e1", 100, transact_ns=OPEN_NS + 4 * SECOND)))
    assert state.resting.children == {}
    assert state.resting.anchors == {}
    assert state.resting.hazards[f"{ACME}/PEG"] == Hazard(1_000_000_000, 4 * SECOND)


def test_the_hazard_begins_with_its_prior_and_follows_what_is_met() -> None:
    known = RestingChildren()
    prior = fill_hazard_e9(known, ACME, Tactic.JOIN)
    rate = PRIOR_FILLS * 1_000_000_000 * SECOND // PRIOR_NS
    assert prior == rate * 1_000_000_000 // (1_000_000_000 + rate // 2)
    fast, slow = Hazard(), Hazard()
    for _ in range(20):
        fast.see(2 * SECOND, is_filled=True)
        slow.see(15 * SECOND, is_filled=False)
    known.hazards = {"A/JOIN": fast, "B/JOIN": slow}
    met, missed = (fill_hazard_e9(known, name, Tactic.JOIN) for name in "AB")
    assert missed < prior < met
    assert 200_000_000 < met < 450_000_000
    assert missed < 10_000_000


def test_a_wait_is_counted_once() -> None:
    rested = (*pegged(), cancel_requested(retry_ns=OPEN_NS + 15 * SECOND))  # asked after ten
    state: RoutingState = ROUTING.fold((*rested, booked("e1", 100, transact_ns=OPEN_NS + SECOND)))
    assert state.resting.hazards[f"{ACME}/PEG"] == Hazard(0, 10 * SECOND)


def test_sides_are_mirrored() -> None:
    child = placed(tactic=Tactic.PEG, rest_until_ns=REST_NS, side=Side.SELL, price_e9=10_001 * TICK)
    slice_ = released(tactic=Tactic.PEG, side=Side.SELL)
    history = (*opened(side=Side.SELL), slice_, child, acknowledged())
    assert moved(*history, bid=9_998, ask=10_000, own=0) == ()
    (request,) = moved(*history, bid=9_993, ask=9_995, own=0)
    assert request.cause is Cause.PRICE
