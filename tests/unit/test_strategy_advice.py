"""Each reason changes the next child in its direction, and stands in the event with its numbers."""

from typing import Any

import pytest

from schemas.messages.core import (
    AdjustmentReason,
    Cause,
    Constraints,
    RoutingLogic,
    Side,
    StrategyKind,
    StrategyParameters,
    Tactic,
    Urgency,
)
from streams.strategy import STRATEGY
from tests.support.builders import MINUTE, OPEN_NS, SECOND, TICK, instrument, quote
from tests.support.estimates import E9, hardness, position_of, reasons_of, seen, slice_of
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    epoch_opened,
    filled,
    forecast,
    market,
    parent_opened,
    returned,
    wake,
)
from tests.support.vwap import CURVE, END_NS, OPENED, position, vwap

Reason = AdjustmentReason
SECOND_BIN = OPEN_NS + MINUTE
# The first bin is done, the probe met all it asked for, and the second bin begins.
DONE = (
    *OPENED,
    *given(STRATEGY, *OPENED).when(begin(forecast=CURVE)).events(),
    filled(100),
    position(Cause.FILL, 100, SECOND_BIN, filled_quantity=100),
)
REST = forecast(2_000, 3_000, 4_000, bin_start_ns=SECOND_BIN)


def second_bin(
    *, history: tuple[Any, ...] = DONE, at_ns: int = SECOND_BIN, **changes: Any
) -> tuple[Any, ...]:
    """Return what the second bin begins with in a market that is calm but for the changes."""
    more = {"quote": changes.pop("quote")} if "quote" in changes else {}
    command = wake(at_ns, forecast=REST, market=seen(1_000, **more, **changes))
    return given(STRATEGY, *history).when(command).events()


def rests_until(events: tuple[Any, ...]) -> int:
    found = slice_of(events)
    assert found is not None and found.logic is RoutingLogic.SEQUENTIAL
    return found.deadline_ns


def quantity_of(events: tuple[Any, ...]) -> int:
    found = slice_of(events)
    return 0 if found is None else found.quantity


def due_late(history: tuple[Any, ...] = DONE, **changes: Any) -> tuple[Any, ...]:
    """Return what is decided late in the second bin with all of its 200 come back."""
    at_ns = SECOND_BIN + 53 * SECOND
    usual = wake(SECOND_BIN, forecast=REST, market=market(1_000))
    begun = given(STRATEGY, *history).when(usual).events()
    back = (*history, *begun, returned(200, slice_ordinal=2))
    command = wake(at_ns, forecast=REST, market=seen(1_000, **changes))
    return given(STRATEGY, *back).when(command).events()


def test_a_calm_market_rests_as_ever_and_says_what_it_saw() -> None:
    events = second_bin()
    assert (quantity_of(events), rests_until(events)) == (200, SECOND_BIN + 45 * SECOND)
    told = position_of(events)
    assert reasons_of(events).keys() <= {Reason.PROBE_MET}
    assert told.estimate is not None and told.estimate.spread_bps_e9 == 2 * E9


def test_without_an_estimate_nothing_is_adjusted() -> None:
    command = wake(SECOND_BIN, forecast=REST, market=market(1_000))
    told = position_of(given(STRATEGY, *DONE).when(command).events())
    assert (told.adjustments, told.estimate) == ((), None)


@pytest.mark.parametrize(
    ("reason", "changes", "numbers"),
    [
        (Reason.VOLUME_BURST, {"volume_per_s_e9": 300 * E9}, (300 * E9, 100 * E9)),
        (Reason.VOLATILITY_UP, {"volatility_bps_e9": 300 * E9}, (300 * E9, 150 * E9)),
        (Reason.SPREAD_TIGHT, {"spread_now_bps_e9": E9}, (E9, 2 * E9)),
        (Reason.SIGNAL_ADVERSE, {"imbalance_e9": 700_000_000}, (700_000_000, 500_000_000)),
        (Reason.FILLED_SLOW, {"fill_hazard_e9": 10_000_000}, (10_000_000, 50_000_000)),
    ],
)
def test_what_makes_waiting_dearer_ends_it_sooner(
    reason: AdjustmentReason, changes: dict[str, Any], numbers: tuple[int, int]
) -> None:
    events = second_bin(**changes)
    told = reasons_of(events)[reason]
    assert (told.value_e9, told.reference_e9) == numbers
    assert rests_until(events) < rests_until(second_bin())
    assert hardness(events) >= hardness(second_bin())


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        (Reason.DRY_SPELL, {"volume_per_s_e9": 20 * E9}),
        (Reason.VOLATILITY_DOWN, {"volatility_bps_e9": 50 * E9}),
        (Reason.SPREAD_WIDE, {"spread_now_bps_e9": 5 * E9}),
        (Reason.SIGNAL_FAVORABLE, {"imbalance_e9": -700_000_000}),
        (Reason.FILLED_FAST, {"fill_hazard_e9": 200_000_000}),
        (Reason.HALT_ENDED, {"halt_age_ns": 20 * SECOND}),
    ],
)
def test_what_makes_waiting_cheaper_lets_it_last(
    reason: AdjustmentReason, changes: dict[str, Any]
) -> None:
    events = second_bin(**changes)
    assert reason in reasons_of(events)
    assert position_of(events).tactic in (Tactic.JOIN, Tactic.IMPROVE)
    if quantity_of(events) == quantity_of(second_bin()):
        assert rests_until(events) > rests_until(second_bin())


