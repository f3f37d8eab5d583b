"""What a parent gives to the auctions: one slice each, before the cut-off, back after the outcome.

An auction is known by the instrument's calendar, or by what the venues say of it. Its volume is
not in the curve of continuous trading, so its part has a bound of its own.
"""

from typing import Final, NamedTuple

from schemas.messages.core import PhaseKind, RoutingLogic, Tactic, TimeInForce
from schemas.messages.strategy import ParentRecalibrated, SliceReleased
from streams.core.market import AUCTION_REPORTS_NS
from streams.strategy.releases import recalibrated, released
from streams.strategy.schedule import BPS, floor_lot
from streams.strategy.situation import Situation, Step
from streams.strategy.state import ParentSchedule

__all__ = ["is_opening_only", "kept", "over_ns", "release", "reserved"]

OPENING: Final = PhaseKind.OPENING_AUCTION
CLOSING: Final = PhaseKind.CLOSING_AUCTION
# The whole of such an order is for its auction, whatever its parameters say.
ONLY: Final = {TimeInForce.AT_OPEN: OPENING, TimeInForce.AT_CLOSE: CLOSING}


class _Call(NamedTuple):
    """An auction that is still to come."""

    from_ns: int  # when its slice goes out
    cutoff_ns: int  # orders are taken before
    end_ns: int  # when it has traded at the latest


def reserved(now: Situation) -> Situation:
    """Return the situation with what its auctions keep back, and when the next slice goes out."""
    parent = now.parent
    if not (
        now.parameters.opening_auction_bps
        or now.parameters.closing_auction_bps
        or parent.auctions
        or parent.time_in_force in ONLY
    ):
        return now
    return now._replace(closing_reserve=_reserve(now), auction_ns=_next_ns(now))


def kept(now: Situation) -> int:
    """Return what the closing auction is to do and has not done, smallest units.

    Continuous trading need not do it, so it is no risk to completion before the close.
    """
    parent = now.parent
    sent = [each for each, part in parent.auctions.items() if part.kind is CLOSING]
    if sent:
        return sum(parent.slices[each].quantity for each in sent if each in parent.slices)
    return reserved(now).closing_reserve


def _call(now: Situation, kind: PhaseKind) -> _Call | None:
    """Return the auction of that kind that the parent may still take part in; None for none."""
    terms, lead_ns = now.market.instrument, now.settings.auction_lead_ns
    if kind is CLOSING and now.end_ns < terms.session_close_ns:
        return None  # the parent is over before
    told = [each for each in now.market.auctions if each.kind is kind and not each.is_final]
    cutoff_ns = terms.open_cutoff_ns if kind is OPENING else terms.close_cutoff_ns
    end_ns = terms.session_open_ns if kind is OPENING else terms.closing_auction_end_ns
    cutoffs = [each.cutoff_ns for each in told if each.cutoff_ns > now.at_ns]
    if cutoff_ns:
        cutoffs.append(cutoff_ns)
    if not cutoffs or now.at_ns >= min(cutoffs):
        return None
    cutoff_ns = min(cutoffs)
    end_ns = max(end_ns, *(each.uncross_ns for each in told), cutoff_ns)
    if kind is CLOSING:
        from_ns = min(cutoff_ns, terms.session_close_ns) - lead_ns
    else:  # nothing is taken before the call begins
        from_ns = max(cutoff_ns - lead_ns, terms.opening_auction_start_ns)
    return _Call(from_ns, cutoff_ns, end_ns)


def _reserve(now: Situation) -> int:
    """Return what continuous trading leaves to the closing auction, smallest units.

    It is what the slice that is there already has; before it goes out, what it is to have.
    """
    parent = now.parent
    sent = [part for part in parent.auctions.values() if part.kind is CLOSING]
    if sent:
        return parent.closing_committed
    if _part_bps(now, CLOSING) == 0 or _call(now, CLOSING) is None:
        return 0
    if parent.plans and now.forecast is None:  # as it was planned, until somebody plans again
        return min(parent.closing_quantity, parent.quantity - parent.committed_quantity)
    return _wanted(now, CLOSING)


def _next_ns(now: Situation) -> int:
    """Return the next instant at which an auction's slice goes out; 0 when none is to go."""
    due = [call.from_ns for kind in (OPENING, CLOSING) if (call := _pending(now, kind))]
    return min(due, default=0)


def is_opening_only(parent: ParentSchedule) -> bool:
    """Return whether the parent took part in the opening auction and does nothing else."""
    if parent.time_in_force is not TimeInForce.AT_OPEN:
        return False
    return any(part.kind is OPENING for part in parent.auctions.values())


def over_ns(parent: ParentSchedule) -> int:
    """Return when the last word on the closing auction's slice is due; 0 when none is open."""
    closing = [
        part.deadline_ns
        for slice_id, part in parent.slices.items()
        if part.quantity and slice_id in parent.auctions
    ]
    return max(closing, default=0)


def release(now: Situation) -> tuple[ParentRecalibrated | SliceReleased, ...]:
    """Return the slice for an auction that is due now; () when none is."""
    for kind in (OPENING, CLOSING):
        call = _pending(now, kind)
        if call is None or now.at_ns < call.from_ns or not _may_release(now):
            continue
        quantity = min(_wanted(now, kind), now.parent.room)
        if quantity == 0:
            continue
        deadline_ns = call.end_ns + AUCTION_REPORTS_NS
        step = Step(
            now.parent.bin, now.parent.target_quantity, now.parent.cap_quantity, 0, 0, False
        )
        return (
            recalibrated(now, step, now.at_ns + 1, now.parent.not_before_ns),
            *released(
                now,
                quantity,
                RoutingLogic.SEQUENTIAL,
                deadline_ns,
                tactic=Tactic.AUCTION,
                auction=kind,
            ),
        )
    return ()


def _pending(now: Situation, kind: PhaseKind) -> _Call | None:
    """Return the auction that the parent wants to and can take part in, and has no slice for."""
    if _part_bps(now, kind) == 0:
        return None
    if any(part.kind is kind for part in now.parent.auctions.values()):
        return None
    return _call(now, kind)


def _part_bps(now: Situation, kind: PhaseKind) -> int:
    only = ONLY.get(now.parent.time_in_force)
    if only is not None:
        return BPS if only is kind else 0
    if now.parent.time_in_force is TimeInForce.IOC:
        return 0
    parameters = now.parameters
    is_opening = kind is OPENING
    return parameters.opening_auction_bps if is_opening else parameters.closing_auction_bps


def _wanted(now: Situation, kind: PhaseKind) -> int:
    """Return the auction's part of the order, within the cap on what the auction will trade.

    Rounds: down to the lot; a part that is all of the rest goes with its odd units.
    """
    parent = now.parent
    left = parent.quantity - parent.committed_quantity
    wanted = min(left, parent.quantity * _part_bps(now, kind) // BPS)
    if now.forecast is not None and parent.participation_cap_bps < BPS:
        is_opening = kind is OPENING
        forecast = now.forecast
        volume = forecast.opening_auction_volume if is_opening else forecast.closing_auction_volume
        if volume:
            wanted = min(wanted, now.share(volume, parent.participation_cap_bps))
    return wanted if wanted == left else floor_lot(wanted, now.market.instrument.lot)


def _may_release(now: Situation) -> bool:
    parent = now.parent
    is_free = not (now.is_stopped or parent.held_order_ids or parent.epoch == 0)
    return is_free and not now.market.instrument.is_halted and parent.room > 0
