"""Seeking hidden liquidity: by what pools probably hold, by value, and not where it is gamed."""

from typing import Any

from schemas.messages.core import (
    OrderType,
    RoutingLogic,
    VenueTrouble,
)
from schemas.messages.routing import (
    VenueSuspended,
)
from streams.routing import ROUTING
from streams.routing.commands import RouteSlice
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    quote,
)
from tests.support.routing import (
    acknowledged,
    booked,
    market,
    opened,
    placed,
    released,
)
from tests.support.venue_scores import (
    BUCKET,
    E9,
    WIDE,
    children,
    dark,
    decide,
    estimate,
    lit,
    route,
    tail,
    where,
)

SEEKING: dict[str, Any] = {"logic": RoutingLogic.LIQUIDITY_SEEKING, "is_dark_allowed": True}


def seek(*records: Any, quantity: int = 100, **changes: Any) -> dict[str, int]:
    books = (dark("D1"), dark("D2"), lit("V1"))
    part = released(quantity, **SEEKING)
    return where(route(BUCKET, *records, *opened(quantity), part, books=books, **changes))


def test_seeking_gives_each_pool_what_it_probably_holds() -> None:
    """By greedy: 10 and 10 at .9, 10 more of D2 at .8, then D1 at .5, and so on."""
    found = seek(tail("D1", 0.9, 0.5, 0.1), tail("D2", 0.9, 0.8, 0.7), quote=WIDE)
    assert found == {"D1": 50, "D2": 50}
    assert seek(tail("D1", 0.9, 0.5, 0.1), tail("D2", 0.9, 0.8, 0.7), quantity=60, quote=WIDE) == {
        "D1": 10,
        "D2": 50,
    }


def test_seeking_tries_one_size_beyond_what_is_known_and_nothing_further() -> None:
    known = tail("D2", 0.9, 0.8, 0.2, seen=30)
    barely = tail("D1", 0.9, 0.0, 0.0, seen=1)  # nothing is known beyond the first size
    found = seek(barely, known, quantity=60, quote=WIDE)
    assert found["D1"] == 10  # the frontier: taken to be as likely as the last that is known


def test_a_pool_with_full_fills_and_bad_prices_loses() -> None:
    """By value: T x (half spread - fee - adverse selection)."""
    toxic: dict[str, Any] = {"realized": estimate(6 * E9), "effective": estimate(0)}
    found = seek(tail("D1", 0.9, 0.9, 0.9, **toxic), tail("D2", 0.5, 0.4, 0.3), quote=WIDE)
    assert found == {"D2": 100}


def test_after_each_ping_the_smallest_execution_is_twice_as_large() -> None:
    history: tuple[Any, ...] = opened(3_000)
    divisors = []
    for ordinal in range(1, 4):
        part = released(1_000, slice_id=f"P.{ordinal}", **SEEKING)
        state = ROUTING.fold((*history, part))
        seen = market(dark("D1"), quote=WIDE)
        command = RouteSlice(slice_id=f"P.{ordinal}", at_ns=OPEN_NS, market=seen)
        (child,) = children(ROUTING.decide(state, command))
        divisors.append(child.quantity // child.minimum_quantity)
        ids: dict[str, Any] = {
            "child_id": child.child_id,
            "slice_id": child.slice_id,
            "venue_id": "D1",
        }
        ping = booked(f"e{ordinal}", 1, fill_id=f"D1/e{ordinal}", **ids)
        history = (*history, part, child, acknowledged(**ids), ping)
    assert divisors == [16, 8, 4]


def toxic_history() -> tuple[Any, ...]:
    """Three midpoint fills at 100.00, after which the price falls: we bought too dear."""
    dark_child = placed("P.1.1", 100, venue_id="D1", order_type=OrderType.MIDPOINT)
    fills = tuple(
        booked(f"e{n}", 20, fill_id=f"D1/e{n}", venue_id="D1", transact_ns=OPEN_NS)
        for n in range(3)
    )
    return (*opened(200), released(200, **SEEKING), dark_child, *fills)


def test_a_venue_whose_fills_lose_is_left_out_for_the_parent_and_for_nobody_else() -> None:
    fallen = quote(9_985, 9_995)  # the mid 10 bp below the fills
    books = (dark("D1"), dark("D2"), lit("V1"))
    state = ROUTING.fold(toxic_history())
    events = decide(state, at_ns=OPEN_NS + 2 * SECOND, books=books, quote=fallen)
    (gate,) = [event for event in events if isinstance(event, VenueSuspended)]
    assert (gate.venue_id, gate.parent_id, gate.trouble) == ("D1", "P", VenueTrouble.MARKOUT)
    assert gate.value_e9 > gate.bound_e9 > 0
    assert set(where(events)) == {"D2"}
    state = ROUTING.fold(events, state)
    assert "D1" not in state.venues  # other parents may use it
    assert state.parents["P"].gated == ["D1"]


def test_fills_that_do_not_lose_gate_nobody() -> None:
    risen = quote(10_005, 10_015)
    books = (dark("D1"), dark("D2"), lit("V1"))
    state = ROUTING.fold(toxic_history())
    events = decide(state, at_ns=OPEN_NS + 2 * SECOND, books=books, quote=risen)
    assert not [event for event in events if isinstance(event, VenueSuspended)]
    early = decide(state, at_ns=OPEN_NS + SECOND // 2, books=books, quote=quote(9_985, 9_995))
    assert not [event for event in early if isinstance(event, VenueSuspended)]
