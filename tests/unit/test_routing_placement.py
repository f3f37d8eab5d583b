"""Where a slice goes: dark first, the near touch by score, or through the book by all-in price."""

from typing import Any

import pytest

from schemas.messages.core import (
    BookState,
    Cause,
    OrderType,
    RejectReason,
    RoutingLogic,
    Side,
    TickBand,
    TimeInForce,
    VenueKind,
)
from schemas.messages.routing import ChildPlaced, RouteDecided, SliceReturned, VenueSuspended
from streams.core.market import VenueBook
from streams.routing import ROUTING
from streams.routing.commands import RouteSlice
from streams.routing.placement import CHILDREN_PER_SLICE_MAX
from tests.support.builders import OPEN_NS, SECOND, TICK, instrument, quote, venue, venue_book
from tests.support.given import given
from tests.support.routing import (
    DEADLINE_NS,
    acknowledged,
    canceled,
    market,
    opened,
    placed,
    released,
    returned,
)

ROUTE = RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=market())
WIDE = quote(9_995, 10_005)


def lit(venue_id: str, **terms: Any) -> VenueBook:
    return venue_book(venue_id, venue=venue(venue_id, **terms))


def children(events: tuple[Any, ...]) -> list[ChildPlaced]:
    return [event for event in events if isinstance(event, ChildPlaced)]


def reasons(events: tuple[Any, ...]) -> dict[str, str]:
    (decided,) = [event for event in events if isinstance(event, RouteDecided)]
    return {alternative.venue_id: alternative.reason for alternative in decided.alternatives}


def route(*history: Any, **changes: Any) -> tuple[Any, ...]:
    """Route P.1 of `history`; every command is sent twice and must say nothing the second time."""
    command = RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=market(**changes))
    events = given(ROUTING, *history).when(command).events()
    given(ROUTING, *history).when(command).then(*events)
    return events


def test_a_slice_rests_at_the_near_touch_of_the_venue_that_rebates_most() -> None:
    (child,) = children(route(*opened(), released()))
    assert child == placed(venue_id="V2")


# side, limit in ticks, quote in ticks, price in ticks
@pytest.mark.parametrize(
    ("side", "limit", "bid", "ask", "price"),
    [
        (Side.BUY, None, 9_999, 10_001, 9_999),
        (Side.BUY, 9_998, 9_999, 10_001, 9_998),
        (Side.BUY, None, 10_001, 10_001, 10_000),
        (Side.SELL, None, 9_999, 10_001, 10_001),
        (Side.SELL, 10_004, 9_999, 10_001, 10_004),
        (Side.SELL, None, 10_001, 10_001, 10_002),
    ],
)
def test_a_resting_price_joins_the_touch_within_the_limit_and_never_takes(
    side: Side, limit: int | None, bid: int, ask: int, price: int
) -> None:
    limit_e9 = None if limit is None else limit * TICK
    history = (*opened(), released(side=side, limit_price_e9=limit_e9))
    (child,) = children(route(*history, quote=quote(bid, ask)))
    assert (child.price_e9, child.time_in_force) == (price * TICK, TimeInForce.DAY)


@pytest.mark.parametrize(
    ("side", "limit", "bid", "ask", "price"),
    [
        (Side.BUY, None, 10_000, 10_000, 9_999),  # below the bound the tick is 0.01
        (Side.SELL, None, 10_000, 10_000, 10_005),  # from the bound on 0.05
        (Side.BUY, 10_013, 10_015, 10_020, 10_010),  # a limit of before a change of ticks
        (Side.SELL, 10_013, 10_005, 10_010, 10_015),
    ],
)
def test_a_resting_price_is_on_the_grid_of_its_price_band(
    side: Side, limit: int | None, bid: int, ask: int, price: int
) -> None:
    bands = (TickBand(from_price_e9=10_000 * TICK, tick_e9=5 * TICK),)
    limit_e9 = None if limit is None else limit * TICK
    history = (*opened(), released(side=side, limit_price_e9=limit_e9))
    terms = instrument(tick_bands=bands)
    found = children(route(*history, quote=quote(bid, ask), instrument=terms))
    assert {child.price_e9 for child in found} == {price * TICK}


def test_half_of_a_slice_tries_the_dark_venue_first_when_the_spread_is_wide() -> None:
    books = (
        venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=()),
        venue_book("V1", size=10_000),
        venue_book("V2", venue=venue("V2", maker_fee_e9=-3_000_000), size=10_000),
    )
    history = (*opened(), released(is_dark_allowed=True))
    dark, rest = children(route(*history, quote=WIDE, books=books))
    assert (dark.venue_id, dark.quantity, dark.order_type) == ("D1", 50, OrderType.MIDPOINT)
    assert (dark.minimum_quantity, dark.price_e9) == (12, None)
    assert dark.rest_until_ns == OPEN_NS + 3 * SECOND
    assert (rest.venue_id, rest.quantity, rest.order_type) == ("V2", 50, OrderType.LIMIT)


