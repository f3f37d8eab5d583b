"""TWAP: equal slots with a drawn instant and size each, never far from the straight line.

Source: SPEC section 5; the bound is that of streams.strategy.schedule.jittered_targets.
"""

from hashlib import sha256

from schemas.messages.strategy import ScheduleSet
from streams.core.ids import within_log
from streams.strategy.following import starts_at_once
from streams.strategy.method import Bin, Method
from streams.strategy.releases import scheduled
from streams.strategy.schedule import PARTS_MAX, jittered_targets, jittered_times
from streams.strategy.situation import Situation

__all__ = ["TWAP"]


def _seed(now: Situation) -> bytes:
    """Return the seed of the plan made now: two parents of one batch never move together."""
    return sha256(now.entropy + within_log(now.parent.parent_id).encode()).digest()


def _slots(now: Situation) -> tuple[int, ...]:
    slots = min(max(1, (now.end_ns - now.at_ns) // now.settings.slot_ns), PARTS_MAX)
    jitter = now.parameters.time_jitter_bps
    return jittered_times(now.at_ns, now.end_ns, slots, seed=_seed(now), time_jitter_bps=jitter)


def _spread(now: Situation, starts: tuple[int, ...], anchor: int) -> ScheduleSet:
    lot, jitter = now.market.instrument.lot, now.parameters.size_jitter_bps
    seed, rest = _seed(now), max(0, now.goal - anchor)
    shape = jittered_targets(rest, len(starts), lot, seed=seed, size_jitter_bps=jitter)
    return scheduled(now, starts, [anchor + part for part in shape], anchor=anchor, seed=seed)


def _ideal(now: Situation, ordinal: int) -> int:
    """Return where the straight line stands at the start of the slot. Rounds: down."""
    parent = now.parent
    rest = parent.targets[-1] - parent.anchor_quantity
    return parent.anchor_quantity + rest * ordinal // len(parent.starts_ns)


def _track(_: Situation, bin_: Bin) -> int:
    return bin_.target


def _holds(_: Situation) -> None:
    """Return None: a plan stands until the quantity changes."""


TWAP = Method(starts_at_once, _slots, _spread, _ideal, _track, _holds, is_spread_again=True)
