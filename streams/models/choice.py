"""The policy of a parent solved on its frontier, and the strategies compared for its aim."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.messages.core import (
    Aim,
    Cause,
    FrontierPoint,
    PlanInputs,
    StrategyAlternative,
    StrategyKind,
)
from schemas.messages.plans import ImpactFitted
from schemas.messages.strategy import PolicyEvaluated
from streams.models.frontier import Point, Policy
from streams.models.impact import ALMGREN_2005, PowerImpact
from streams.models.impact_fit import PRIOR
from streams.models.outlook import (
    PARTICIPATION_MAX,
    RUSH,
    Outlook,
    choose,
    frontier_of,
    required_participation,
)
from streams.models.trades import Window, closed_form, cost_and_risk, risk_aversion_of

__all__ = [
    "BPS",
    "E9",
    "VERSION",
    "Question",
    "aversion_of",
    "evaluate",
    "evaluate_frontier",
    "impact_of",
    "impact_version",
    "outlook_of",
    "pace_of",
    "window_of",
]

VERSION: Final = "trilemma/1"
E9: Final = 1_000_000_000
ROUNDING: Final = 1e-9
BPS: Final = 10_000
POINTS: Final = 9  # of the frontier that is told
PARTS: Final = 20  # of the window, when strategies are compared
K: Final = StrategyKind
# What may serve an aim. A benchmark leaves one way; a corner of the trilemma leaves the choice.
SERVING: Final[dict[Aim, tuple[StrategyKind, ...]]] = {
    Aim.VWAP: (K.VWAP,),
    Aim.TWAP: (K.TWAP,),
    Aim.PARTICIPATION: (K.POV,),
    Aim.CLOSE: (K.CLOSE,),
    Aim.ARRIVAL: (K.IMPLEMENTATION_SHORTFALL, K.IMMEDIATE),
    Aim.IMPACT: (K.VWAP, K.TWAP, K.POV, K.IMPLEMENTATION_SHORTFALL),
    Aim.RISK: (K.IMPLEMENTATION_SHORTFALL, K.POV, K.IMMEDIATE),
    Aim.COMPLETION: (K.IMPLEMENTATION_SHORTFALL, K.VWAP, K.TWAP, K.IMMEDIATE),
}
COMPARED: Final = (K.IMPLEMENTATION_SHORTFALL, K.VWAP, K.TWAP, K.POV, K.IMMEDIATE)


class Question(NamedTuple):
    """What is asked about one parent. risk_aversion_e9 below 0 follows from the half-life."""

    parent_id: str
    ordinal: int
    cause: Cause
    inputs: PlanInputs
    strategy: StrategyKind
    half_life_ns: int
    review_ns: int  # when it is asked again at the latest
    aim: Aim = Aim.UNKNOWN  # of an order whose strategy is still to be chosen
    bin_ends: tuple[int, ...] = ()  # coarse bins of the window, ns; only to compare strategies
    bin_volumes: tuple[int, ...] = ()
    kept_quantity: int = 0  # for the closing auction: continuous trading need not do it


def impact_of(fitted: ImpactFitted | None) -> PowerImpact:
    """Return the newest fit, else the prior."""
    if fitted is None:
        return ALMGREN_2005
    return PowerImpact(fitted.gamma_e9 / E9, fitted.eta_e9 / E9, fitted.beta_e9 / E9)


def impact_version(fitted: ImpactFitted | None) -> str:
    """Return what a recorded result names as the impact that it believed."""
    return PRIOR if fitted is None else fitted.version


def outlook_of(
    inputs: PlanInputs, impact: PowerImpact, done_quantity: int, kept_quantity: int = 0
) -> Outlook:
    """Return what is neither done nor kept in the model's units: shares, days, basis points."""
    return Outlook(
        quantity=max(1, inputs.quantity - done_quantity - kept_quantity),
        days=max(1, inputs.end_ns - inputs.as_of_ns) / inputs.day_ns,
        volume=max(1, inputs.expected_volume),
        volume_cv=inputs.volume_cv_e9 / E9,
        daily_volume=max(1, inputs.daily_volume),
        sigma=max(1, inputs.volatility_bps_e9) / E9,
        half_spread=inputs.spread_bps_e9 / 2 / E9,
        traded=inputs.market_quantity,
        done=done_quantity,
        model=impact,
    )