@pytest.mark.parametrize(
    ("changes", "released_changes", "reason"),
    [
        ({"quote": WIDE}, {"is_dark_allowed": False}, "dark not allowed"),
        ({"quote": quote(9_999, 10_000)}, {"is_dark_allowed": True}, "spread not worth it"),
        (
            {"quote": WIDE},
            {"is_dark_allowed": True, "limit_price_e9": 9_999 * TICK},
            "midpoint beyond the limit",
        ),
        (
            {"quote": WIDE},
            {"is_dark_allowed": True, "quantity": 1},
            "below the venue's minimum",
        ),
    ],
)
def test_the_dark_venue_is_passed_over_with_a_reason(
    changes: dict[str, Any], released_changes: dict[str, Any], reason: str
) -> None:
    events = route(*opened(), released(**released_changes), **changes)
    assert reasons(events)["D1"] == reason


E9 = 1_000_000_000


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spread_bps_e9": E9}, "spread far beyond its median"),
        ({"spread_bps_e9": 2 * E9}, ""),  # just three times as wide as usual
        ({"spread_bps_e9": 0}, ""),  # nothing is known of what is usual
        ({"quote": quote(9_997, 10_003, at_ns=OPEN_NS - 49_000_000)}, "quote too young"),
        ({"quote": quote(9_997, 10_003, at_ns=OPEN_NS - 50_000_000)}, ""),
        ({"quote": quote(9_997, 10_003, at_ns=OPEN_NS)}, ""),  # a tape: the age is not known
    ],
)
def test_nobody_waits_at_a_midpoint_that_may_not_be_one(
    changes: dict[str, Any], reason: str
) -> None:
    usual = {"quote": quote(9_997, 10_003)}  # six basis points wide
    events = route(*opened(), released(is_dark_allowed=True), **{**usual, **changes})
    if reason:
        assert reasons(events)["D1"] == reason
    else:
        assert children(events)[0].venue_id == "D1"


def test_a_dark_venue_is_tried_once_per_slice() -> None:
    dark = placed(
        venue_id="D1", quantity=100, order_type=OrderType.MIDPOINT, rest_until_ns=OPEN_NS + SECOND
    )
    history = (*opened(), released(is_dark_allowed=True), dark, canceled(100, venue_id="D1"))
    assert reasons(route(*history, quote=WIDE))["D1"] == "tried before"


def test_a_reroute_goes_to_the_venue_tried_least() -> None:
    history = (*opened(), released(), placed(venue_id="V2"), canceled(100, venue_id="V2"))
    (child,) = children(route(*history))
    assert (child.child_id, child.venue_id) == ("P.1.2", "V1")


def test_the_scorecard_moves_flow_away_from_a_venue_that_does_not_fill() -> None:
    """Terms are equal, so the first venue by name wins until it disappoints."""
    books = (venue_book("V1", size=10_000), venue_book("V2", size=10_000))  # one absorbs it
    state = ROUTING.fold(opened(1_000))
    choices = []
    for ordinal in range(1, 7):
        ids: dict[str, Any] = {"slice_id": f"P.{ordinal}"}
        ROUTING.evolve(state, released(**ids))
        command = RouteSlice(slice_id=f"P.{ordinal}", at_ns=OPEN_NS, market=market(*books))
        events = ROUTING.decide(state, command)
        ROUTING.fold(events, state)
        (child,) = children(events)
        choices.append(child.venue_id)
        ids |= {"child_id": child.child_id, "venue_id": child.venue_id}
        ROUTING.evolve(state, acknowledged(**ids, ack_latency_ns=2_000_000))
        ROUTING.evolve(state, canceled(100, **ids))
        ROUTING.evolve(state, returned(100, slice_id=f"P.{ordinal}"))
    assert choices == ["V1", "V2", "V1", "V2", "V1", "V2"]
    assert state.reports == 12


def test_a_suspended_venue_is_used_again_when_its_time_is_over() -> None:
    suspended = VenueSuspended(
        venue_id="V2", reason=RejectReason.VENUE_REJECTS, until_ns=OPEN_NS + SECOND
    )
    history = (*opened(), released(), suspended)
    assert reasons(route(*history))["V2"] == "suspended"
    later = RouteSlice(slice_id="P.1", at_ns=OPEN_NS + SECOND, market=market())
    (child,) = children(given(ROUTING, *history).when(later).events())
    assert child.venue_id == "V2"