def test_a_burst_is_worked_whole_and_a_dry_spell_in_parts() -> None:
    assert quantity_of(second_bin(volume_per_s_e9=300 * E9)) == 200
    assert quantity_of(second_bin(volume_per_s_e9=35 * E9)) == 70
    assert quantity_of(second_bin(volume_per_s_e9=0)) == 50  # a quarter at least
    # What was held back is looked at again before the bin's rest is over.
    held = second_bin(volume_per_s_e9=0)
    assert position_of(held).next_due_ns < rests_until(second_bin())


def test_after_a_halt_half_is_shown_and_nothing_taken_for_a_while() -> None:
    events = second_bin(halt_age_ns=20 * SECOND)
    assert (quantity_of(events), position_of(events).tactic) == (100, Tactic.JOIN)
    told = reasons_of(events)[Reason.HALT_ENDED]
    assert (told.value_e9, told.reference_e9) == (20 * SECOND, 60 * SECOND)
    late = due_late(halt_age_ns=20 * SECOND)
    assert position_of(late).tactic is Tactic.JOIN
    assert Reason.HALT_ENDED not in reasons_of(second_bin(halt_age_ns=61 * SECOND))


def test_behind_the_plan_a_child_is_more_eager_and_sooner() -> None:
    behind = (*OPENED, *given(STRATEGY, *OPENED).when(begin(forecast=CURVE)).events())
    behind = (*behind, filled(10), returned(90), position(Cause.FILL, 100, SECOND_BIN))
    behind = (*behind, position(Cause.BIN, 300, SECOND_BIN + 30 * SECOND, bin=1))
    # 90 of the first bin's 100 are missing, half a bin later nothing more is there.
    half_ns = SECOND_BIN + 30 * SECOND
    events = second_bin(history=behind, at_ns=half_ns)
    told = reasons_of(events)[Reason.BEHIND]
    assert told.value_e9 == 10
    assert told.reference_e9 > 150
    assert hardness(events) > hardness(second_bin(at_ns=half_ns))


def test_behind_a_cheap_market_is_crossed_at_once() -> None:
    behind = (*OPENED, *given(STRATEGY, *OPENED).when(begin(forecast=CURVE)).events())
    behind = (*behind, returned(100), position(Cause.FILL, 100, SECOND_BIN))
    behind = (*behind, position(Cause.BIN, 300, SECOND_BIN + 30 * SECOND, bin=1))
    command = wake(
        SECOND_BIN + 30 * SECOND,
        forecast=REST,
        market=seen(1_000, fill_hazard_e9=2_000_000, improve_hazard_e9=2_000_000),
    )
    events = given(STRATEGY, *behind).when(command).events()
    found = slice_of(events)
    assert found is not None
    assert (found.tactic, found.logic) == (Tactic.CROSS, RoutingLogic.SWEEP)
    assert {Reason.BEHIND, Reason.FILLED_SLOW} <= reasons_of(events).keys()


def test_ahead_of_the_plan_it_waits() -> None:
    ahead = (*DONE[:-2], filled(100), position(Cause.FILL, 1, SECOND_BIN))
    slow = forecast(200, 30_000, 40_000, bin_start_ns=SECOND_BIN)
    command = wake(SECOND_BIN, forecast=slow, market=seen(0))
    events = given(STRATEGY, *ahead).when(command).events()
    assert quantity_of(events) == 0
    told = reasons_of(events)[Reason.AHEAD]
    assert told.value_e9 > told.reference_e9


def test_late_in_the_bin_the_break_even_decides() -> None:
    """What was always crossed for is crossed for when posting is worse, and posted when better."""
    slow = due_late(fill_hazard_e9=10_000_000, improve_hazard_e9=10_000_000)
    assert position_of(slow).tactic is Tactic.CROSS
    fast = due_late(fill_hazard_e9=400_000_000, improve_hazard_e9=400_000_000)
    found = slice_of(fast)
    assert found is not None and found.logic is RoutingLogic.SEQUENTIAL
    assert found.quantity == 200
    assert found.deadline_ns < SECOND_BIN + MINUTE  # and looked at again before it is too late


