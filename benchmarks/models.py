"""How long each model call of a shard takes, and each plan of the planner.

A shard decides in one thread, so no model call in it may take more than a millisecond: the p99 of
each is told as a ratio to that limit. The planner's solver is not bound by it.
"""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from schemas.messages.control import VolumeCurveDefined
from schemas.messages.core import Aim, Cause, PlanInputs, Side, StrategyKind
from schemas.messages.strategy import PlanRequested
from services.garbage import spare_collections
from streams.models.choice import Question, evaluate
from streams.models.plans import estimated, solved
from streams.models.volume import forecast_day
from streams.strategy.assess import PLAN_BINS_MAX

LIMIT_US = 1_000.0
MINUTE_NS = 60_000_000_000
DAY_NS = 390 * MINUTE_NS
E9 = 1_000_000_000
BINS = 390  # of a curve: a day of minutes
PARTS = 20  # of the window, when strategies are compared
PLANNER = "planner's general scheduler"


def inputs(**changes: Any) -> PlanInputs:
    """Return a tenth of a day's volume to be done in the day."""
    return PlanInputs(
        **{
            "as_of_ns": 0,
            "end_ns": DAY_NS,
            "epoch": 1,
            "quantity": 100_000,
            "filled_quantity": 0,
            "committed_quantity": 0,
            "others_quantity": 0,
            "market_quantity": 0,
            "expected_volume": 1_000_000,
            "volume_cv_e9": 350_000_000,
            "daily_volume": 1_000_000,
            "day_ns": DAY_NS,
            "volatility_bps_e9": 157 * E9,
            "spread_bps_e9": 3 * E9,
            "participation_cap_bps": 3_000,
            "pace_cap_bps": 2_000,
            "risk_aversion_e9": 1_000_000,
            "completion_floor_bps": 9_500,
            **changes,
        }
    )


def question(aim: Aim, n: int) -> Question:
    """Return the n-th of slightly different questions."""
    ends = tuple(DAY_NS * part // PARTS for part in range(1, PARTS + 1))
    return Question(
        parent_id="P",
        ordinal=n,
        cause=Cause.BIN,
        inputs=inputs(filled_quantity=n % 50_000),
        strategy=StrategyKind.IMPLEMENTATION_SHORTFALL,
        half_life_ns=DAY_NS // 2,
        review_ns=MINUTE_NS,
        aim=aim,
        bin_ends=ends,
        bin_volumes=(50_000,) * PARTS,
    )


def request(n: int) -> PlanRequested:
    """Return the n-th of slightly different requests: a curve that is high at both ends."""
    bins = PLAN_BINS_MAX
    width = DAY_NS // bins
    shape = [4 * (k / bins - 0.5) ** 2 + 0.5 for k in range(bins)]
    return PlanRequested(
        parent_id="P",
        request_id=f"P.plan.{n}",
        instrument_id="I",
        side=Side.BUY,
        strategy=StrategyKind.IMPLEMENTATION_SHORTFALL,
        cause=Cause.OPENED,
        inputs=inputs(committed_quantity=n % 50_000),
        bin_starts_ns=tuple(k * width for k in range(bins)),
        volumes=tuple(round(1_000_000 * each / sum(shape)) for each in shape),
    )


def curve() -> VolumeCurveDefined:
    """Return a day's curve of minutes."""
    return VolumeCurveDefined(
        instrument_id="I",
        model="benchmark",
        bin_ns=MINUTE_NS,
        first_bin_ns=0,
        log_volume_e9=(7_800_000_000,) * BINS,
        a_eta_e9=900_000_000,
        a_mu_e9=700_000_000,
        var_eta_e9=10_000_000,
        var_mu_e9=50_000_000,
        var_noise_e9=100_000_000,
    )


def show(calls: int) -> None:
    """Print, per call: median and p99 in microseconds and the ratio of the p99 to the limit."""
    of_day = curve()
    seen = (2_000,) * (BINS - 1)
    questions = [question(Aim.UNKNOWN, n) for n in range(calls + 1)]
    choices = [question(Aim.IMPACT, n) for n in range(calls + 1)]
    requests = [request(n) for n in range(calls + 1)]
    cases: list[tuple[str, Callable[[int], object]]] = [
        ("volume forecast, first bin", lambda _: forecast_day(of_day, (), 0)),
        ("volume forecast, last bin", lambda _: forecast_day(of_day, seen, BINS - 1)),
        ("policy on its frontier", lambda n: evaluate(questions[n], None)),
        ("strategies for an aim", lambda n: evaluate(choices[n], None)),
        ("plan by the closed form", lambda n: estimated(requests[n], None, "P.local", DAY_NS)),
        (PLANNER, lambda n: solved(requests[n], None, DAY_NS)),
    ]
    print(
        f"models of a shard: {calls:,} calls each, curves of {BINS} bins, plans of "
        f"{PLAN_BINS_MAX}; limit {LIMIT_US:,.0f} us of processor time at p99"
    )
    spare_collections()  # as an engine does
    digest = sha256()
    for name, call in cases:
        times, last = _times(call, calls if name != PLANNER else max(10, calls // 20))
        digest.update(repr(last).encode())
        p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
        told = f"ratio {p99 / LIMIT_US:.2f}" if name != PLANNER else "not in a shard"
        print(f"  {name}: p50 {p50:,.0f} us, p99 {p99:,.0f} us, {told}")
    print(f"  results {digest.hexdigest()[:16]}")


def _times(call: Callable[[int], object], calls: int) -> tuple[list[float], object]:
    """Return the sorted durations of the calls, microseconds, and the last result."""
    times, last = [], call(0)
    for n in range(1, calls + 1):
        began = time.thread_time_ns()  # processor time: others on the machine are no model's fault
        last = call(n)
        times.append((time.thread_time_ns() - began) / 1_000)
    return sorted(times), last
