"""Laws of the routing logics over random slices, venues and records."""

import json
from itertools import product
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from schemas.messages.core import (
    Constraints,
    Level,
    OrderKind,
    OrderType,
    RoutingLogic,
    Side,
    Urgency,
    VenueKind,
)
from schemas.messages.routing import ChildPlaced, RouteDecided, SliceReturned
from streams.core.bucket import cell_key
from streams.core.market import VenueBook
from streams.routing import ROUTING
from streams.routing.commands import RouteSlice
from streams.routing.logics.tails import Segment, share_out
from streams.routing.state import Record
from streams.routing.sweep import all_in_e9, consolidated
from tests.support.builders import ACME, OPEN_NS, TICK, instrument, quote, venue, venue_book
from tests.support.routing import market, opened, released
from tests.support.shared import shared

E9 = 1_000_000_000
LOGICS = (
    RoutingLogic.SEQUENTIAL,
    RoutingLogic.SWEEP,
    RoutingLogic.PARALLEL,
    RoutingLogic.LIQUIDITY_SEEKING,
    RoutingLogic.PASSIVE_SPLIT,
)


@st.composite
def books(draw: st.DrawFn) -> tuple[VenueBook, ...]:
    """Return up to three lit and two dark venues with terms of all kinds."""
    found = []
    for name in ("V1", "V2", "V3")[: draw(st.integers(1, 3))]:
        terms = venue(
            name,
            taker_fee_e9=draw(st.integers(-3, 3)) * 1_000_000,
            maker_fee_e9=draw(st.integers(-3, 3)) * 1_000_000,
            minimum_quantity=draw(st.sampled_from((0, 0, 0, 30))),
            order_types=draw(st.sampled_from(((), (OrderType.MIDPOINT,)))),
            lot=draw(st.sampled_from((0, 0, 20))),
        )
        steps = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
        sizes = draw(st.lists(st.integers(1, 400), min_size=len(steps), max_size=len(steps)))
        found.append(
            venue_book(
                name,
                venue=terms,
                bids=_levels(9_999, -1, steps, sizes),
                asks=_levels(10_001, 1, steps, sizes),
            )
        )
    for name in ("D1", "D2")[: draw(st.integers(0, 2))]:
        terms = venue(name, kind=VenueKind.DARK, minimum_quantity=draw(st.sampled_from((0, 40))))
        found.append(venue_book(name, venue=terms, bids=(), asks=()))
    return tuple(found)


def _levels(first: int, sign: int, steps: list[int], sizes: list[int]) -> tuple[Level, ...]:
    price, found = first, []
    for step, size in zip(steps, sizes, strict=True):
        found.append(Level(price_e9=price * TICK, quantity=size))
        price += sign * step
    return tuple(found)


