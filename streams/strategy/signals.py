"""What the market, the position and the own fills say about the next child, each as a reason."""

from typing import Final, NamedTuple

from schemas.messages.core import (
    Adjustment,
    AdjustmentReason,
    MarketEstimate,
    Side,
    StrategyKind,
    Urgency,
)
from streams.strategy.progress import distance_bps_e9
from streams.strategy.schedule import BPS
from streams.strategy.situation import Situation, Step

__all__ = ["Lag", "Reasons", "estimate_of", "lag_of", "reasons_of"]

E9: Final = 1_000_000_000
Reason = AdjustmentReason
Reasons = dict[AdjustmentReason, Adjustment]
# Plans with fewer bins, or past their middle, have no time for a probe.
PROBE_BINS_MIN: Final = 4
IMBALANCE_E9: Final = 500_000_000  # beyond it somebody at the touch is clearly more eager


class Lag(NamedTuple):
    """Where the parent stands against where the plan wants it at this instant."""

    due: int  # cumulative, smallest units
    filled: int
    band: int  # nearer than that is neither behind nor ahead
    part: int  # what this bin is to do

    @property
    def behind(self) -> int:
        """Return by how much it is late; less than 0 when it is early."""
        return self.due - self.filled


def lag_of(now: Situation, step: Step, seen: MarketEstimate) -> Lag:
    """Return the position against the plan, the plan taken as even within its bin."""
    parent = now.parent
    filled = max(0, parent.filled_quantity)
    tolerance = parent.quantity * now.settings.tolerance_bps // BPS
    band = now.market.instrument.lot + tolerance
    if parent.strategy is StrategyKind.POV:
        part = _patience(now, step, seen)
        return Lag(step.target, filled, band + part, part)
    if parent.strategy is StrategyKind.TWAP and len(parent.starts_ns) == step.bins:
        part = max(1, (parent.targets[-1] - parent.anchor_quantity) // step.bins)
        return Lag(min(_line(now), step.target), filled, band + part // 2, part)
    begun = min(_begun(now, step), step.target)
    length_ns = max(1, step.closes_ns - step.opens_ns)
    elapsed_ns = min(max(now.at_ns - step.opens_ns, 0), length_ns)
    part = step.target - begun
    due = begun + part * elapsed_ns // length_ns
    return Lag(due, filled, band + part // 2, part)


def _line(now: Situation) -> int:
    """Return where equal slots without a draw would stand: a drawn instant makes nobody late.

    Rounds: down.
    """
    parent = now.parent
    first_ns, slots = parent.starts_ns[0], len(parent.starts_ns)
    rest = parent.targets[-1] - parent.anchor_quantity
    # The first begins half a slot after the plan, so that slots - 1 / 2 of them are left.
    elapsed, whole = (2 * slots - 1) * max(0, now.at_ns - first_ns), 2 * slots
    return parent.anchor_quantity + rest * elapsed // (whole * max(1, now.end_ns - first_ns))


def _begun(now: Situation, step: Step) -> int:
    """Return where the plan wanted to stand at the start of the bin.

    Others' volume moves the end of a bin that is tracked, and its start with it: of what was left
    then the bin has the part that was planned. Rounds: down.
    """
    parent = now.parent
    if not 0 < step.bin <= len(parent.targets):
        return parent.anchor_quantity
    whole, planned = parent.targets[-1], parent.targets[step.bin - 1]
    after = 0 if step.bin == len(parent.targets) else whole - parent.targets[step.bin]
    if step.is_last or after <= 0:
        return planned
    left = max(0, whole - step.target) * (whole - planned) // after
    return max(parent.anchor_quantity, whole - left)


def _patience(now: Situation, step: Step, seen: MarketEstimate) -> int:
    """Return what a rate makes due within a bin: so much of it may rest. Rounds: down.

    By the volume that is usual; while that is not known, by that of the window before.
    """
    rate_bps, settings = now.parameters.participation_rate_bps, now.settings
    pace_e9 = max(seen.volume_per_s_e9, seen.volume_usual_per_s_e9)
    if pace_e9:
        volume = pace_e9 * settings.bin_ns // (E9 * E9)
    else:
        volume = now.others - now.parent.window_quantity
    return min(now.share(volume, rate_bps), step.target)


def estimate_of(now: Situation) -> MarketEstimate | None:
    """Return the market's estimate with the parent's own distance to its benchmark."""
    estimate, parent = now.market.estimate, now.parent
    if estimate is None or parent.progress.quantity <= 0:
        return estimate
    distance = distance_bps_e9(
        parent.progress,
        parent.strategy,
        parent.side,
        now.market.others_quantity,
        now.market.others_price_e9,
    )
    return MarketEstimate(
        volatility_bps_e9=estimate.volatility_bps_e9,
        spread_bps_e9=estimate.spread_bps_e9,
        volume_per_s_e9=estimate.volume_per_s_e9,
        fill_hazard_e9=estimate.fill_hazard_e9,
        imbalance_e9=estimate.imbalance_e9,
        distance_bps_e9=distance,
        volatility_usual_bps_e9=estimate.volatility_usual_bps_e9,
        spread_now_bps_e9=estimate.spread_now_bps_e9,
        volume_usual_per_s_e9=estimate.volume_usual_per_s_e9,
        improve_hazard_e9=estimate.improve_hazard_e9,
        halt_age_ns=estimate.halt_age_ns,
    )


def reasons_of(now: Situation, step: Step, lag: Lag, seen: MarketEstimate) -> Reasons:
    """Return every reason that holds, most important first."""
    found: Reasons = {}
    _position(found, now, step, lag)
    _market(found, now, seen)
    _fills(found, now, step, seen)
    return found


def adverse_e9(now: Situation, seen: MarketEstimate) -> int:
    """Return the imbalance as the parent feels it: more than 0 moves the price away from it."""
    return seen.imbalance_e9 if now.parent.side is Side.BUY else -seen.imbalance_e9


def _position(found: Reasons, now: Situation, step: Step, lag: Lag) -> None:
    parent, settings = now.parent, now.settings
    left_ns = now.end_ns - now.at_ns
    if step.is_last and left_ns <= settings.completion_ns:
        _add(found, Reason.END_NEAR, left_ns, settings.completion_ns)
    if lag.behind > lag.band:
        _add(found, Reason.BEHIND, lag.filled, lag.due)
    elif -lag.behind > lag.band:
        _add(found, Reason.AHEAD, lag.filled, lag.due)
    if step.cap + parent.opening_committed < step.target:
        _add(found, Reason.CAP_BINDS, step.cap, step.target)
    if 0 <= step.unfloored < step.target and not step.is_last:
        _add(found, Reason.FLOOR_BINDS, step.target, step.unfloored)
    lots = now.market.instrument.lot * max(len(parent.targets), 1)
    if parent.quantity < lots or parent.quantity <= now.market.instrument.lot:
        _add(found, Reason.SMALL_ORDER, parent.quantity, lots)


def _market(found: Reasons, now: Situation, seen: MarketEstimate) -> None:
    if 0 < seen.halt_age_ns <= now.settings.calm_ns:
        _add(found, Reason.HALT_ENDED, seen.halt_age_ns, now.settings.calm_ns)
    new, usual = seen.volume_per_s_e9, seen.volume_usual_per_s_e9
    if usual and new > 2 * usual:
        _add(found, Reason.VOLUME_BURST, new, usual)
    elif usual and 5 * new < 2 * usual:
        _add(found, Reason.DRY_SPELL, new, usual)
    new, usual = seen.volatility_bps_e9, seen.volatility_usual_bps_e9
    if usual and 2 * new > 3 * usual:
        _add(found, Reason.VOLATILITY_UP, new, usual)
    elif usual and 3 * new < 2 * usual:
        _add(found, Reason.VOLATILITY_DOWN, new, usual)
    new, usual = seen.spread_now_bps_e9, seen.spread_bps_e9
    if usual and new >= 2 * usual:
        _add(found, Reason.SPREAD_WIDE, new, usual)
    elif new and 2 * new <= usual:
        _add(found, Reason.SPREAD_TIGHT, new, usual)
    adverse = adverse_e9(now, seen)
    if adverse > IMBALANCE_E9:
        _add(found, Reason.SIGNAL_ADVERSE, adverse, IMBALANCE_E9)
    elif adverse < -IMBALANCE_E9:
        _add(found, Reason.SIGNAL_FAVORABLE, adverse, -IMBALANCE_E9)


def _fills(found: Reasons, now: Situation, step: Step, seen: MarketEstimate) -> None:
    usual = now.settings.fill_hazard_e9
    if seen.fill_hazard_e9 > 2 * usual:
        _add(found, Reason.FILLED_FAST, seen.fill_hazard_e9, usual)
    elif 2 * seen.fill_hazard_e9 < usual:
        _add(found, Reason.FILLED_SLOW, seen.fill_hazard_e9, usual)
    distance, spread = seen.distance_bps_e9, seen.spread_bps_e9
    if spread and distance > spread:
        _add(found, Reason.BENCHMARK_WORSE, distance, spread)
    elif spread and distance < -spread:
        _add(found, Reason.BENCHMARK_BETTER, distance, -spread)
    is_rate = now.parent.strategy is StrategyKind.POV  # its first child still rests with the next
    if Reason.SMALL_ORDER in found or now.parent.urgency is Urgency.URGENT or is_rate:
        return
    progress = now.parent.progress
    if progress.probe_quantity == 0 and _is_early(now, step):
        _add(found, Reason.PROBE, 0, step.target)
    elif progress.probe_quantity and now.parent.slices_released == 1:
        _add(found, Reason.PROBE_MET, progress.quantity, progress.probe_quantity)


def _is_early(now: Situation, step: Step) -> bool:
    """Return whether a first child may find out what it meets before much depends on it."""
    bins = len(now.parent.targets) or step.bins
    is_followed = now.parent.strategy in (StrategyKind.VWAP, StrategyKind.CLOSE)
    return is_followed and bins >= PROBE_BINS_MIN and 2 * step.bin < bins


def _add(found: Reasons, reason: AdjustmentReason, value: int, reference: int) -> None:
    found[reason] = Adjustment(reason=reason, value_e9=value, reference_e9=reference)