def test_a_wide_spread_is_not_paid_for_while_there_is_time() -> None:
    wide = quote(bid=9_990, ask=10_010)
    wide_late = due_late(spread_now_bps_e9=20 * E9, quote=wide)
    assert position_of(wide_late).tactic is not Tactic.CROSS
    assert position_of(due_late(fill_hazard_e9=20_000_000)).tactic is Tactic.CROSS


def test_urgency_moves_the_choice() -> None:
    tactics = {}
    for urgency in (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT):
        opened = (vwap(urgency=urgency), epoch_opened())
        begun = given(STRATEGY, *opened).when(begin(forecast=CURVE)).events()
        history = (*opened, *begun, filled(100), position(Cause.FILL, 100, SECOND_BIN))
        tactics[urgency] = position_of(due_late(history, fill_hazard_e9=150_000_000)).tactic
    assert tactics[Urgency.PASSIVE] is not Tactic.CROSS
    assert tactics[Urgency.URGENT] is Tactic.CROSS


def test_near_the_end_everything_is_taken_whatever_it_costs() -> None:
    at_ns = END_NS - 20 * SECOND
    last = position(Cause.BIN, 1_000, at_ns, filled_quantity=100, bin=3)
    wide = seen(spread_now_bps_e9=20 * E9, halt_age_ns=SECOND, volume_per_s_e9=0)
    events = given(STRATEGY, *DONE, last).when(wake(at_ns, market=wide)).events()
    found = slice_of(events)
    assert found is not None
    assert (found.quantity, found.tactic) == (900, Tactic.CROSS)
    assert reasons_of(events)[Reason.END_NEAR].reference_e9 == 20 * SECOND


def test_a_cap_that_binds_is_named() -> None:
    capped = (vwap(participation_cap_bps=1_000), epoch_opened())
    curve = forecast(1_000, 0, 0, 0)
    command = begin(forecast=curve, market=seen())
    told = reasons_of(given(STRATEGY, *capped).when(command).events())[Reason.CAP_BINDS]
    assert (told.value_e9, told.reference_e9) == (111, 1_000)


def test_a_floor_that_binds_is_named() -> None:
    floor = StrategyParameters(participation_floor_bps=2_000)
    opened = (vwap(parameters=floor), epoch_opened())
    begun = given(STRATEGY, *opened).when(begin(forecast=CURVE)).events()
    done = filled(position_of(begun).target_quantity)
    history = (*opened, *begun, done, position(Cause.FILL, 1, SECOND_BIN))
    slow = forecast(2_000, 30_000, 40_000, bin_start_ns=SECOND_BIN)
    command = wake(SECOND_BIN, forecast=slow, market=seen(0))
    told = reasons_of(given(STRATEGY, *history).when(command).events())[Reason.FLOOR_BINDS]
    assert told.value_e9 > told.reference_e9


def test_the_first_child_early_in_the_day_is_a_small_passive_probe() -> None:
    events = given(STRATEGY, *OPENED).when(begin(forecast=CURVE, market=seen())).events()
    found = slice_of(events)
    assert found is not None
    assert (found.quantity, found.tactic) == (25, Tactic.JOIN)
    assert found.deadline_ns == position_of(events).next_due_ns < OPEN_NS + 20 * SECOND
    assert Reason.PROBE in reasons_of(events)


@pytest.mark.parametrize(
    ("met", "released", "harder"), [(25, 75, False), (0, 37, True)], ids=["met", "missed"]
)
def test_what_the_probe_meets_moves_the_next_child(met: int, released: int, harder: bool) -> None:
    begun = given(STRATEGY, *OPENED).when(begin(forecast=CURVE, market=seen())).events()
    history = (*OPENED, *begun)
    if met:
        history = (*history, filled(met))
    at_ns = position_of(begun).next_due_ns
    hazard = 60_000_000 if met else 15_000_000
    command = wake(at_ns, market=seen(fill_hazard_e9=hazard, improve_hazard_e9=3 * hazard))
    events = given(STRATEGY, *history).when(command).events()
    told = reasons_of(events)[Reason.PROBE_MET]
    assert (told.value_e9, told.reference_e9) == (met, 25)
    assert quantity_of(events) == released
    assert hardness(events) >= 0
    assert (Reason.FILLED_SLOW in reasons_of(events)) is harder


def test_no_probe_late_in_the_day_and_none_for_the_urgent() -> None:
    late = begin(OPEN_NS + 2 * MINUTE, forecast=CURVE, market=seen())
    assert Reason.PROBE not in reasons_of(given(STRATEGY, *OPENED).when(late).events())
    urgent = (vwap(urgency=Urgency.URGENT), epoch_opened())
    now = begin(forecast=CURVE, market=seen())
    assert Reason.PROBE not in reasons_of(given(STRATEGY, *urgent).when(now).events())


