"""Following others' volume: what VWAP does, and CLOSE before its auction.

Source: SPEC section 4, Busseti-Boyd tracking of a forecast that moves with the day.
"""

from schemas.messages.strategy import ScheduleSet
from streams.strategy.method import Bin, Method
from streams.strategy.releases import scheduled
from streams.strategy.schedule import (
    bin_volumes,
    equal_bins,
    expected_volume,
    tracked_target,
    volume_targets,
)
from streams.strategy.situation import Situation

__all__ = ["CLOSE", "VWAP", "bins", "by_volume", "starts_at_once"]


def starts_at_once(now: Situation) -> int:
    """Return when the parent starts: nothing else is waited for."""
    return now.parent.start_ns


def bins(now: Situation) -> tuple[int, ...]:
    """Return bins of equal length to the end, on the forecast's grid."""
    grid_ns = now.at_ns if now.forecast is None else now.forecast.bin_start_ns
    return equal_bins(now.at_ns, now.end_ns, grid_ns, now.settings.bin_ns)


def by_volume(now: Situation, starts: tuple[int, ...], anchor: int) -> ScheduleSet:
    """Return targets that grow as the expected volume does; as time does without a forecast."""
    volumes = bin_volumes(starts, now.end_ns, now.forecast)
    shape = volume_targets(max(0, now.goal - anchor), 0, volumes)
    model = "" if now.forecast is None else now.forecast.model
    targets = [anchor + target for target in shape]
    return scheduled(now, starts, targets, anchor=anchor, model=model)


def _ideal(now: Situation, ordinal: int) -> int:
    """Return where tracking stands at the start of the bin. Rounds: down."""
    parent = now.parent
    rest = parent.targets[-1] - parent.anchor_quantity
    expected = 0
    if now.forecast is not None:
        opens_ns = max(parent.starts_ns[ordinal], now.at_ns)
        expected = expected_volume(now.forecast, opens_ns, now.end_ns)
    if not expected:
        return parent.targets[ordinal - 1] if ordinal else parent.anchor_quantity
    return parent.anchor_quantity + tracked_target(rest, now.traded, 0, expected)


def _track(now: Situation, bin_: Bin) -> int:
    """Return the cumulative target under what has traded and what is expected still.

    Only the cumulative gap matters, so an error of the past is made good now, not spread.
    """
    parent, target = now.parent, bin_.target
    if bin_.expected_rest:
        rest = parent.targets[-1] - parent.anchor_quantity
        target = parent.anchor_quantity + tracked_target(
            rest, now.traded, bin_.expected, bin_.expected_rest
        )
    return target


def _pre_close_ns(now: Situation) -> int:
    """Return when the continuous part of CLOSE begins: so long before trading ends."""
    return max(now.parent.start_ns, now.end_ns - now.parameters.pre_close_ns)


def _holds(_: Situation) -> None:
    """Return None: a plan stands until the quantity changes."""


VWAP = Method(starts_at_once, bins, by_volume, _ideal, _track, _holds, is_spread_again=False)
CLOSE = VWAP._replace(begins_ns=_pre_close_ns, is_spread_again=True)
