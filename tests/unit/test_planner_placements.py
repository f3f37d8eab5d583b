"""Placements solved ahead: outflows from books and trades, and what a shard does with them."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    FeeTier,
    Level,
    PlacementLeg,
    RoutingLogic,
    Side,
    Urgency,
)
from schemas.messages.market import BookUpdated, TradePrinted
from schemas.messages.plans import PlacementSolved
from schemas.messages.routing import ChildPlaced, RouteDecided
from services.planner.outflows import WINDOW_NS, Outflows
from services.planner.placements import Placements
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.routing import ROUTING
from streams.routing.commands import RouteSlice
from streams.routing.logics.passive_split import CLOSED_FORM
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    instrument_defined,
    quote,
    venue_book,
    venue_defined,
)
from tests.support.routing import booked, market, opened, released

BID = 9_999 * TICK


def book(quantity: int, price_e9: int = BID, venue_id: str = "V1") -> BookUpdated:
    bids = (Level(price_e9=price_e9, quantity=quantity),)
    return book_updated(venue_id, bids=bids)


def trade(price_e9: int, quantity: int, venue_id: str = "V1") -> TradePrinted:
    return TradePrinted(
        venue_id=venue_id,
        instrument_id=ACME,
        price_e9=price_e9,
        quantity=quantity,
        own_quantity=0,
        aggressor=Side.SELL,
        is_hidden=False,
    )


def outflow_of(*seen: Any) -> int:
    """Return what left the bid of V1 in a window that sees these, one second apart."""
    outflows = Outflows()
    for second, message in enumerate(seen):
        outflows.see(message, OPEN_NS + second * SECOND)
    outflows.see(book(1), OPEN_NS + WINDOW_NS)
    return outflows.markets[ACME].windows[Side.BUY][0]["V1"]


# What the queue of 1,000 does, and how much of it left before somebody who joins at its back.
@pytest.mark.parametrize(
    ("seen", "outflow"),
    [
        ((book(1_000), book(1_000)), 0),
        ((book(1_000), trade(BID, 300), book(700)), 300),
        ((book(1_000), trade(BID, 300), book(500)), 500),  # 200 canceled
        ((book(1_000), trade(BID, 300), book(2_000)), 300),  # who joins later is behind
        ((book(1_000), trade(BID + 2 * TICK, 300), book(1_000)), 0),  # the other side's
        ((book(1_000), book(800, BID - TICK)), 1_000),  # all canceled: the price fell
    ],
)
def test_what_leaves_a_queue_before_who_joins_it(seen: tuple[Any, ...], outflow: int) -> None:
    assert outflow_of(*seen) == outflow


def test_a_trade_beyond_the_price_passes_the_whole_queue() -> None:
    assert outflow_of(book(1_000), trade(BID - TICK, 50)) > 10_000


def planner() -> Placements:
    names = {value: 1 for name, value in vars(topics).items() if name.isupper()}
    found = Placements(MemoryLog(names), AvroCodec(), every_ns=SECOND)
    for venue_id in ("V1", "V2"):
        found.see(venue_defined(venue_id), OPEN_NS)
    found.see(instrument_defined(lot=100), OPEN_NS)
    return found


def taught(found: Placements, windows: int = 30) -> Placements:
    """Let 400 of 1,000 leave V1 in each window, and nearly all of 1,000 leave V2."""
    at_ns = OPEN_NS
    for _ in range(windows + 1):
        for venue_id, flow in (("V1", 400), ("V2", 1_900)):
            found.see(book(1_000, venue_id=venue_id), at_ns)
            found.see(trade(BID, flow, venue_id), at_ns + SECOND)
        at_ns += WINDOW_NS
    return found


def asked(found: Placements, quantity: int = 1_000, **changes: Any) -> list[PlacementSolved]:
    at_ns = OPEN_NS + 31 * WINDOW_NS
    found.see(released(quantity, **changes), at_ns)
    found.see(book(1_000), at_ns)
    return list(found.solved())


def test_a_size_that_was_asked_for_is_solved_with_a_certificate() -> None:
    (solved,) = asked(taught(planner()))
    assert (solved.side, solved.size_bucket, solved.quantity) == (Side.BUY, 3, 1_200)
    rests = {leg.venue_id: leg.quantity for leg in solved.legs}
    assert rests["V2"] == 900  # that much flows out behind the queue, and no more
    assert rests["V1"] == 0
    assert solved.market_quantity == 300
    assert 0 <= solved.gap_bps_e9 <= abs(solved.cost_bps_e9) // 100
    assert solved.cost_bps_e9 - solved.bound_bps_e9 == solved.gap_bps_e9


def test_the_rebate_of_a_tier_that_the_firm_reached_makes_resting_cheaper() -> None:
    tiers = (FeeTier(from_quantity=100, taker_fee_e9=3_000_000, maker_fee_e9=-5_000_000),)
    costs = []
    for shards in ((), (60,), (60, 40)):  # what each booked at V2
        found = planner()
        found.see(venue_defined("V2", fee_tiers=tiers), OPEN_NS)
        for number, quantity in enumerate(shards):
            found.see(booked(f"e{number}", quantity, venue_id="V2"), OPEN_NS)
        (solved,) = asked(taught(found))
        costs.append(solved.cost_bps_e9)
    assert costs[0] == costs[1] > costs[2]


def test_nothing_is_solved_for_sizes_that_nobody_has_or_queues_that_nobody_knows() -> None:
    assert list(taught(planner()).solved()) == []
    assert asked(taught(planner(), windows=5)) == []
    late = taught(planner())
    late.see(released(1_000), OPEN_NS)
    late.see(book(1_000), OPEN_NS + 3_600 * SECOND)
    assert list(late.solved()) == []


def placement(**changes: Any) -> PlacementSolved:
    fields: dict[str, Any] = {
        "instrument_id": ACME,
        "side": Side.BUY,
        "size_bucket": 6,
        "quantity": 96,
        "model": "cont-kukanov-lp/1",
        "solved_ns": OPEN_NS,
        "valid_ns": 30 * SECOND,
        "market_quantity": 36,
        "legs": (
            PlacementLeg(venue_id="V1", quantity=20, ahead_quantity=1_000),
            PlacementLeg(venue_id="V2", quantity=40, ahead_quantity=1_000),
        ),
        "cost_bps_e9": 100,
        "bound_bps_e9": 90,
        "gap_bps_e9": 10,
        "scenarios": 30,
        "midpoint_e9": 10_000 * TICK,
        "spread_e9": 2 * TICK,
    }
    return PlacementSolved(**{**fields, **changes})


def routed(quantity: int, *plans: PlacementSolved, **changes: Any) -> tuple[Any, ...]:
    part = released(quantity, logic=RoutingLogic.PASSIVE_SPLIT, **changes)
    state = ROUTING.fold((*opened(quantity), part))
    at_ns = OPEN_NS + SECOND
    command = RouteSlice(slice_id="P.1", at_ns=at_ns, market=market(placements=plans))
    return ROUTING.decide(state, command)


def placed(events: tuple[Any, ...]) -> dict[tuple[str, bool], int]:
    """Return quantities by venue, and whether they rest."""
    found: dict[tuple[str, bool], int] = {}
    for child in (event for event in events if isinstance(event, ChildPlaced)):
        key = (child.venue_id, child.rest_until_ns > 0)
        found[key] = found.get(key, 0) + child.quantity
    return found


def decided(events: tuple[Any, ...]) -> RouteDecided:
    (found,) = [event for event in events if isinstance(event, RouteDecided)]
    return found


def test_the_shard_serves_a_solved_placement_and_names_its_certificate() -> None:
    events = routed(96, placement())
    assert placed(events) == {("V1", False): 36, ("V1", True): 20, ("V2", True): 40}
    found = decided(events)
    assert (found.logic, found.model) == (RoutingLogic.PASSIVE_SPLIT, "cont-kukanov-lp/1")
    assert found.gap_bps_e9 == 10


@pytest.mark.parametrize(("quantity", "market_quantity"), [(70, 10), (96, 36), (120, 60)])
def test_larger_targets_add_taking_not_resting(quantity: int, market_quantity: int) -> None:
    found = placed(routed(quantity, placement()))
    assert found["V1", False] == market_quantity
    assert (found["V1", True], found["V2", True]) == (20, 40)


# What makes a solved placement stale; the fallback is named in the decision.
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"solved_ns": OPEN_NS - 60 * SECOND}, "the solved placement is old"),
        ({"valid_ns": 1}, "the solved placement is old"),
        ({"spread_e9": 6 * TICK}, "the spread is another than it was solved for"),
        (
            {"legs": (PlacementLeg(venue_id="V1", quantity=60, ahead_quantity=100),)},
            "a queue is another than it was solved for",
        ),
        (
            {"legs": (PlacementLeg(venue_id="V9", quantity=60, ahead_quantity=100),)},
            "a venue of the solved placement cannot be used",
        ),
        ({"size_bucket": 3}, "nothing was solved for this size"),
        ({"side": Side.SELL}, "nothing was solved for this size"),
    ],
)
def test_a_stale_placement_gives_way_to_the_closed_form(
    changes: dict[str, Any], reason: str
) -> None:
    found = decided(routed(96, placement(**changes)))
    assert (found.logic, found.model) == (RoutingLogic.PASSIVE_SPLIT, CLOSED_FORM)
    assert found.gap_bps_e9 is None
    assert found.logics[0].reason == reason


def test_the_closed_form_rests_at_the_best_venue_and_takes_the_rest() -> None:
    events = routed(96)
    rests = sum(quantity for (_, is_resting), quantity in placed(events).items() if is_resting)
    takes = sum(quantity for (_, is_resting), quantity in placed(events).items() if not is_resting)
    assert rests + takes == 96
    venues = {venue_id for (venue_id, is_resting) in placed(events) if is_resting}
    assert venues <= {"V2"}  # it rebates more


def test_only_an_urgent_slice_that_rests_may_take_by_itself() -> None:
    for urgency, logic in ((Urgency.URGENT, "weighed"), (Urgency.NEUTRAL, "not urgent")):
        part = released(96, urgency=urgency, cause=Cause.BIN)
        state = ROUTING.fold((*opened(96), part))
        books = (venue_book("V1"), venue_book("V2"))
        plan = placement(cost_bps_e9=-(10**12))
        seen = market(*books, placements=(plan,), quote=quote())
        events = ROUTING.decide(state, RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=seen))
        found = decided(events)
        if logic == "weighed":
            assert found.logic is RoutingLogic.PASSIVE_SPLIT
        else:
            assert found.logic is RoutingLogic.SEQUENTIAL
            reasons = {each.logic: each.reason for each in found.logics}
            assert reasons[RoutingLogic.PASSIVE_SPLIT].startswith("not urgent")