def test_a_small_order_is_worked_whole() -> None:
    opened = (vwap(quantity=100), epoch_opened(100))
    lots = instrument(lot=100)
    dry = market(estimate=seen(volume_per_s_e9=0).estimate, instrument=lots)
    events = given(STRATEGY, *opened).when(begin(forecast=CURVE, market=dry)).events()
    assert Reason.SMALL_ORDER in reasons_of(events)
    assert Reason.PROBE not in reasons_of(events)


@pytest.mark.parametrize("strategy", [StrategyKind.VWAP, StrategyKind.TWAP])
@pytest.mark.parametrize(
    ("quantity", "lot"), [(1, 1), (2, 1), (7, 1), (100, 100), (300, 100)], ids=str
)
def test_small_orders_are_worked_and_done(strategy: StrategyKind, quantity: int, lot: int) -> None:
    """Fewer shares than slots, one share, one lot: threads 5 and 22 of other engines."""
    market_now = market(estimate=seen().estimate, instrument=instrument(lot=lot))
    terms = {"quantity": quantity, "end_ns": OPEN_NS + 10 * MINUTE}
    state = STRATEGY.fold((parent_opened(strategy, **terms), epoch_opened(quantity)))
    events = STRATEGY.decide(state, begin(market=market_now))
    worked: list[tuple[int, int]] = []
    for _ in range(500):
        STRATEGY.fold(events, state)
        parent = state.parents[PARENT]
        part = slice_of(events)
        if part is not None:
            worked.append((part.quantity, parent.bin))
            done = filled(part.quantity, int(part.slice_id.rpartition(".")[2]))
            STRATEGY.evolve(state, done)
        if parent.filled_quantity == quantity or parent.is_ended:
            break
        events = STRATEGY.decide(state, wake(parent.next_due_ns, market=market_now))
    assert sum(size for size, _ in worked) == quantity
    assert all(size % lot == 0 for size, _ in worked)
    if lot > 1:  # not all of it in the last bin
        assert worked[0][1] < len(state.parents[PARENT].targets) - 1


def test_the_owners_minimum_is_not_cut() -> None:
    asked = (vwap(constraints=Constraints(minimum_quantity=150)), epoch_opened())
    begun = given(STRATEGY, *asked).when(begin(forecast=CURVE)).events()
    history = (*asked, *begun, position(Cause.FILL, 100, SECOND_BIN))
    assert quantity_of(second_bin(history=history, volume_per_s_e9=0)) in (0, 150)


def test_what_was_paid_so_far_is_held_against_the_benchmark() -> None:
    paid = (*DONE[:-2], filled(100, price_e9=10_010 * TICK), DONE[-1])
    events = second_bin(history=paid)
    told = reasons_of(events)[Reason.BENCHMARK_WORSE]
    assert told.value_e9 == 10 * E9  # ten basis points above arrival: nothing traded since
    assert position_of(events).estimate.distance_bps_e9 == 10 * E9  # type: ignore[union-attr]
    saved = (*DONE[:-2], filled(100, price_e9=9_990 * TICK), DONE[-1])
    assert Reason.BENCHMARK_BETTER in reasons_of(second_bin(history=saved))
    # Who has paid too much waits longer than who has paid little.
    assert rests_until(events) > rests_until(second_bin(history=saved))


def test_the_market_average_is_the_benchmark_of_vwap() -> None:
    others = market(1_000, estimate=seen().estimate, others_price_e9=10_020 * TICK)
    command = wake(SECOND_BIN, forecast=REST, market=others)
    told = position_of(given(STRATEGY, *DONE).when(command).events())
    assert told.estimate is not None
    assert told.estimate.distance_bps_e9 / E9 == pytest.approx(-19.96, abs=0.01)


def test_a_seller_feels_the_other_side_of_the_book() -> None:
    opened = (vwap(side=Side.SELL), epoch_opened())
    begun = given(STRATEGY, *opened).when(begin(forecast=CURVE)).events()
    history = (*opened, *begun, filled(100, side=Side.SELL), DONE[-1])
    events = second_bin(history=history, imbalance_e9=-700_000_000)
    assert Reason.SIGNAL_ADVERSE in reasons_of(events)


@pytest.mark.parametrize("strategy", [StrategyKind.TWAP, StrategyKind.IMPLEMENTATION_SHORTFALL])
def test_every_scheduled_strategy_is_advised(strategy: StrategyKind) -> None:
    opened = (parent_opened(strategy), epoch_opened())
    begun = given(STRATEGY, *opened).when(begin(market=seen())).events()
    at_ns = position_of(begun).next_due_ns
    burst = seen(5_000, volume_per_s_e9=300 * E9)
    events = given(STRATEGY, *opened, *begun).when(wake(at_ns, market=burst)).events()
    assert Reason.VOLUME_BURST in reasons_of(events)