# What makes every venue unusable returns the slice at once.
@pytest.mark.parametrize(
    "changes",
    [
        {"quote": None},
        {"books": (venue_book("V1", state=BookState.HALTED),)},
        {"books": (venue_book("V1", state=BookState.CLOSED),)},
        {"books": (lit("V1", minimum_quantity=101),)},
        {"books": ()},
    ],
    ids=["no quote", "halted", "closed", "minimum", "no venue"],
)
@pytest.mark.parametrize("logic", [RoutingLogic.SEQUENTIAL, RoutingLogic.SWEEP])
def test_a_slice_that_no_venue_takes_comes_back_at_once(
    changes: dict[str, Any], logic: RoutingLogic
) -> None:
    events = route(*opened(), released(logic=logic), **changes)
    assert isinstance(events[0], RouteDecided)
    assert events[1:] == (returned(100),)


@pytest.mark.parametrize("logic", [RoutingLogic.SEQUENTIAL, RoutingLogic.SWEEP])
def test_less_than_a_lot_goes_out_as_it_is(logic: RoutingLogic) -> None:
    """What an odd fill leaves would otherwise come back for ever."""
    lots = instrument(lot=100)
    slice_ = released(37, logic=logic)
    (child,) = children(route(*opened(37), slice_, instrument=lots))
    assert child.quantity == 37
    slice_ = released(250, logic=logic)
    events = route(*opened(250), slice_, instrument=lots)
    assert sum(child.quantity for child in children(events)) == 200


def test_a_slice_routed_after_its_deadline_comes_back() -> None:
    command = RouteSlice(slice_id="P.1", at_ns=DEADLINE_NS, market=market())
    given(ROUTING, *opened(), released()).when(command).then(returned(100, cause=Cause.DEADLINE))


def test_a_slice_gives_up_after_its_last_child() -> None:
    history = [*opened(), released()]
    for ordinal in range(1, CHILDREN_PER_SLICE_MAX + 1):
        child_id = f"P.1.{ordinal}"
        history += [placed(child_id), canceled(100, child_id=child_id)]
    assert route(*history)[1:] == (returned(100),)


def test_a_sweep_takes_the_cheapest_all_in_within_the_limit_and_returns_the_rest() -> None:
    books = (
        venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=()),
        venue_book("V1", size=30, venue=venue("V1", taker_fee_e9=3_000_000)),
        venue_book("V2", size=30, venue=venue("V2", taker_fee_e9=-1_000_000)),
    )
    history = (
        *opened(200),
        released(200, logic=RoutingLogic.SWEEP, limit_price_e9=10_002 * TICK),
    )
    events = route(*history, books=books)
    assert [(c.venue_id, c.quantity, c.price_e9) for c in children(events)] == [
        ("V2", 60, 10_002 * TICK),
        ("V1", 60, 10_002 * TICK),
    ]
    assert {child.time_in_force for child in children(events)} == {TimeInForce.IOC}
    assert events[-1] == returned(80, is_closed=False)
    assert reasons(events)["D1"] == "dark not allowed"


def test_a_sell_sweep_takes_the_highest_bids_net_of_fees() -> None:
    books = (
        venue_book("V1", 9_999, 10_001, venue=venue("V1", taker_fee_e9=30_000_000)),
        venue_book("V2", 9_998, 10_001, venue=venue("V2", taker_fee_e9=0)),
    )
    history = (*opened(), released(side=Side.SELL, logic=RoutingLogic.SWEEP))
    (child,) = children(route(*history, books=books))
    assert (child.venue_id, child.price_e9) == ("V2", 9_998 * TICK)


def test_children_carry_the_self_trade_id_and_the_arrival_price() -> None:
    for logic in (RoutingLogic.SEQUENTIAL, RoutingLogic.SWEEP):
        events = route(*opened(), released(logic=logic, self_trade_id="T1/ACME"))
        for child in children(events):
            assert child.self_trade_id == "T1/ACME"
            assert child.arrival_price_e9 == 10_000 * TICK


def test_a_decision_names_every_venue_and_every_book() -> None:
    books = (
        venue_book("V1", event_id=b"1" * 16),
        venue_book("V2", event_id=b"2" * 16, state=BookState.HALTED),
    )
    events = route(*opened(), released(), books=books)
    assert events[0].book_event_ids == (b"1" * 16, b"2" * 16)
    assert reasons(events) == {"V2": "halted", "V1": "best score after 0 attempts"}
    assert list(reasons(events)) == ["V1", "V2"]
    assert not any(isinstance(event, SliceReturned) for event in events)
