"""Our trading moves the generated market: fast costs more than slow, and the price comes back."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from schemas.messages.core import BookState, ExecType, Liquidity, Side, TimeInForce
from schemas.messages.venues import ExecutionReport
from services.venues.conditions import Conditions
from services.venues.dark import midpoint
from services.venues.frames import BookTarget, Frame, HiddenOrder, MarketTrade
from services.venues.impact import (
    ImpactTerms,
    Market,
    fade,
    half_life_ns,
    impact_terms,
    moved,
    strike,
)
from services.venues.scenario import Scenario, plan_day
from services.venues.shifted import ShiftedMarket
from services.venues.state import Move, SimulatorState
from tests.support.venue_driver import VenueDriver, child_placed

SECOND = 1_000_000_000
STEP_S = 10
TICK = 10_000_000
SCENARIO = Scenario(seed=1, minutes=45, orders=0, step_ns=STEP_S * SECOND)
ALDER = Market(4_120 * TICK, 140, 2_100_000, TICK, 1_200)
SEEDS = range(1, 4)
QUANTITY = 12_000  # 0.6 % of ALDER's day
FAST = {step: QUANTITY // 6 for step in range(10, 16)}
LAST = max(FAST)
SLOW = {step: QUANTITY // 120 for step in range(10, 250, 2)}
PLANS: dict[str, dict[int, int]] = {"nothing": {}, "fast": FAST, "slow": SLOW}
TERMS = {"ALDER": ImpactTerms(1_000, 10, 100, 10, 500_000_000)}


def sweeps(step: int, quantity: int, side: Side) -> list[Any]:
    """Return orders that take `quantity` at the three lit venues, whatever the price."""
    price = 100_000_000_000 if side is Side.BUY else TICK
    return [
        child_placed(
            f"c.{step}.{number}",
            venue_id=venue_id,
            quantity=quantity * part // 100,
            side=side,
            price_e9=price,
            time_in_force=TimeInForce.IOC,
        )
        for number, (venue_id, part) in enumerate({"NORD": 50, "OST": 30, "SUED": 20}.items())
    ]


@cache
def play(
    seed: int, plan: str, steps: int, side: Side = Side.BUY, per_cent: int = 100
) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Trade a plan (quantity by step); return mids (2 x e9) by step, fills (step, shares, e9)."""
    parts = PLANS[plan]
    held = Conditions(impact_per_cent=per_cent)
    day = plan_day(replace(SCENARIO, seed=seed, conditions=held))
    driver, mids, fills = VenueDriver(day), [], []
    for step in range(1, steps + 1):
        children = sweeps(step, parts[step], side) if step in parts else []
        for heard in driver.step(children):
            message = heard.message
            if isinstance(message, ExecutionReport) and message.exec_type is ExecType.TRADE:
                assert message.last_price_e9 is not None
                fills.append((step, message.last_quantity, message.last_price_e9))
        books = [b for b in driver.simulator.state.books.values() if b.instrument_id == "ALDER"]
        mids.append(midpoint(books) or 0)
    return mids, fills


def cost_bps(seed: int, plan: str, steps: int, per_cent: int = 100) -> float:
    """Return what was paid over the market without us: no noise of the walk is left in it."""
    untouched, _ = play(seed, "nothing", steps)
    _, fills = play(seed, plan, steps, per_cent=per_cent)
    shares = sum(quantity for _, quantity, _ in fills)
    assert shares > 0.9 * QUANTITY
    paid = sum(quantity * (price - untouched[step - 1]) for step, quantity, price in fills)
    return 1e4 * paid / shares / untouched[0]


def test_a_fast_execution_pays_more_than_a_slow_one_at_every_seed() -> None:
    for seed in SEEDS:
        fast, slow = cost_bps(seed, "fast", 20), cost_bps(seed, "slow", 255)
        assert fast > slow + 4, (seed, fast, slow)  # bp
        assert slow > 0, (seed, slow)


def test_without_impact_only_the_spread_and_the_depth_are_paid() -> None:
    for seed in SEEDS:
        assert cost_bps(seed, "fast", 20) > cost_bps(seed, "fast", 20, per_cent=0) + 5


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_price_goes_with_us_and_comes_back_but_for_a_small_part(side: Side) -> None:
    sign = 1 if side is Side.BUY else -1
    half_life = half_life_ns(ALDER) // (STEP_S * SECOND)
    steps = LAST + 1 + 8 * half_life
    for seed in SEEDS:
        untouched, _ = play(seed, "nothing", steps)
        pushed, _ = play(seed, "fast", steps, side)
        away = [sign * (a - b) for a, b in zip(pushed, untouched, strict=True)]
        peak = away[LAST + 1]
        assert peak > 5 * TICK, (seed, peak)
        assert abs(away[LAST + 1 + half_life] - peak / 2) < 3 * TICK
        assert 0 <= away[-1] <= TICK