def aversion_of(inputs: PlanInputs, done_quantity: int) -> float:
    """Return the risk aversion of what is left, in basis points of that.

    The owner's is for the whole order: the rest's part of its variance is the square of the rest's
    part, of its cost the part itself. So an unchanged market leaves a plan unchanged.
    """
    part = (inputs.quantity - done_quantity) / inputs.quantity
    return inputs.risk_aversion_e9 / E9 * part


def window_of(start_ns: int, ends_ns: Sequence[int], volumes: Sequence[int], day_ns: int) -> Window:
    """Return the bins as volumes and lengths in days."""
    starts = (start_ns, *ends_ns[:-1])
    days = [(end - start) / day_ns for start, end in zip(starts, ends_ns, strict=True)]
    return Window([float(volume) for volume in volumes], days)


def evaluate(question: Question, fitted: ImpactFitted | None) -> PolicyEvaluated:
    """Return what the policy chooses now; all numbers rounded, half even.

    Source: SPEC section 11; docs/adr/0021-policy-and-planner.md.
    """
    inputs, kept = question.inputs, question.kept_quantity
    outlook = outlook_of(inputs, impact_of(fitted), inputs.filled_quantity, kept)
    if inputs.risk_aversion_e9 < 0:
        days = max(1, question.half_life_ns) / inputs.day_ns
        aversion_e9 = round(risk_aversion_of(outlook, days) * E9)
        inputs = msgspec.structs.replace(inputs, risk_aversion_e9=aversion_e9)
    aversion = aversion_of(inputs, inputs.filled_quantity + kept)
    floor = inputs.completion_floor_bps / BPS
    cap = min(inputs.participation_cap_bps / BPS, PARTICIPATION_MAX)
    capped = outlook.capped(cap)
    is_kept = capped.completion >= floor
    chosen, _ = choose(outlook, Policy(aversion, pace_of(outlook, inputs), floor))
    required_bps, price = 0, 0.0
    if not is_kept:
        chosen = capped
        required = outlook.required_cap(floor)
        if required is not None:
            required_bps = min(int(PARTICIPATION_MAX * BPS), -int(-required * BPS // 1))
            price = outlook.capped(required).impact - capped.impact
    return PolicyEvaluated(
        parent_id=question.parent_id,
        ordinal=question.ordinal,
        cause=question.cause,
        model=f"{VERSION} {impact_version(fitted)}",
        inputs=inputs,
        strategy=question.strategy,
        aim=question.aim,
        point=_told(chosen, inputs, kept),
        score_e9=round(chosen.utility(aversion) * E9),
        capped=_told(capped, inputs, kept),
        review_ns=question.review_ns,
        is_floor_kept=is_kept,
        required_cap_bps=required_bps,
        required_price_bps_e9=round(price * E9),
        frontier=evaluate_frontier(outlook, inputs, kept),
        alternatives=_compared(question, inputs, outlook, chosen, capped),
    )


def evaluate_frontier(
    outlook: Outlook, inputs: PlanInputs, kept_quantity: int = 0
) -> tuple[FrontierPoint, ...]:
    """Return what the cap allows, from half the pace that is just done by the end."""
    most = outlook.capped(min(inputs.participation_cap_bps / BPS, PARTICIPATION_MAX)).participation
    least = min(most, _steady(outlook)) / 2
    points = frontier_of(outlook, least, most, POINTS)
    return tuple(_told(point, inputs, kept_quantity) for point in points)


def pace_of(outlook: Outlook, inputs: PlanInputs) -> float:
    """Return the fastest pace: the policy's own, or what its floor needs, within the cap.

    A pace is own share of the volume to come. The cap allows more than itself of that where it
    allowed more than was done of the volume that has come.
    """
    cap = min(inputs.participation_cap_bps / BPS, PARTICIPATION_MAX)
    most = outlook.capped(cap).participation
    pace = min(inputs.pace_cap_bps / BPS, most)
    floor = inputs.completion_floor_bps / BPS
    required = required_participation(outlook, floor) if floor else 0.0
    if required is None:
        return most
    return max(pace, min(required * (1 + ROUNDING), most))


def _steady(outlook: Outlook) -> float:
    """Return the participation that is just done by the end at the expected volume."""
    return outlook.quantity / (outlook.quantity + outlook.volume)


def _told(point: Point, inputs: PlanInputs, kept_quantity: int) -> FrontierPoint:
    window_ns = inputs.end_ns - inputs.as_of_ns
    left = inputs.quantity - inputs.filled_quantity - kept_quantity
    return FrontierPoint(
        participation_bps=round(point.participation * BPS),
        duration_ns=min(window_ns, round(point.days * inputs.day_ns)),
        impact_bps_e9=round(point.impact * E9),
        cost_bps_e9=round(point.total * E9),
        risk_bps_e9=round(point.risk * E9),
        completion_e9=round(point.completion * E9),
        unfilled_quantity=round(point.unfilled * left),
    )


def _compared(
    question: Question, inputs: PlanInputs, outlook: Outlook, chosen: Point, capped: Point
) -> tuple[StrategyAlternative, ...]:
    """Return the strategies, the best allowed one first; () when none is to be chosen."""
    if question.aim is Aim.UNKNOWN:
        return ()
    serving = SERVING[question.aim]
    aversion = aversion_of(inputs, inputs.filled_quantity + question.kept_quantity)
    window = window_of(inputs.as_of_ns, question.bin_ends, question.bin_volumes, inputs.day_ns)
    rows = []
    kinds = dict.fromkeys((*COMPARED, *serving))
    for place, kind in enumerate(kinds):
        point = _point_of(kind, outlook, window, aversion, chosen=chosen, capped=capped)
        is_sure = point.completion * BPS >= inputs.completion_floor_bps
        is_capped = point.participation <= capped.participation + ROUNDING
        reason = _reason(kind in serving, is_sure, is_capped)
        score = point.utility(aversion)
        # Where nothing keeps the floor, what serves the aim within the cap is still weighed.
        rank = (kind not in serving, not is_capped, not is_sure, score, place)
        rows.append((rank, kind, score, point, reason))
    rows.sort(key=lambda row: row[0])
    return tuple(
        StrategyAlternative(
            strategy=kind,
            score_e9=round(score * E9),
            point=_told(point, inputs, question.kept_quantity),
            is_allowed=not reason,
            reason=reason or ("least score" if place == 0 else "dearer"),
        )
        for place, (_, kind, score, point, reason) in enumerate(rows)
    )


def _reason(is_serving: bool, is_sure: bool, is_capped: bool) -> str:
    if not is_serving:
        return "not for this aim"
    if not is_capped:
        return "beyond the participation cap"
    return "" if is_sure else "under the completion floor"


def _point_of(
    kind: StrategyKind,
    outlook: Outlook,
    window: Window,
    aversion: float,
    *,
    chosen: Point,
    capped: Point,
) -> Point:
    """Return what to expect of a strategy; those with a schedule catch up as far as the cap."""
    if kind is StrategyKind.POV:
        return chosen
    if kind is StrategyKind.IMMEDIATE:
        return outlook.point(RUSH)
    whole = sum(window.volumes) or 1.0
    span = sum(window.days)
    caps = [outlook.quantity] * len(window.days)
    match kind:
        case StrategyKind.VWAP:
            trades = [outlook.quantity * volume / whole for volume in window.volumes]
        case StrategyKind.TWAP:
            trades = [outlook.quantity * days / span for days in window.days]
        case StrategyKind.CLOSE:
            trades = [0.0] * (len(window.days) - 1) + [outlook.quantity]
        case _:
            trades, _ = closed_form(outlook, window, aversion, caps)
    cost, risk, days = cost_and_risk(outlook, window, trades)
    return Point(
        participation=_steady(outlook),
        days=days,
        impact=cost,
        risk=risk,
        completion=capped.completion,
        unfilled=capped.unfilled,
        total=cost * (1 - capped.unfilled) + capped.unfilled * outlook.rush,
    )
