"""What an owner asked for, obeyed by the router: venues, minimum, display, short mark."""

from typing import Any

from schemas.messages.core import Constraints, Level, RoutingLogic, TimeInForce, VenueKind
from schemas.messages.routing import ChildPlaced, RouteDecided, SliceReturned
from streams.core.market import VenueBook
from streams.routing import ROUTING
from streams.routing.commands import RouteSlice
from tests.support.builders import OPEN_NS, TICK, quote, venue, venue_book
from tests.support.given import given
from tests.support.routing import market, opened, released

WIDE = quote(9_995, 10_005)


def offering(venue_id: str, ask: int, size: int) -> VenueBook:
    return venue_book(venue_id, asks=(Level(price_e9=ask * TICK, quantity=size),))


def route(quantity: int = 100, *, books: tuple[VenueBook, ...] = (), **changes: Any) -> Any:
    wide = {"quote": changes.pop("quote")} if "quote" in changes else {}
    history = (*opened(quantity), released(quantity, **changes))
    command = RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=market(*books, **wide))
    return given(ROUTING, *history).when(command).events()


def children(events: tuple[Any, ...]) -> list[ChildPlaced]:
    return [event for event in events if isinstance(event, ChildPlaced)]


def reasons(events: tuple[Any, ...]) -> dict[str, str]:
    (decided,) = [event for event in events if isinstance(event, RouteDecided)]
    return {alternative.venue_id: alternative.reason for alternative in decided.alternatives}


def test_only_the_owners_venues_are_used() -> None:
    events = route(constraints=Constraints(venue_ids=("V1", "D1")))
    assert [child.venue_id for child in children(events)] == ["V1"]
    assert reasons(events)["V2"] == "not among the owner's venues"


def test_an_excluded_venue_is_never_used() -> None:
    events = route(constraints=Constraints(excluded_venue_ids=("V2",)))
    assert [child.venue_id for child in children(events)] == ["V1"]
    assert reasons(events)["V2"] == "excluded by the owner"


def test_a_slice_that_no_venue_may_take_comes_back_whole() -> None:
    events = route(constraints=Constraints(venue_ids=("NOWHERE",)))
    assert not children(events)
    (returned,) = [event for event in events if isinstance(event, SliceReturned)]
    assert (returned.quantity, returned.is_closed) == (100, True)


def test_a_sweep_leaves_out_venues_that_show_less_than_the_minimum() -> None:
    books = (offering("V1", 10_001, 40), offering("V2", 10_002, 90))
    events = route(
        100, books=books, logic=RoutingLogic.SWEEP, constraints=Constraints(minimum_quantity=50)
    )
    (child,) = children(events)
    assert (child.venue_id, child.quantity, child.minimum_quantity) == ("V2", 90, 50)
    assert child.time_in_force is TimeInForce.IOC


def test_each_part_of_a_sweep_keeps_the_minimum() -> None:
    books = (offering("V1", 10_001, 60), offering("V2", 10_002, 90))
    events = route(
        100, books=books, logic=RoutingLogic.SWEEP, constraints=Constraints(minimum_quantity=50)
    )
    assert {(child.venue_id, child.quantity) for child in children(events)} == {
        ("V1", 50),
        ("V2", 50),
    }


def test_when_less_than_the_minimum_is_left_all_of_it_is_the_minimum() -> None:
    events = route(
        30, logic=RoutingLogic.SWEEP, constraints=Constraints(minimum_quantity=50), quote=WIDE
    )
    (child,) = children(events)
    assert (child.quantity, child.minimum_quantity) == (30, 30)


def test_a_minimum_never_rests_where_it_can_be_hit_in_parts() -> None:
    books = (
        venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=()),
        venue_book("V1"),
    )
    events = route(
        200,
        books=books,
        constraints=Constraints(minimum_quantity=80),
        quote=WIDE,
        is_dark_allowed=True,
    )
    (child,) = children(events)
    assert (child.venue_id, child.quantity, child.minimum_quantity) == ("D1", 100, 80)
    assert reasons(events)["V1"] == "a resting order keeps no minimum"


def test_a_dark_child_smaller_than_the_minimum_is_not_sent() -> None:
    books = (venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=()),)
    events = route(
        100,
        books=books,
        constraints=Constraints(minimum_quantity=80),
        quote=WIDE,
        is_dark_allowed=True,
    )
    assert reasons(events)["D1"] == "below the owner's minimum"


def test_a_resting_child_shows_what_the_owner_wants_shown() -> None:
    (child,) = children(route(100, constraints=Constraints(display_quantity=30)))
    assert (child.quantity, child.display_quantity) == (100, 30)


def test_a_child_no_larger_than_the_display_is_no_iceberg() -> None:
    (child,) = children(route(100, constraints=Constraints(display_quantity=100)))
    assert child.display_quantity == 0


def test_a_sweep_shows_nothing_and_hides_nothing() -> None:
    events = route(
        100, logic=RoutingLogic.SWEEP, constraints=Constraints(display_quantity=30), quote=WIDE
    )
    assert {child.display_quantity for child in children(events)} == {0}


def test_a_short_sale_is_marked_at_the_venue() -> None:
    assert [child.is_short_sale for child in children(route(is_short_sale=True))] == [True]
    assert [child.is_short_sale for child in children(route())] == [False]
