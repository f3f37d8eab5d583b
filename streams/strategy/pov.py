"""POV: a share of others' volume as it happens, the deficit carried, each window within a band.

Source: SPEC section 5. A window that saw too little stays open: nobody trades on a single print.
"""

from schemas.messages.strategy import ScheduleSet
from streams.strategy.following import starts_at_once
from streams.strategy.method import Bin, Method
from streams.strategy.releases import scheduled
from streams.strategy.schedule import banded_due
from streams.strategy.situation import Situation, Step

__all__ = ["POV"]


def _start(now: Situation) -> tuple[int, ...]:
    return (now.at_ns,)


def _spread(now: Situation, starts: tuple[int, ...], anchor: int) -> ScheduleSet:
    """Return the one bin that the whole window is: volume decides when its quantity goes out."""
    return scheduled(now, starts, (now.goal,), anchor=anchor)


def _ideal(now: Situation, _: int) -> int:
    return min(now.worked, now.goal)


def _track(now: Situation, _: Bin) -> int:
    raise AssertionError("it has a step of its own")


def _renewed(now: Situation) -> ScheduleSet | None:
    """Return a plan for a changed quantity; volume is counted from the first one on."""
    if now.parent.targets[-1] == now.goal:
        return None
    return _spread(now, _start(now), min(now.worked, now.goal))


def _step(now: Situation) -> Step:
    """Return the window, and how far its volume lets the parent go."""
    parent, window_ns = now.parent, now.settings.window_ns
    begun_ns = parent.first_start_ns or now.at_ns
    ordinal = (now.at_ns - begun_ns) // window_ns
    opens_ns = begun_ns + ordinal * window_ns
    closes_ns = min(opens_ns + window_ns, now.end_ns)
    target, seen, unfloored = parent.target_quantity, parent.bin, -1
    if now.is_planning and parent.plans and ordinal > parent.bin and _is_enough(now):
        (target, unfloored), seen = _target(now), ordinal
    cap = max(parent.cap_quantity, now.cap(0))
    return Step(seen, min(target, now.goal), cap, opens_ns, closes_ns, False, unfloored=unfloored)


def _is_enough(now: Situation) -> bool:
    """Return whether the window saw more than one print, and not too little."""
    parent, settings = now.parent, now.settings
    prints = now.market.prints - parent.first_market_prints - parent.window_prints
    volume = now.others - parent.window_quantity
    return prints >= settings.window_prints_min and volume >= settings.window_volume_min


def _target(now: Situation) -> tuple[int, int]:
    """Return the cumulative target that the volume since the last window makes due.

    And what it would be without the floor of the band.

    What is on its way back does not count as done: it is caught up with, and its fills are too.
    """
    parent, parameters = now.parent, now.parameters
    expiring = sum(part.quantity for part in parent.slices.values() if part.is_over(now.at_ns))
    done = now.worked - expiring
    continuous = done - parent.opening_committed
    rate_bps = parameters.participation_rate_bps
    need = now.share(now.others, rate_bps) - continuous
    high_bps = min(parameters.participation_high_bps, parent.participation_cap_bps)
    low_bps = min(parameters.participation_floor_bps, rate_bps, high_bps)
    volume = now.others - parent.window_quantity
    due = banded_due(need, volume, low_bps, high_bps)
    return done + due, done + banded_due(max(0, need), volume, 0, high_bps)


POV = Method(
    starts_at_once, _start, _spread, _ideal, _track, _renewed, is_spread_again=False, step=_step
)
