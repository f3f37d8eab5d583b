"""How hard the quantity that is due is worked now: rest, or take; how much, until when, and why.

Without an estimate of the market: rest until late in the bin, then take what is behind the plan.
With one, every reason that holds changes the next child's size, time, price or aggressiveness,
and stands in the event beside what it was held against (docs/adr/0023).
"""

from typing import Final, NamedTuple

from schemas.messages.core import (
    Adjustment,
    AdjustmentReason,
    MarketEstimate,
    RoutingLogic,
    StrategyKind,
    Tactic,
    Urgency,
)
from streams.strategy.schedule import BPS, floor_lot
from streams.strategy.signals import (
    Lag,
    Reasons,
    adverse_e9,
    estimate_of,
    lag_of,
    reasons_of,
)
from streams.strategy.situation import Situation, Step
from streams.strategy.state import OpenSlice
from streams.strategy.tactics import Costs, Odds, choose, risk_bps_e9

__all__ = ["Advice", "advise", "is_free", "rest_ns"]

E9: Final = 1_000_000_000
Reason = AdjustmentReason
# The last part of a bin in which what is behind the plan crosses the spread.
CROSS_PART: Final = {Urgency.PASSIVE: 8, Urgency.NEUTRAL: 4, Urgency.URGENT: 2}
# How much that part grows or shrinks, by reason: what makes waiting dearer ends it sooner.
SOONER_BPS: Final = {
    Reason.BEHIND: 20_000,
    Reason.VOLUME_BURST: 15_000,
    Reason.VOLATILITY_UP: 15_000,
    Reason.SPREAD_TIGHT: 15_000,
    Reason.SIGNAL_ADVERSE: 15_000,
    Reason.FILLED_SLOW: 12_500,
    Reason.BENCHMARK_BETTER: 12_500,
    Reason.BENCHMARK_WORSE: 8_000,
    Reason.FILLED_FAST: 8_000,
    Reason.VOLATILITY_DOWN: 7_500,
    Reason.SIGNAL_FAVORABLE: 7_500,
    Reason.AHEAD: 5_000,
    Reason.DRY_SPELL: 5_000,
    Reason.SPREAD_WIDE: 5_000,
    Reason.HALT_ENDED: 5_000,
}
# What of the quantity goes out at first, by reason.
PROBE_BPS: Final = 2_500
HALVED_BPS: Final = 5_000
LEAST_BPS: Final = 2_500
# What being late by the whole bin costs, in spreads and fees of a later crossing, by urgency.
LATE: Final = {Urgency.PASSIVE: 1, Urgency.NEUTRAL: 2, Urgency.URGENT: 4}
# How much longer than its bin a child may rest before somebody must take, by urgency: what a bin
# leaves rests on in the next. Part of a bin: the more, the cheaper, and the farther from the plan.
LONGER_BPS: Final = {Urgency.PASSIVE: BPS, Urgency.NEUTRAL: BPS // 2, Urgency.URGENT: 0}
CAREFUL: Final = (Reason.HALT_ENDED, Reason.PROBE)


class Advice(NamedTuple):
    """The next slice of a scheduled parent; a quantity of 0 means to wait until `next_due_ns`."""

    quantity: int  # at most what was wanted
    tactic: Tactic
    logic: RoutingLogic
    deadline_ns: int
    adjustments: tuple[Adjustment, ...]
    next_due_ns: int  # when the parent is looked at again if nothing happens before
    held: int = 0  # kept back on purpose: nobody need ask for it before then
    estimate: MarketEstimate | None = None


class Sight(NamedTuple):
    """What one decision sees."""

    lag: Lag
    reasons: Reasons
    seen: MarketEstimate


def advise(now: Situation, step: Step, wanted: int) -> Advice:
    """Return how `wanted`, which plan, cap and room allow now, is worked; less, never more."""
    seen = estimate_of(now)
    if seen is None:
        return _plain(now, step, wanted)
    lag = lag_of(now, step, seen)
    reasons = reasons_of(now, step, lag, seen)
    sight = Sight(lag, reasons, seen)
    cross_ns = _cross_ns(now, step, reasons)
    is_crossing = now.at_ns >= cross_ns
    until_ns = step.closes_ns if is_crossing else cross_ns
    if wanted == 0:
        next_due_ns = min(until_ns, step.closes_ns)
        if step.is_last and is_crossing:
            next_due_ns = min(next_due_ns, now.at_ns + now.settings.sweep_ns)
        told, logic = tuple(reasons.values()), RoutingLogic.SEQUENTIAL
        return Advice(0, Tactic.UNKNOWN, logic, until_ns, told, next_due_ns, estimate=seen)
    tactic = _tactic(now, step, sight, is_crossing=is_crossing)
    logic = RoutingLogic.SEQUENTIAL
    quantity, deadline_ns = wanted, until_ns
    if tactic is Tactic.CROSS:
        logic = RoutingLogic.SWEEP
        deadline_ns = min(now.at_ns + now.settings.sweep_ns, step.closes_ns)
    else:
        quantity = _part(now, step, wanted, sight)
        if quantity < wanted or is_crossing:  # look again before long: at the rest, or to take
            wait_ns = max((until_ns - now.at_ns) // 2, now.settings.sweep_ns)
            if Reason.PROBE in reasons:
                wait_ns = max(wait_ns // 2, now.settings.sweep_ns)
            deadline_ns = min(now.at_ns + wait_ns, until_ns)
    is_due = (not is_crossing or _is_late(now, step)) and is_free(now, logic)
    quantity = quantity if is_due else 0
    next_due_ns = min(until_ns, deadline_ns) if quantity else until_ns
    next_due_ns = min(next_due_ns, step.closes_ns)  # a rate's children outlive its windows
    if step.is_last and is_crossing:  # the cap may grow, a return may be missed: look again
        next_due_ns = min(next_due_ns, now.at_ns + now.settings.sweep_ns)
    return Advice(
        quantity=quantity,
        tactic=tactic,
        logic=logic,
        deadline_ns=deadline_ns,
        adjustments=tuple(reasons.values()),
        next_due_ns=next_due_ns,
        held=wanted - quantity if quantity else 0,
        estimate=seen,
    )


def _plain(now: Situation, step: Step, wanted: int) -> Advice:
    """Return what to do while nothing is known of the market."""
    cross_ns = _cross_ns(now, step, None)
    is_crossing = now.at_ns >= cross_ns
    if is_crossing and now.is_marketable:
        tactic, logic = Tactic.CROSS, RoutingLogic.SWEEP
        deadline_ns = min(now.at_ns + now.settings.sweep_ns, step.closes_ns)
    else:
        tactic, logic = Tactic.JOIN, RoutingLogic.SEQUENTIAL
        deadline_ns = step.closes_ns if is_crossing else cross_ns
    is_due = (_is_late(now, step) or not is_crossing) and is_free(now, logic)
    next_due_ns = step.closes_ns if is_crossing else cross_ns
    if step.is_last and is_crossing:  # the cap may grow, a return may be missed: look again
        next_due_ns = min(next_due_ns, now.at_ns + now.settings.sweep_ns)
    return Advice(wanted if is_due else 0, tactic, logic, deadline_ns, (), next_due_ns)


def is_free(now: Situation, logic: RoutingLogic) -> bool:
    """Return whether nothing forbids another slice of that kind: no flood, one open at a time.

    A slice past its deadline is on its way back and does not count; its quantity still does.
    """

    def blocks(part: OpenSlice) -> bool:
        return part.logic is logic and not part.is_over(now.at_ns)

    is_rate = now.parent.strategy is StrategyKind.POV and logic is RoutingLogic.SEQUENTIAL
    # What a window makes due rests for a bin: so many windows rest beside each other.
    most = max(1, now.settings.bin_ns // now.settings.window_ns) if is_rate else 1
    is_full = sum(blocks(part) for part in now.parent.slices.values()) >= most
    return now.at_ns >= now.parent.not_before_ns and not is_full


def _is_late(now: Situation, step: Step) -> bool:
    """Return whether late in the bin something is left to take."""
    tolerance = now.parent.quantity * now.settings.tolerance_bps // BPS
    band = now.market.instrument.lot + tolerance
    return step.is_last or step.target - now.parent.filled_quantity > band


def _cross_ns(now: Situation, step: Step, reasons: Reasons | None) -> int:
    """Return when resting ends and what is behind may start to cross the spread."""
    if reasons is not None and now.parent.strategy is StrategyKind.POV:
        return _band_ns(now, step, reasons)
    length_ns = step.closes_ns - step.opens_ns
    part_ns = length_ns // CROSS_PART.get(now.parent.urgency, 4)
    if reasons:
        for reason in reasons:
            part_ns = part_ns * SOONER_BPS.get(reason, BPS) // BPS
        part_ns = min(max(part_ns, length_ns // 16), length_ns * 3 // 4)
    cross_ns = step.closes_ns - part_ns
    if step.is_last:  # completion needs time for several sweeps
        cross_ns = min(cross_ns, step.closes_ns - now.settings.completion_ns)
    return max(cross_ns, step.opens_ns)


def _band_ns(now: Situation, step: Step, reasons: Reasons) -> int:
    """Return when a rate stops resting: as it falls out of its band, and before its end.

    Else a child rests for a bin, and is back before a window ends: what comes back with the next
    one is bounded by what that one trades.
    """
    ends_ns, settings = now.end_ns - now.settings.completion_ns, now.settings
    if Reason.BEHIND in reasons or now.at_ns >= ends_ns:
        return step.opens_ns
    rests_ns = step.opens_ns + settings.bin_ns - 2 * settings.sweep_ns
    return min(max(rests_ns, step.closes_ns), ends_ns)


def rest_ns(now: Situation, step: Step) -> int:
    """Return how long a child may rest before somebody must take: its chance is over that."""
    if step.is_last:
        return step.closes_ns - now.at_ns
    if now.parent.strategy is StrategyKind.POV:
        return min(now.settings.bin_ns, now.end_ns - now.at_ns)
    starts_ns = now.parent.starts_ns
    first_ns = starts_ns[0] if len(starts_ns) == step.bins else step.opens_ns
    usual_ns = (now.end_ns - first_ns) // max(step.bins, 1)  # slots differ in length
    longer_ns = usual_ns * LONGER_BPS.get(now.parent.urgency, BPS // 2) // BPS
    return min(step.closes_ns + longer_ns, now.end_ns) - now.at_ns


def _tactic(now: Situation, step: Step, sight: Sight, *, is_crossing: bool) -> Tactic:
    """Return how the next child meets the quote."""
    reasons, seen = sight.reasons, sight.seen
    # The owner wants it done, and nothing later could do it; nothing else keeps a rate in its band.
    is_forced = Reason.END_NEAR in reasons or now.parent.strategy is StrategyKind.POV
    if is_forced and is_crossing and now.is_marketable:
        return Tactic.CROSS
    if any(reason in reasons for reason in CAREFUL):
        return Tactic.JOIN
    costs = _costs(now, seen)
    wait_ns = rest_ns(now, step)
    waiting = _waiting_bps_e9(now, sight, costs, wait_ns)
    alpha = costs.half + costs.taker_fee + waiting
    hazards = _hazards(seen)
    chosen = choose(alpha, costs, Odds(*hazards, wait_ns))
    may_cross = now.is_marketable and (is_crossing or Reason.BEHIND in reasons)
    if chosen.tactic is Tactic.CROSS and may_cross:
        return Tactic.CROSS
    if Reason.AHEAD in reasons or Reason.SIGNAL_FAVORABLE in reasons:
        return Tactic.JOIN  # the market may come to us
    tactic = chosen.tactic
    if tactic is Tactic.CROSS:  # not yet: the most eager way to post
        tactic = Tactic.IMPROVE if costs.half >= costs.tick else Tactic.PEG
    is_eager = Reason.BEHIND in reasons or Reason.SIGNAL_ADVERSE in reasons
    if tactic is Tactic.JOIN and (is_eager or now.parent.urgency is Urgency.URGENT):
        return Tactic.PEG  # not to be left behind by the quote
    return tactic


def _hazards(seen: MarketEstimate) -> tuple[int, int]:
    """Return the fill hazards as the market's pace is now: at twice the volume, twice as high."""
    new, usual = seen.volume_per_s_e9, seen.volume_usual_per_s_e9
    join, improve = seen.fill_hazard_e9, seen.improve_hazard_e9 or seen.fill_hazard_e9
    if not usual:
        return join, improve
    pace = min(max(new, usual // 4), 4 * usual)
    return min(join * pace // usual, E9), min(improve * pace // usual, E9)


def _costs(now: Situation, seen: MarketEstimate) -> Costs:
    settings, quote = now.settings, now.market.quote
    half = (seen.spread_now_bps_e9 or seen.spread_bps_e9) // 2
    tick = 0
    if quote is not None and quote.midpoint_e9 > 0:
        tick_e9 = now.market.instrument.tick_at(quote.bid_e9)
        tick = tick_e9 * BPS * E9 // quote.midpoint_e9
    return Costs(
        half=half,
        tick=tick,
        taker_fee=settings.taker_fee_bps_e9,
        rebate=settings.rebate_bps_e9,
        adverse=half * settings.adverse_bps // BPS,
        decay_bps=settings.decay_bps,
    )


def _waiting_bps_e9(now: Situation, sight: Sight, costs: Costs, wait_ns: int) -> int:
    """Return what waiting costs: drift at the touch, risk, and being late against the plan."""
    lag, reasons, seen = sight
    drift = adverse_e9(now, seen) * costs.half // E9
    session_ns = now.market.instrument.session_close_ns - now.market.instrument.session_open_ns
    risk = risk_bps_e9(seen, now.parent.urgency, wait_ns, session_ns)
    late = 0
    left = lag.due - lag.filled
    if left > 0:
        share_e9 = min(left * E9 // max(lag.part, 1), E9)
        later = (seen.spread_bps_e9 or 2 * costs.half) + costs.taker_fee
        late = later * LATE.get(now.parent.urgency, 2) * share_e9 // E9
        if Reason.BENCHMARK_WORSE in reasons:
            late = late * 3 // 4
        elif Reason.BENCHMARK_BETTER in reasons:
            late = late * 5 // 4
    return drift + risk + late


def _part(now: Situation, step: Step, wanted: int, sight: Sight) -> int:
    """Return what of `wanted` is posted now; whole lots, and never under the owner's minimum."""
    _, reasons, seen = sight
    lot = now.market.instrument.lot
    if wanted <= lot or Reason.SMALL_ORDER in reasons or Reason.END_NEAR in reasons:
        return wanted
    share_bps = BPS
    if Reason.PROBE in reasons:
        share_bps = PROBE_BPS
    elif Reason.PROBE_MET in reasons:
        met = reasons[Reason.PROBE_MET]
        if 2 * met.value_e9 < met.reference_e9:
            share_bps = HALVED_BPS
    if Reason.HALT_ENDED in reasons:
        share_bps = min(share_bps, HALVED_BPS)
    if Reason.DRY_SPELL in reasons and not step.is_last:
        dry_bps = seen.volume_per_s_e9 * BPS // max(seen.volume_usual_per_s_e9, 1)
        share_bps = min(share_bps, max(dry_bps, LEAST_BPS))
    if share_bps == BPS:
        return wanted
    part = max(floor_lot(wanted * share_bps // BPS, lot), lot)
    return min(wanted, max(part, now.parent.minimum_quantity))
