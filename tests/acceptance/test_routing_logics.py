"""The routing logics as a trader would ask for them: who gets the order, and what happens then."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    ExecType,
    Level,
    OrderKind,
    OrderStatus,
    OrderType,
    RoutingLogic,
    Side,
    TimeInForce,
    Urgency,
)
from schemas.messages.routing import (
    ChildCancelRequested,
    RouteDecided,
)
from streams.routing import ROUTING
from streams.routing.settings import RoutingSettings
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    TICK,
    venue,
    venue_book,
)
from tests.support.routing import (
    acknowledged,
    booked,
    market,
    opened,
    placed,
    released,
    report,
    trade,
    wake,
)
from tests.support.venue_scores import (
    BUCKET,
    E9,
    WIDE,
    children,
    dark,
    decide,
    decision,
    estimate,
    lit,
    passive,
    route,
    scored,
    tail,
    where,
)

# ---- who gets it


def test_a_passive_child_goes_to_the_venue_with_the_best_fill_record() -> None:
    books = (lit("V1"), lit("V2"), lit("V3"))
    records = (BUCKET, passive("V1", 20), passive("V2", 40), passive("V3", 60))
    events = route(*records, *opened(), released(), books=books)
    (child,) = children(events)
    assert (child.venue_id, child.time_in_force) == ("V3", TimeInForce.DAY)
    assert decision(events).scorecard_version == 7


def test_a_dark_pool_gets_it_when_its_midpoint_fill_is_likely() -> None:
    books = (dark(), lit("V1"), lit("V2"))
    lit_records = (BUCKET, passive("V1", 20), passive("V2", 10))
    likely = scored("D1", OrderKind.DARK, 80 * E9 // 100)
    history = (*opened(), released(is_dark_allowed=True))
    (child,) = children(route(*lit_records, likely, *history, books=books, quote=WIDE))
    assert (child.venue_id, child.order_type) == ("D1", OrderType.MIDPOINT)
    seldom = scored("D1", OrderKind.DARK, E9 // 100)
    events = route(*lit_records, seldom, *history, books=books, quote=WIDE)
    assert "D1" not in where(events)


DEEP_LAST = (lit("V1", size=50), lit("V2", size=80), lit("V3", size=500))


# Nothing is known of any venue, and the deep one is named last; a few as well as all that it shows.
@pytest.mark.parametrize("quantity", [1, 40, 60, 400, 500])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_marketable_child_goes_to_the_deepest_book(quantity: int, side: Side) -> None:
    part = released(quantity, logic=RoutingLogic.SWEEP, side=side)
    events = route(*opened(quantity, side=side), part, books=DEEP_LAST)
    assert where(events) == {"V3": quantity}
    found = {each.venue_id: each for each in decision(events).alternatives}
    assert found["V3"].slippage_e9 <= min(found["V1"].slippage_e9, found["V2"].slippage_e9)


def test_what_the_deepest_does_not_show_goes_to_the_next_deepest() -> None:
    events = route(*opened(560), released(560, logic=RoutingLogic.SWEEP), books=DEEP_LAST)
    assert where(events) == {"V3": 500, "V2": 60}


def test_a_venue_that_is_asked_for_its_better_price_gets_the_rest_too() -> None:
    """Fifty are cheaper at V1, and it shows the other thirty as cheaply as the deep V2."""
    near = (Level(price_e9=10_001 * TICK, quantity=50), Level(price_e9=10_002 * TICK, quantity=30))
    books = (lit("V1", asks=near), lit("V2", ask=10_002, size=500))
    swept = route(*opened(80), released(80, logic=RoutingLogic.SWEEP), books=books)
    assert where(swept) == {"V1": 80}


@pytest.mark.parametrize(("error_e9", "venue_id"), [(4 * E9, "V3"), (0, "V1")])
def test_only_a_record_that_is_surely_better_outweighs_depth(error_e9: int, venue_id: str) -> None:
    takes = [
        scored(each, OrderKind.AGGRESSIVE, fill * E9 // 100, shrunk_error_e9=error_e9)
        for each, fill in (("V1", 90), ("V2", 30), ("V3", 40))
    ]
    part = released(40, logic=RoutingLogic.SWEEP)
    events = route(BUCKET, *takes, *opened(40), part, books=DEEP_LAST, quote=WIDE)
    assert where(events) == {venue_id: 40}


def test_among_venues_with_smallest_orders_the_deepest_gets_it_alone() -> None:
    books = tuple(
        venue_book(name, size=size, venue=venue(name, minimum_quantity=100))
        for name, size in (("V1", 200), ("V2", 210), ("V3", 500))
    )
    events = route(*opened(400), released(400, logic=RoutingLogic.SWEEP), books=books)
    assert where(events) == {"V3": 400}


# ---- sequential


def test_sequential_cancels_and_reroutes_what_is_not_filled_only_after_the_answer() -> None:
    books = (lit("V1"), lit("V2"))
    history: tuple[Any, ...] = (*opened(), released(), placed(), acknowledged(), booked("e1", 30))
    state = ROUTING.fold(history)
    asked = ROUTING.decide(state, wake("routing:child:P.1.1", OPEN_NS + 15 * SECOND))
    assert [type(event) for event in asked] == [ChildCancelRequested]
    state = ROUTING.fold(asked, state)
    # Nothing goes elsewhere before the venue has let it go; a fill meanwhile counts.
    assert not children(ROUTING.decide(state, wake("routing:child:P.1.1", OPEN_NS + 16 * SECOND)))
    late = booked("e2", 20)
    state = ROUTING.fold((late,), state)
    answer = report(
        ExecType.CANCELED,
        order_status=OrderStatus.CANCELED,
        cumulative_quantity=50,
        leaves_quantity=0,
        at_ns=OPEN_NS + 17 * SECOND,
        market=market(*books),
    )
    (child,) = children(ROUTING.decide(state, answer))
    assert (child.venue_id, child.quantity) == ("V2", 50)


# ---- parallel


def test_parallel_never_sends_more_than_is_left() -> None:
    books = (lit("V1", size=50), lit("V2", size=50), lit("V3", size=50))
    part = released(5_000, logic=RoutingLogic.PARALLEL)
    events = route(*opened(5_000), part, books=books)
    assert len(where(events)) == 3
    assert sum(where(events).values()) == 5_000
    assert not any(child.overfill_quantity for child in children(events))


def test_parallel_cancels_the_rest_the_moment_the_target_is_met() -> None:
    history = (
        *opened(100),
        released(100, logic=RoutingLogic.PARALLEL, overfill_quantity=40),
        placed("P.1.1", 70),
        placed("P.1.2", 70, venue_id="V2", overfill_quantity=40),
    )
    state = ROUTING.fold(history)
    first = trade("e1", 70, 70, 0)
    state = ROUTING.fold(ROUTING.decide(state, first), state)
    events = ROUTING.decide(state, trade("e2", 30, 30, 40, child_id="P.1.2", venue_id="V2"))
    fill, asked = events
    assert (fill.quantity, fill.error_quantity) == (30, 0)
    assert isinstance(asked, ChildCancelRequested)
    assert (asked.child_id, asked.cause) == ("P.1.2", Cause.TARGET_MET)


# ---- sweep


def test_a_large_buy_bids_in_the_dark_and_takes_at_the_ask_with_one_exposure() -> None:
    books = (dark("D1"), dark("D2"), lit("V1", size=200), lit("V2", size=200))
    history = (
        *opened(1_500),
        released(1_500, logic=RoutingLogic.SWEEP, is_dark_allowed=True),
    )
    tail = {
        "tail_lots": (100, 300, 1_000),
        "tail_e9": (900_000_000, 700_000_000, 100_000_000),
        "tail_at_risk_e9": (30 * E9, 30 * E9, 30 * E9),
    }
    dark_records = [scored(name, OrderKind.DARK, E9 // 2, **tail) for name in ("D1", "D2")]
    events = route(BUCKET, *dark_records, *history, books=books, quote=WIDE)
    bids = [c for c in children(events) if c.order_type is OrderType.MIDPOINT]
    takes = [c for c in children(events) if c.time_in_force is TimeInForce.IOC]
    assert {bid.venue_id for bid in bids} == {"D1", "D2"}
    assert {take.venue_id for take in takes} == {"V1", "V2"}
    assert sum(where(events).values()) <= 1_500
    small = (*opened(100), released(100, logic=RoutingLogic.SWEEP, is_dark_allowed=True))
    events = route(BUCKET, *dark_records, *small, books=books, quote=WIDE)
    assert not any(child.order_type is OrderType.MIDPOINT for child in children(events))


def test_latency_equalized_sending_lets_all_orders_arrive_at_once() -> None:
    latencies = {"V1": 200_000, "V2": 900_000, "V3": 500_000}
    books = tuple(lit(name, size=20, latency_ns=each) for name, each in latencies.items())
    state = ROUTING.fold((*opened(60), released(60, logic=RoutingLogic.SWEEP)))
    assert {child.send_after_ns for child in children(decide(state, books=books))} == {0}
    state.settings = RoutingSettings(is_latency_equalized=True)
    sent = children(decide(state, books=books))
    assert len(sent) == 3
    assert {child.send_after_ns + latencies[child.venue_id] for child in sent} == {900_000}


# ---- what it costs, and who chooses


# One part of the cost at a time makes a venue worse: it is not chosen then, and the part says so.
@pytest.mark.parametrize(
    ("worse", "part"),
    [
        ({"fee": 30_000_000}, "fee_e9"),
        ({"realized": estimate(5 * E9)}, "spread_e9"),
        ({"fill": 10}, "slippage_e9"),
        ({"latency": estimate(5 * E9)}, "latency_e9"),
        ({"leakage": estimate(5 * E9)}, "leakage_e9"),
    ],
)
def test_each_of_the_five_parts_of_the_cost_can_turn_the_choice(
    worse: dict[str, Any], part: str
) -> None:
    fee = worse.get("fee", 0)
    terms = venue("V1", maker_fee_e9=fee) if fee else venue("V1")
    changes = {name: value for name, value in worse.items() if name not in ("fee", "fill")}
    # So deep that one venue absorbs it: no part of it goes to the other.
    books = (venue_book("V1", venue=terms, size=10_000), lit("V2", size=10_000))
    records = (BUCKET, passive("V1", worse.get("fill", 50), **changes), passive("V2", 50))
    equal = route(
        BUCKET,
        passive("V1", 50),
        passive("V2", 50),
        *opened(),
        released(),
        books=(lit("V1", size=10_000), lit("V2", size=10_000)),
    )
    assert where(equal) == {"V1": 100}
    events = route(*records, *opened(), released(), books=books)
    assert where(events) == {"V2": 100}
    first, second = decision(events).alternatives
    assert getattr(second, part) > getattr(first, part)
    for each in (first, second):
        parts = (each.fee_e9, each.spread_e9, each.slippage_e9, each.latency_e9, each.leakage_e9)
        assert each.score_e9 == sum(parts)


def test_the_depth_that_is_walked_through_is_part_of_the_cost_of_taking() -> None:
    deep = tuple(Level(price_e9=(10_002 + 20 * n) * TICK, quantity=100) for n in range(5))
    books = (lit("V1", asks=deep), lit("V2", size=500))
    events = route(*opened(400), released(400, logic=RoutingLogic.SWEEP), books=books)
    found = {each.venue_id: each for each in decision(events).alternatives}
    assert where(events)["V2"] == 400
    assert found["V1"].slippage_e9 > found["V2"].slippage_e9


def test_strategy_urgency_and_scorecard_choose_the_logic_and_its_rivals_are_told() -> None:
    books = (dark("D1"), lit("V1", size=5_000), lit("V2", size=5_000))
    pool = tail("D1", 0.9, 0.8, 0.7, 0.6, 0.6, fill=2 * E9 // 5)
    records = (BUCKET, pool, passive("V1", 30), passive("V2", 30))

    def chosen(quantity: int, **changes: Any) -> RouteDecided:
        part = released(quantity, is_dark_allowed=True, **changes)
        return decision(route(*records, *opened(quantity), part, books=books, quote=WIDE))

    by_strategy = chosen(400, logic=RoutingLogic.LIQUIDITY_SEEKING)
    assert by_strategy.logic is RoutingLogic.LIQUIDITY_SEEKING
    patient = chosen(400, urgency=Urgency.PASSIVE)
    hurried = chosen(400, urgency=Urgency.URGENT)
    assert patient.logic is RoutingLogic.LIQUIDITY_SEEKING
    assert hurried.logic is not RoutingLogic.LIQUIDITY_SEEKING
    reasons = {each.logic: each.reason for each in hurried.logics}
    assert reasons[RoutingLogic.LIQUIDITY_SEEKING] == "too urgent to wait in the dark"
    for found in (by_strategy, patient, hurried):
        assert found.logics[0].logic is found.logic
        assert {each.logic for each in found.logics} == {
            RoutingLogic.SEQUENTIAL,
            RoutingLogic.PARALLEL,
            RoutingLogic.LIQUIDITY_SEEKING,
            RoutingLogic.PASSIVE_SPLIT,
        }


def luckier(fill: int, error_e9: int) -> RouteDecided:
    """Return where 400 rest: V1 has the better record, both show a thousand at the touch."""
    records = (BUCKET, passive("V1", fill, shrunk_error_e9=error_e9), passive("V2", 40))
    return decision(
        route(*records, *opened(400), released(400), books=(lit("V1"), lit("V2")), quote=WIDE)
    )


def test_a_lead_within_the_error_of_its_score_does_not_gather_all_at_one_venue() -> None:
    """The best of several by noisy records is so partly by luck; to stand in two queues is not."""
    sure, doubtful = luckier(80, 0), luckier(80, 3 * E9)
    assert sure.logic is RoutingLogic.SEQUENTIAL
    assert doubtful.logic is RoutingLogic.PARALLEL


def test_a_few_shares_are_expected_to_fill_by_parts_of_a_share() -> None:
    """Three shares at thirty per cent are nearly one: rounded down by venue they would be none."""
    books = (lit("V1", size=3), lit("V2", size=3))
    records = (BUCKET, passive("V1", 30), passive("V2", 30))
    part = released(6, logic=RoutingLogic.PARALLEL)
    found = decision(route(*records, *opened(6), part, books=books, quote=WIDE))
    split, alone = (each.score_e9 for each in found.logics[:2])
    assert found.logic is RoutingLogic.PARALLEL
    assert split < alone, "not asked for only: it costs less"


def test_the_rule_splits_into_no_part_under_a_hundred_lots() -> None:
    books = tuple(lit(f"V{n}", size=100) for n in range(1, 4))
    records = (BUCKET, *(passive(f"V{n}", 30) for n in range(1, 4)))
    small = route(*records, *opened(199), released(199), books=books, quote=WIDE)
    assert len(where(small)) == 1
    large = where(route(*records, *opened(350), released(350), books=books, quote=WIDE))
    assert len(large) == 3
    assert min(large.values()) >= 100


def test_what_does_not_fill_is_taken_where_that_is_cheapest() -> None:
    """A venue is no better to rest at for a fee of taking that holds wherever one rested."""
    cheap = lit("V2", taker_fee_e9=-10_000_000, size=10_000)
    records = (BUCKET, passive("V1", 30), passive("V2", 30))
    books = (lit("V1", size=10_000), cheap)
    events = route(*records, *opened(), released(), books=books)
    first, second = decision(events).alternatives
    assert first.fee_e9 == second.fee_e9
    assert where(events) == {"V1": 100}