RECORDS = st.builds(
    Record,
    st.just(3),
    st.just(20 * E9),
    st.integers(0, E9),
    st.integers(0, E9 // 2),
    st.integers(0, 5 * E9),
    st.integers(0, 5 * E9),
    st.none() | st.integers(-E9, 5 * E9),
    st.none() | st.integers(0, E9),
    st.integers(-E9, 2 * E9),
    st.integers(-E9, E9),
    st.just((1, 10, 100, 1_000)),
    st.lists(st.integers(0, E9), min_size=4, max_size=4).map(
        lambda chances: tuple(sorted(chances, reverse=True))
    ),
    st.lists(st.integers(0, 20 * E9), min_size=4, max_size=4).map(tuple),
)


@given(
    books=books(),
    records=st.lists(RECORDS, min_size=15, max_size=15),
    quantity=st.integers(1, 3_000),
    lot=st.sampled_from((1, 10, 100)),
    logic=st.sampled_from(LOGICS),
    side=st.sampled_from((Side.BUY, Side.SELL)),
    urgency=st.sampled_from((Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT)),
    budget=st.sampled_from((0, 0, 50, 1_000)),
    minimum=st.sampled_from((0, 0, 100)),
    half=st.integers(1, 6),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_logic_exposes_more_than_the_slice_and_its_budget(
    *,
    books: tuple[VenueBook, ...],
    records: list[Record],
    quantity: int,
    lot: int,
    logic: RoutingLogic,
    side: Side,
    urgency: Urgency,
    budget: int,
    minimum: int,
    half: int,
) -> None:
    """And every unit is either placed or given back, every child within limit and terms."""
    constraints = Constraints(minimum_quantity=minimum) if minimum else None
    limit = (10_000 + (3 if side is Side.BUY else -3)) * TICK
    part = released(
        quantity,
        logic=logic,
        side=side,
        urgency=urgency,
        overfill_quantity=budget,
        is_dark_allowed=True,
        limit_price_e9=limit,
        constraints=constraints,
    )
    state = ROUTING.fold((*opened(quantity, side=side), part))
    state.buckets[ACME] = "medium"
    kinds = (OrderKind.PASSIVE, OrderKind.AGGRESSIVE, OrderKind.DARK)
    cells = product((book.venue.venue_id for book in books), kinds)
    for (venue_id, kind), record in zip(cells, records, strict=False):
        state.records[cell_key(venue_id, kind, "medium", side)] = record
    seen = market(*books, quote=quote(10_000 - half, 10_000 + half), instrument=instrument(lot=lot))
    events = ROUTING.decide(state, RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=seen))
    children = [event for event in events if isinstance(event, ChildPlaced)]
    over = sum(child.overfill_quantity for child in children)
    back = sum(event.quantity for event in events if isinstance(event, SliceReturned))
    assert sum(child.quantity for child in children) - over + back == quantity
    assert over <= budget
    terms = {book.venue.venue_id: book.venue for book in books}
    for child in children:
        found = terms[child.venue_id]
        assert 0 < child.minimum_quantity <= child.quantity or child.minimum_quantity == 0
        assert child.quantity >= found.minimum_quantity
        assert not found.lot or child.quantity % found.lot == 0
        assert not found.order_types or child.order_type in found.order_types
        assert not minimum or child.minimum_quantity >= min(minimum, quantity, child.quantity)
        if child.price_e9 is not None:
            beyond = child.price_e9 - limit if side is Side.BUY else limit - child.price_e9
            assert beyond <= 0
    ROUTING.fold(events, state)  # the ledger takes it: what it refuses would stop the shard
    (decided,) = [event for event in events if isinstance(event, RouteDecided)]
    assert not decided.logics or decided.logics[0].logic is decided.logic
    assert {each.venue_id for each in decided.alternatives} == set(terms)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.lists(st.tuples(st.integers(1, 3), st.integers(1, 300)), max_size=5),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 1_500),
    st.sampled_from((Side.BUY, Side.SELL)),
    st.none() | st.integers(0, 8),
)
@settings(max_examples=100, deadline=None)
def test_the_sweep_costs_what_the_linear_program_says(
    venues: list[tuple[int, list[tuple[int, int]]]],
    quantity: int,
    side: Side,
    reach: int | None,
) -> None:
    """HiGHS over all levels within the limit: as much as there is, at the least all-in cost."""
    sign, found = (1 if side is Side.BUY else -1), []
    for ordinal, (fee, levels) in enumerate(venues):
        price, own = 10_000, []
        for step, size in levels:
            price += sign * step
            own.append(Level(price_e9=price * TICK, quantity=size))
        shown: dict[str, Any] = {"asks": tuple(own)} if sign > 0 else {"bids": tuple(own)}
        terms = venue(f"V{ordinal}", taker_fee_e9=(fee - 2) * 1_000_000)
        found.append(venue_book(f"V{ordinal}", venue=terms, **shown))
    limit = None if reach is None else (10_000 + sign * reach) * TICK
    taken, parts = consolidated(found, side, limit, 1, quantity)
    costs, sizes = [], []
    for book in found:
        for level in book.asks if sign > 0 else book.bids:
            if limit is None or (level.price_e9 - limit) * sign <= 0:
                costs.append(all_in_e9(book.venue, side, level.price_e9))
                sizes.append(level.quantity)
    wanted = min(quantity, sum(sizes))
    assert sum(each.quantity for each in taken) == sum(part[1] for part in parts) == wanted
    if not wanted:
        return
    solved = linprog(
        np.array(costs, dtype=float),
        A_eq=np.ones((1, len(sizes))),
        b_eq=[wanted],
        bounds=[(0, size) for size in sizes],
        method="highs",
    )
    paid = sum(part[0] * part[1] for part in parts)
    assert abs(paid - solved.fun) <= 1e-9 * abs(solved.fun) + 1


