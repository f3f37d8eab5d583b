"""The sweep is optimal: against the reference vector and against brute force."""

import json
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import Level, Side
from streams.core.market import VenueBook
from streams.routing.sweep import Step, SweepVenue, consolidated, split, sweep_venue
from tests.support.builders import venue, venue_book
from tests.support.shared import shared

MILLITICK_E9 = 10_000  # with a tick of 0.01
VECTOR = "quant/vectors/12_sor_scorecard.json"


def vector_books() -> tuple[VenueBook, ...]:
    levels = json.loads(shared(VECTOR).read_text())["sweep"]["levels"]
    books = []
    for name in sorted({level["venue"] for level in levels}):
        own = [level for level in levels if level["venue"] == name]
        asks = tuple(
            Level(price_e9=level["px"] * 1_000 * MILLITICK_E9, quantity=level["size"])
            for level in own
        )
        terms = venue(name, taker_fee_e9=own[0]["fee"] * MILLITICK_E9)
        books.append(venue_book(name, venue=terms, asks=asks))
    return tuple(books)


def swept(quantity: int, limit_ticks: int | None) -> list[list[object]]:
    limit = None if limit_ticks is None else limit_ticks * 1_000 * MILLITICK_E9
    venues = tuple(sweep_venue(book, Side.BUY, limit, 1) for book in vector_books())
    return [
        [step.venue_id, step.price_e9 // (1_000 * MILLITICK_E9), step.quantity]
        for step in split(venues, quantity)
    ]


def test_the_sweep_gives_the_route_of_the_reference_vector() -> None:
    vector = json.loads(shared(VECTOR).read_text())
    sweep, limited = vector["sweep"], vector["sweep_with_limit"]
    assert swept(sweep["Q"], None) == sweep["route"]
    assert swept(sweep["Q"], limited["limit"]) == limited["route"]
    filled = sum(quantity for _, _, quantity in limited["route"])
    assert sweep["Q"] - filled == limited["unfilled"]


def test_the_sweep_costs_what_the_reference_vector_says() -> None:
    sweep = json.loads(shared(VECTOR).read_text())["sweep"]
    venues = tuple(sweep_venue(book, Side.BUY, None, 1) for book in vector_books())
    steps = split(venues, sweep["Q"])
    cost = sum(step.quantity * step.cost_e9 for step in steps)
    assert cost == sweep["all_in_cost_milliticks"] * MILLITICK_E9


def steps_of(venue_id: str) -> st.SearchStrategy[tuple[Step, ...]]:
    """Return at most three steps that never get cheaper."""
    entry = st.tuples(st.integers(1, 3), st.integers(0, 4))

    def build(entries: list[tuple[int, int]]) -> tuple[Step, ...]:
        cost, steps = 10, []
        for quantity, rise in entries:
            cost += rise
            steps.append(Step(venue_id, cost, quantity, cost))
        return tuple(steps)

    return st.lists(entry, max_size=3).map(build)


VENUES = st.tuples(
    *(
        st.builds(SweepVenue, st.just(name), st.integers(0, 4), steps_of(name))
        for name in ("A", "B", "C")
    )
)


def brute_force(venues: tuple[SweepVenue, ...], quantity: int) -> tuple[int, int]:
    """Return the largest fill and its least cost over every quantity per venue."""
    best = (0, 0)
    shown = [sum(step.quantity for step in venue.steps) for venue in venues]
    for quantities in product(*(range(total + 1) for total in shown)):
        is_allowed = sum(quantities) <= quantity and all(
            taken == 0 or taken >= venue.minimum
            for taken, venue in zip(quantities, venues, strict=True)
        )
        if is_allowed:
            cost = sum(cost_of(v, taken) for v, taken in zip(venues, quantities, strict=True))
            best = min(best, (-sum(quantities), cost))
    return best


def cost_of(venue: SweepVenue, quantity: int) -> int:
    """Return what the venue's first `quantity` units cost: an order takes the best prices first."""
    units = [step.cost_e9 for step in venue.steps for _ in range(step.quantity)]
    return sum(units[:quantity])


@given(VENUES, st.integers(0, 16))
@settings(max_examples=400, deadline=None)
def test_no_split_fills_more_or_costs_less(venues: tuple[SweepVenue, ...], quantity: int) -> None:
    steps = split(venues, quantity)
    taken = {v.venue_id: 0 for v in venues}
    for step in steps:
        taken[step.venue_id] += step.quantity
    assert all(not taken[v.venue_id] or taken[v.venue_id] >= v.minimum for v in venues)
    cost = sum(cost_of(v, taken[v.venue_id]) for v in venues)
    assert (-sum(taken.values()), cost) == brute_force(venues, quantity)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 250)), min_size=1, max_size=5),
    st.integers(1, 100),
    st.booleans(),
)
def test_what_a_venue_offers_is_whole_lots_of_what_it_shows_within_the_limit(
    levels: list[tuple[int, int]], lot: int, is_limited: bool
) -> None:
    price = 100
    asks = []
    for rise, size in levels:
        price += rise
        asks.append(Level(price_e9=price, quantity=size))
    limit = asks[len(asks) // 2].price_e9 if is_limited else None
    offered = sweep_venue(venue_book(asks=tuple(asks)), Side.BUY, limit, lot)
    within = [level for level in asks if limit is None or level.price_e9 <= limit]
    shown = sum(level.quantity for level in within)
    assert sum(step.quantity for step in offered.steps) == shown // lot * lot
    assert all(step.quantity % lot == 0 for step in offered.steps)
    assert all(limit is None or step.price_e9 <= limit for step in offered.steps)


@given(st.integers(0, 500), st.integers(1, 100))
def test_a_venues_minimum_is_rounded_up_to_whole_lots(minimum: int, lot: int) -> None:
    book = venue_book(venue=venue(minimum_quantity=minimum))
    offered = sweep_venue(book, Side.BUY, None, lot).minimum
    assert offered % lot == 0
    assert offered == 0 if minimum <= lot else minimum <= offered < minimum + lot


OFFERS = st.tuples(
    st.integers(-2, 2),  # fee
    st.sampled_from((0, 30)),  # fee on notional, parts per million
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 250)), max_size=6),
)


