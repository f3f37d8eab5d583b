"""Whether a plan still fits its parent: what moved, and how far it may have."""

from bisect import bisect_right
from typing import NamedTuple

from schemas.messages.core import ExecutionPlan, PlanFault, PlanInputs
from streams.strategy.policy import PolicySettings

__all__ = ["Fault", "fault_of"]

BPS = 10_000


class Fault(NamedTuple):
    """The first thing that moved too far. Units: of the field of PlanInputs that it names."""

    fault: PlanFault
    value: int
    bound: int


def fault_of(plan: ExecutionPlan, now: PlanInputs, settings: PolicySettings) -> Fault | None:
    """Return why the plan is not to be followed at `now.as_of_ns`; None when it fits.

    Owner's terms and epoch must be the plan's; position, volumes, volatility and spread may move.
    """
    was = plan.inputs
    same = (
        (PlanFault.WINDOW, now.end_ns, was.end_ns),
        (PlanFault.QUANTITY, now.quantity, was.quantity),
        (PlanFault.CAP, now.participation_cap_bps, was.participation_cap_bps),
        (PlanFault.POLICY, now.completion_floor_bps, was.completion_floor_bps),
        (PlanFault.POLICY, now.risk_aversion_e9, was.risk_aversion_e9),
        (PlanFault.EPOCH, now.epoch, was.epoch),
    )
    for fault, value, bound in same:
        if value != bound:
            return Fault(fault, value, bound)
    if now.as_of_ns > plan.valid_until_ns:
        age_ns = plan.valid_until_ns - was.as_of_ns
        return Fault(PlanFault.AGE, now.as_of_ns - was.as_of_ns, age_ns)
    return _position_fault(plan, now, settings) or _market_fault(was, now, settings)


def _position_fault(plan: ExecutionPlan, now: PlanInputs, settings: PolicySettings) -> Fault | None:
    """Return a fault when the position is far from both targets of the bin that is under way.

    Rounds: down.
    """
    was = plan.inputs
    slack = (was.quantity - was.committed_quantity) * settings.position_moved_bps // BPS
    ordinal = bisect_right(plan.bin_starts_ns, now.as_of_ns) - 1
    before = plan.targets[ordinal - 1] if ordinal > 0 else was.committed_quantity
    after = plan.targets[max(ordinal, 0)]
    if now.committed_quantity < before - slack:
        return Fault(PlanFault.POSITION, now.committed_quantity, before - slack)
    if now.committed_quantity > after + slack:
        return Fault(PlanFault.POSITION, now.committed_quantity, after + slack)
    return None


def _market_fault(was: PlanInputs, now: PlanInputs, settings: PolicySettings) -> Fault | None:
    # What came since counts with what is still expected: volume that arrives as foreseen is none.
    volume = now.others_quantity - was.others_quantity + now.expected_volume
    pairs = (
        (PlanFault.VOLATILITY, now.volatility_bps_e9, was.volatility_bps_e9),
        (PlanFault.VOLUME, volume, was.expected_volume),
        (PlanFault.SPREAD, now.spread_bps_e9, was.spread_bps_e9),
    )
    for fault, value, before in pairs:
        bound = moved_beyond(value, before, settings.market_moved_bps)
        if bound is not None:
            return Fault(fault, value, bound)
    return None


def moved_beyond(value: int, before: int, moved_bps: int) -> int | None:
    """Return the bound that a value passed, by the same factor up or down; None if it did not.

    Rounds: towards what it was.
    """
    high = before * (BPS + moved_bps) // BPS
    if value > high:
        return high
    low = -(-before * BPS // (BPS + moved_bps))
    return low if value < low else None
