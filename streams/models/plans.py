"""Execution plans of a request: the closed form for the shard, the general scheduler elsewhere."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from schemas.messages.core import ExecutionPlan, PlanInputs
from schemas.messages.plans import ImpactFitted
from schemas.messages.strategy import PlanEstimated, PlanRequested
from streams.models.choice import (
    BPS,
    E9,
    aversion_of,
    evaluate_frontier,
    impact_of,
    impact_version,
    outlook_of,
    pace_of,
    window_of,
)
from streams.models.outlook import PARTICIPATION_MAX, Outlook
from streams.models.schedule import PowerCase, participation_caps, power_schedule
from streams.models.trades import Window, closed_form, cost_and_risk

__all__ = ["CLOSED_FORM", "GENERAL", "estimated", "solved"]

CLOSED_FORM: Final = "almgren-chriss/1"
GENERAL: Final = "power-law/1"
# Others' volume of a bin in which none is expected, shares: some power of it is divided by.
VOLUME_MIN: Final = 1e-3
ROUNDING: Final = 1e-6


def estimated(
    request: PlanRequested, fitted: ImpactFitted | None, plan_id: str, valid_ns: int
) -> PlanEstimated:
    """Return the closed form's plan, which the shard follows while no better one is there."""
    outlook, window = _market(request, fitted)
    caps = _caps(request, outlook, window)
    aversion = aversion_of(request.inputs, request.inputs.committed_quantity)
    trades, unfilled = closed_form(outlook, window, aversion, caps)
    plan = _plan(
        request,
        (outlook, window),
        trades,
        unfilled=unfilled,
        plan_id=plan_id,
        request_id="",
        model=f"{CLOSED_FORM} {impact_version(fitted)}",
        valid_until_ns=request.inputs.as_of_ns + valid_ns,
    )
    return PlanEstimated(parent_id=request.parent_id, cause=request.cause, plan=plan)


def solved(request: PlanRequested, fitted: ImpactFitted | None, valid_ns: int) -> ExecutionPlan:
    """Return the general scheduler's plan with the frontier around it. Takes up to 0.1 s.

    Source: SPEC section 2: power-law impact, the expected volumes, the participation cap.
    """
    outlook, window = _market(request, fitted)
    model, sigma = outlook.model, outlook.sigma
    case = PowerCase(
        costs=[model.eta * sigma * max(v, VOLUME_MIN) ** -model.beta for v in window.volumes],
        # The owner's lambda is for the order as a whole: cost / X + lambda (risk / X)^2, times X.
        variances=[sigma * sigma * days / request.inputs.quantity for days in window.days],
        caps=_caps(request, outlook, window),
        beta=model.beta,
        risk_aversion=request.inputs.risk_aversion_e9 / E9,
    )
    schedule = power_schedule(case, outlook.quantity)
    return _plan(
        request,
        (outlook, window),
        schedule.trades,
        unfilled=schedule.unfilled,
        plan_id=request.request_id,
        request_id=request.request_id,
        model=f"{GENERAL} {impact_version(fitted)}",
        valid_until_ns=request.inputs.as_of_ns + valid_ns,
        with_frontier=True,
    )


def _market(request: PlanRequested, fitted: ImpactFitted | None) -> tuple[Outlook, Window]:
    inputs = request.inputs
    ends = (*request.bin_starts_ns[1:], inputs.end_ns)
    window = window_of(request.bin_starts_ns[0], ends, request.volumes, inputs.day_ns)
    return outlook_of(inputs, impact_of(fitted), inputs.committed_quantity), window


def _caps(request: PlanRequested, outlook: Outlook, window: Window) -> tuple[float, ...]:
    """Return the most of each bin: the policy's pace, or the whole cap where that is too little."""
    inputs = request.inputs
    caps = participation_caps(window.volumes, pace_of(outlook, inputs))
    if sum(caps) >= outlook.quantity * (1 + ROUNDING):
        return caps
    return _hard_caps(inputs, outlook, window)


def _hard_caps(inputs: PlanInputs, outlook: Outlook, window: Window) -> tuple[float, ...]:
    """Return what the owner's cap allows of each bin; what it allowed before, in the first."""
    first, *others = participation_caps(window.volumes, _most(inputs))
    return (first + outlook.unused(_most(inputs)), *others)


def _secured(
    inputs: PlanInputs, outlook: Outlook, window: Window, trades: Sequence[float]
) -> list[float]:
    """Return the trades, earlier where what they leave for later is not sure enough.

    After each bin no more is left than the cap can take of the volume that comes with the
    probability of the completion floor. Each bin takes at most what the cap allows.
    """
    if not inputs.completion_floor_bps:
        return list(trades)
    part = outlook.likely_volume(inputs.completion_floor_bps / BPS) / outlook.volume
    caps = _hard_caps(inputs, outlook, window)
    whole, later = sum(trades), 0.0
    needed = [0.0] * len(trades)  # done by the end of each bin
    for k in reversed(range(len(trades))):
        needed[k] = max(whole - later, needed[k])
        if k:
            needed[k - 1] = needed[k] - caps[k]
        later += caps[k] * min(1.0, part)
    done, planned, secured = 0.0, 0.0, []
    for trade, need, cap in zip(trades, needed, caps, strict=True):
        planned += trade
        goal = min(max(planned, need), whole)
        secured.append(max(0.0, min(goal - done, max(cap, trade))))
        done += secured[-1]
    return secured


def _most(inputs: PlanInputs) -> float:
    return min(inputs.participation_cap_bps / BPS, PARTICIPATION_MAX)


def _plan(
    request: PlanRequested,
    market: tuple[Outlook, Window],
    trades: Sequence[float],
    *,
    unfilled: float,
    plan_id: str,
    request_id: str,
    model: str,
    valid_until_ns: int,
    with_frontier: bool = False,
) -> ExecutionPlan:
    outlook, window = market
    inputs = request.inputs
    trades = _secured(inputs, outlook, window, trades)
    cost, risk, _ = cost_and_risk(outlook, window, trades)
    return ExecutionPlan(
        plan_id=plan_id,
        parent_id=request.parent_id,
        request_id=request_id,
        model=model,
        valid_until_ns=valid_until_ns,
        inputs=inputs,
        bin_starts_ns=request.bin_starts_ns,
        targets=_targets(inputs, trades),
        unfilled_quantity=round(unfilled),
        cost_bps_e9=round(cost * E9),
        risk_bps_e9=round(risk * E9),
        completion_e9=round(outlook.capped(_most(inputs)).completion * E9),
        frontier=evaluate_frontier(outlook, inputs) if with_frontier else (),
    )


def _targets(inputs: PlanInputs, trades: Sequence[float]) -> tuple[int, ...]:
    """Return cumulative targets; the last is the whole parent, also where caps leave a rest.

    Rounds: half even, each cumulative sum by itself.
    """
    start = inputs.committed_quantity
    targets = [min(inputs.quantity, start + round(sum_)) for sum_ in accumulate(trades)]
    return (*targets[:-1], inputs.quantity)