@given(
    st.lists(OFFERS, min_size=1, max_size=5),
    st.integers(0, 12),
    st.sampled_from((1, 7, 100)),
    st.sampled_from((Side.BUY, Side.SELL)),
    st.none() | st.integers(0, 8),
)
@settings(max_examples=300, deadline=None)
def test_merged_levels_are_the_readable_split(
    venues: list[tuple[int, int, list[tuple[int, int]]]],
    lots: int,
    lot: int,
    side: Side,
    reach: int | None,
) -> None:
    """The fast way through the books takes what `split` over `sweep_venue` takes, unit by unit."""
    sign, books = (1 if side is Side.BUY else -1), []
    for ordinal, (fee, ppm, levels) in enumerate(venues):
        price, own = 100_000, []
        for rise, size in levels:
            price += sign * rise
            own.append(Level(price_e9=price * MILLITICK_E9, quantity=size))
        shown: dict[str, Any] = {"asks": tuple(own)} if sign > 0 else {"bids": tuple(own)}
        terms = venue(f"V{ordinal}", taker_fee_e9=fee * MILLITICK_E9, taker_fee_ppm=ppm)
        books.append(venue_book(f"V{ordinal}", venue=terms, **shown))
    limit = None if reach is None else (100_000 + sign * reach) * MILLITICK_E9
    taken, parts = consolidated(books, side, limit, lot, lots * lot)
    steps = split(tuple(sweep_venue(book, side, limit, lot) for book in books), lots * lot)
    assert [part[:2] for part in parts] == [(step.cost_e9, step.quantity) for step in steps]
    expected: dict[str, tuple[int, int, int, int]] = {}
    for step in steps:
        before = expected.get(step.venue_id, (0, 0, 0, step.cost_e9))
        expected[step.venue_id] = (
            before[0] + step.quantity,
            step.price_e9,
            before[2] + step.quantity * step.price_e9,
            before[3],
        )
    found = {books[each.rank].venue.venue_id: tuple(each[1:]) for each in taken}
    assert found == expected