@st.composite
def pools(draw: st.DrawFn) -> tuple[list[Segment], int]:
    """Return segments of up to three pools whose chances never rise, and a quantity."""
    segments = []
    for pool in range(draw(st.integers(1, 3))):
        chances = sorted(draw(st.lists(st.integers(0, E9), min_size=1, max_size=3)), reverse=True)
        worth = draw(st.integers(0, 3)) * E9
        for ordinal, chance in enumerate(chances):
            segments.append(Segment(pool, ordinal, draw(st.integers(1, 3)), chance, worth))
    return segments, draw(st.integers(0, 8))


def value(segments: list[Segment], given_out: tuple[int, ...]) -> int:
    total = 0
    for pool, quantity in enumerate(given_out):
        left = quantity
        for segment in (each for each in segments if each.pool == pool):
            part = min(left, segment.quantity)
            total += part * segment.value_e9
            left -= part
    return total  # what is left lies beyond all that anybody has seen: nothing is expected there


@given(pools())
@settings(max_examples=300, deadline=None)
def test_the_greedy_share_out_equals_brute_force(found: tuple[list[Segment], int]) -> None:
    segments, quantity = found
    count = max(segment.pool for segment in segments) + 1
    given_out = share_out(segments, quantity)
    assert sum(given_out.values()) <= quantity
    best = max(
        value(segments, tried)
        for tried in product(range(quantity + 1), repeat=count)
        if sum(tried) <= quantity
    )
    assert value(segments, tuple(given_out.get(pool, 0) for pool in range(count))) == best


def test_the_greedy_gives_what_the_reference_vectors_say() -> None:
    """Uncertain sizes with edges (12) and exact tails with weights (03), unit by unit."""
    scores = json.loads(shared("quant/vectors/12_sor_scorecard.json").read_text())
    case = scores["uncertain_size_greedy"]
    assert _shared(case["tails"], case["edge"], case["V"]) == case["allocation"]
    dark: Any = json.loads(shared("quant/vectors/03_dark_pool.json").read_text())
    exact = dark["greedy_exact_tails"]
    tails = [[sum(pmf[s:]) for s in range(exact["V"] + 1)] for pmf in exact["pmf"]]
    assert _shared(tails, [1.0, 1.0, 1.0], exact["V"]) == exact["allocation"]
    assert _shared(tails, exact["weights"], exact["V"]) == exact["weighted_allocation"]


def _shared(tails: list[list[float]], edges: list[float], quantity: int) -> list[int]:
    segments = [
        Segment(pool, unit, 1, round(tail[unit] * E9), round(edges[pool] * E9))
        for pool, tail in enumerate(tails)
        for unit in range(1, len(tail))
    ]
    found = share_out(segments, quantity)
    return [found.get(pool, 0) for pool in range(len(tails))]


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_the_integer_logarithm_is_the_logarithm(numerator: int, denominator: int) -> None:
    from math import log

    from streams.routing.logics.passive_split import _ln_e9

    value_e9 = max(1, numerator * E9 // denominator)
    assert abs(_ln_e9(value_e9) - log(value_e9 / E9) * E9) <= 20