def test_buying_and_selling_again_loses_money() -> None:
    for seed in SEEDS:
        untouched, _ = play(seed, "nothing", 20)
        driver = VenueDriver(plan_day(replace(SCENARIO, seed=seed)))
        paid = 0
        for step in range(1, 20):
            children = []
            if step == 10:
                children = sweeps(step, 3_000, Side.BUY)
            elif step == 11:
                children = sweeps(step, 3_000, Side.SELL)
            for heard in driver.step(children):
                message = heard.message
                if isinstance(message, ExecutionReport) and message.exec_type is ExecType.TRADE:
                    assert message.last_price_e9 is not None
                    sign = 1 if message.side is Side.BUY else -1
                    over = message.last_price_e9 - untouched[step - 1]
                    paid += sign * message.last_quantity * over
        assert paid > 0, seed


# how it filled, what the price moves by: transient, permanent
@pytest.mark.parametrize(
    ("liquidity", "transient", "permanent"),
    [
        (Liquidity.REMOVED, 1_000, 100),
        (Liquidity.ADDED, 1_000, 100),
        (Liquidity.HIDDEN, 500, 50),
        (Liquidity.AUCTION, 1_000, 100),
    ],
)
def test_each_kind_of_execution_moves_as_stated(
    liquidity: Liquidity, transient: int, permanent: int
) -> None:
    for side, sign in ((Side.BUY, 1), (Side.SELL, -1)):
        state = SimulatorState()
        strike(state, TERMS, "ALDER", side, quantity=10, liquidity=liquidity)
        assert moved(state) == {"ALDER": sign * (transient + permanent)}
        fade(state, TERMS)
        assert state.moves["ALDER"] == Move(sign * (transient // 2), sign * permanent)


def test_what_nobody_assumed_moves_nothing() -> None:
    state = SimulatorState()
    strike(state, {}, "ALDER", Side.BUY, quantity=10, liquidity=Liquidity.REMOVED)
    assert moved(state) == {}
    assert plan_day(replace(SCENARIO, conditions=Conditions(impact_per_cent=0))).terms.impact == {}


def test_a_tenth_of_the_volume_costs_what_was_measured() -> None:
    """The steady state of the jump at that rate: 0.142 sigma 0.1^0.6."""
    market = Market(100 * SECOND, 100, 390 * 60 * 1_000, TICK, 1_000)
    terms = impact_terms(market, SECOND, 100)
    state = SimulatorState()
    for _ in range(5_000):  # 100 shares a second: a tenth of 1000
        fade(state, {"ALDER": terms})
        strike(
            state, {"ALDER": terms}, "ALDER", Side.BUY, quantity=100, liquidity=Liquidity.REMOVED
        )
    sigma_e9 = SECOND  # 100 bp of 100
    steady = state.moves["ALDER"].transient_e9 / sigma_e9
    assert steady == pytest.approx(0.142 * 0.1**0.6, rel=0.02)


def test_a_tape_is_shifted_by_whole_ticks_when_asked() -> None:
    hidden = HiddenOrder(1, 100 * TICK, 5)
    target = BookTarget(
        "NORD", "ALDER", BookState.OPEN, ((99 * TICK, 7),), ((101 * TICK, 8),), hidden, None
    )
    trade = MarketTrade(1, "NORD", "ALDER", Side.BUY, 5, 101 * TICK)

    class Tape:
        def frame(self, step: int, moved: Any = None) -> Frame:
            return Frame((target,), (trade,), ())

    shifted = ShiftedMarket(Tape(), {"ALDER": TICK})
    assert shifted.frame(1, {"ALDER": TICK // 2 - 1}) == Tape().frame(1)
    (book,) = shifted.frame(1, {"ALDER": 3 * TICK // 2}).targets
    assert (book.bids, book.asks) == (((101 * TICK, 7),), ((103 * TICK, 8),))
    assert book.hidden_bid is not None and book.hidden_bid.price_e9 == 102 * TICK
    (moved_trade,) = shifted.frame(1, {"ALDER": -TICK}).trades
    assert moved_trade.price_e9 == 100 * TICK
