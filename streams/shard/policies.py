"""A parent's policy in the shard: what the models are asked, when, and with which numbers."""

from collections.abc import Iterator
from typing import Any

from schemas.messages.core import (
    Aim,
    Cause,
    ExecutionPlan,
    PlanInputs,
    StrategyKind,
    TradingStatus,
    Urgency,
)
from schemas.messages.market import TradingStatusChanged
from schemas.messages.plans import PlanPublished
from schemas.messages.strategy import PlanRequested, VolumeForecast
from streams.models.choice import Question
from streams.parameters import PRESETS, Resolved, resolved
from streams.shard.knowledge import Knowledge
from streams.strategy.auctions import kept
from streams.strategy.commands import MarketState, Recalibrate, Wake
from streams.strategy.policy import AdoptPlan, Assess, PolicySettings, PolicyState
from streams.strategy.schedule import equal_bins, expected_volume
from streams.strategy.situation import Situation
from streams.strategy.staleness import fault_of, moved_beyond
from streams.strategy.state import ParentSchedule

__all__ = [
    "adoption",
    "assessment",
    "estimate_terms",
    "has_policy",
    "interrupted",
    "is_worked",
    "plan_now",
    "question",
    "timer_command",
]

BPS = 10_000
E9 = 1_000_000_000
DAY_NS = 23_400_000_000_000  # six and a half hours, where the session is not known
PARTS = 20  # of the window, to compare strategies by
# An aim at one corner of the trilemma takes the urgency of that corner.
INTERRUPTIONS = (Cause.HALT, Cause.TRADING_RESUMED)
CORNERS = {Aim.IMPACT: Urgency.PASSIVE, Aim.RISK: Urgency.URGENT}


def has_policy(knows: Knowledge, parent_id: str) -> bool:
    """Return whether anything is weighed for the parent: all others cost this look-up."""
    parent = knows.state.strategy.parents.get(parent_id)
    return parent is not None and parent.policy is not None


def is_worked(knows: Knowledge, parent_id: str) -> bool:
    """Return whether the parent's window is not over."""
    return not knows.state.strategy.parents[parent_id].is_ended


def estimate_terms(knows: Knowledge, event: Any) -> tuple[str, int] | None:
    """Return id and validity of the plan that the shard makes itself; None when none is wanted.

    It is wanted for a request of a parent that has no plan to follow until the answer comes.
    """
    if not isinstance(event, PlanRequested):
        return None
    policy = knows.state.strategy.parents[event.parent_id].policy
    if policy is None or policy.plan is not None:
        return None
    plan_id = f"{event.parent_id}.local.{policy.plans_estimated + 1}"
    return plan_id, knows.state.strategy.policy_settings.plan_valid_ns


def question(knows: Knowledge, command: Any) -> Question | None:
    """Return what the policy's model is to be asked now; None when nothing asks for it.

    None also before the first epoch, after the end, and when there is nothing left to do.
    """
    parent = knows.state.strategy.parents[command.parent_id]
    policy = parent.policy
    if policy is None or parent.is_ended or parent.epoch == 0:
        return None
    inputs = inputs_of(knows, parent, command.market)
    kept_quantity = _kept(knows, parent, command.market, inputs)
    if inputs.as_of_ns >= inputs.end_ns:
        return None
    if inputs.filled_quantity + kept_quantity >= inputs.quantity:
        return None
    settings = knows.state.strategy.policy_settings
    cause = _cause(knows, parent, command, inputs, settings)
    if cause is None:
        return None
    values = _values(parent)
    forecast = knows.state.parents[parent.parent_id].forecast
    is_choosing = parent.strategy is StrategyKind.AUTO
    starts: tuple[int, ...] = ()
    if is_choosing:
        width_ns = max(1, -(-(inputs.end_ns - inputs.as_of_ns) // PARTS))
        starts = equal_bins(inputs.as_of_ns, inputs.end_ns, inputs.as_of_ns, width_ns)
    ends = (*starts[1:], inputs.end_ns) if is_choosing else ()
    return Question(
        parent_id=parent.parent_id,
        ordinal=1 if policy.evaluated is None else policy.evaluated.ordinal + 1,
        cause=cause,
        inputs=inputs,
        strategy=parent.strategy,
        half_life_ns=values.half_life(inputs.end_ns - inputs.as_of_ns),
        review_ns=settings.review_ns,
        aim=values.aim if is_choosing else Aim.UNKNOWN,
        bin_ends=ends,
        bin_volumes=tuple(
            _volume(forecast, inputs, start, end) for start, end in zip(starts, ends, strict=True)
        ),
        kept_quantity=kept_quantity,
    )


def assessment(knows: Knowledge, asked: Question) -> Assess:
    """Return the command that follows the evaluation."""
    return Assess(
        parent_id=asked.parent_id,
        cause=asked.cause,
        at_ns=knows.at_ns,
        forecast=knows.state.parents[asked.parent_id].forecast,
        bin_ns=knows.state.strategy.settings.bin_ns,
        settings=knows.state.strategy.policy_settings,
    )


def adoption(knows: Knowledge, message: PlanPublished) -> AdoptPlan | None:
    """Return the command for a published plan; None for another shard's, or a closed parent's."""
    parent = knows.state.strategy.parents.get(message.plan.parent_id)
    if parent is None or parent.policy is None or parent.is_ended:
        return None
    return AdoptPlan(
        plan=message.plan,
        at_ns=knows.at_ns,
        inputs=inputs_of(knows, parent, knows.market(parent.instrument_id)),
        settings=knows.state.strategy.policy_settings,
    )


def timer_command(knows: Knowledge, timer_id: str, parent_id: str) -> Wake | Recalibrate:
    """Return what a timer of strategy leads to: the parent's own, or its policy's review."""
    market = knows.market(knows.state.parents[parent_id].instrument_id)
    is_stopped = knows.is_stopped(parent_id)
    if timer_id.startswith("strategy:policy:"):
        return Recalibrate(
            parent_id=parent_id,
            cause=Cause.PLAN,
            at_ns=knows.at_ns,
            entropy=knows.entropy,
            market=market,
            is_stopped=is_stopped,
        )
    return Wake(
        parent_id=parent_id,
        at_ns=knows.at_ns,
        entropy=knows.entropy,
        market=market,
        forecast=None,
        is_stopped=is_stopped,
    )


def interrupted(knows: Knowledge, message: TradingStatusChanged) -> Iterator[Recalibrate]:
    """Yield a command for each parent with a policy when all trading stops, or goes on."""
    if message.venue_id:
        return
    is_over = message.status is TradingStatus.TRADING
    for parent in list(knows.state.strategy.parents.values()):
        if parent.policy is not None and parent.instrument_id == message.instrument_id:
            yield Recalibrate(
                parent_id=parent.parent_id,
                cause=Cause.TRADING_RESUMED if is_over else Cause.HALT,
                at_ns=knows.at_ns,
                entropy=knows.entropy,
                market=knows.market(parent.instrument_id),
                is_stopped=knows.is_stopped(parent.parent_id),
            )


def plan_now(knows: Knowledge, command: Any) -> ExecutionPlan | None:
    """Return the newest plan if it fits at this instant."""
    parent = knows.state.strategy.parents[command.parent_id]
    if parent.policy is None or parent.policy.plan is None:
        return None
    inputs = inputs_of(knows, parent, command.market)
    settings = knows.state.strategy.policy_settings
    is_fit = fault_of(parent.policy.plan, inputs, settings) is None
    return parent.policy.plan if is_fit else None


def inputs_of(knows: Knowledge, parent: ParentSchedule, market: MarketState) -> PlanInputs:
    """Return position and market as they are now. Rounds: down.

    What nobody has measured yet is taken from the settings, what stopped being quoted from the
    evaluation before.
    """
    settings = knows.state.strategy.policy_settings
    values, terms = _values(parent), market.instrument
    close_ns = terms.session_close_ns
    end_ns = min(parent.end_ns, close_ns) if parent.end_ns else close_ns
    at_ns = max(knows.at_ns, parent.start_ns)
    day_ns = max(0, close_ns - terms.session_open_ns) or DAY_NS
    forecast = knows.state.parents[parent.parent_id].forecast
    daily = terms.average_daily_volume or _daily(forecast, market, parent, settings)
    if forecast is None:
        expected, cv_e9 = daily * max(0, end_ns - at_ns) // day_ns, 0
    else:
        expected, cv_e9 = expected_volume(forecast, at_ns, end_ns), forecast.volume_cv_e9
    policy = parent.policy
    before = None if policy is None or policy.evaluated is None else policy.evaluated.inputs
    volatility_e9, spread_e9 = _measured(market)
    if spread_e9 is None:
        spread_e9 = 0 if before is None else before.spread_bps_e9
    return PlanInputs(
        as_of_ns=at_ns,
        end_ns=end_ns,
        epoch=parent.epoch,
        quantity=parent.quantity,
        filled_quantity=parent.filled_quantity,
        committed_quantity=parent.committed_quantity,
        others_quantity=market.others_quantity,
        market_quantity=_since_first_plan(parent, market),
        expected_volume=expected,
        volume_cv_e9=cv_e9 or settings.volume_cv_bps * (E9 // BPS),
        daily_volume=daily,
        day_ns=day_ns,
        volatility_bps_e9=volatility_e9 or settings.volatility_bps * E9,
        spread_bps_e9=spread_e9,
        participation_cap_bps=parent.participation_cap_bps,
        pace_cap_bps=values.participation_max_bps,
        risk_aversion_e9=values.risk_aversion_e9 if before is None else before.risk_aversion_e9,
        completion_floor_bps=values.completion_floor_bps,
    )


def _kept(knows: Knowledge, parent: ParentSchedule, market: MarketState, inputs: PlanInputs) -> int:
    """Return what the parent keeps for the closing auction."""
    now = Situation(
        parent=parent,
        settings=knows.state.strategy.settings,
        parameters=resolved(parent.strategy, parent.urgency, parent.parameters),
        cause=Cause.PLAN,
        at_ns=inputs.as_of_ns,
        end_ns=inputs.end_ns,
        entropy=b"",  # nothing is drawn
        market=market,
        forecast=knows.state.parents[parent.parent_id].forecast,
    )
    return kept(now)


def _since_first_plan(parent: ParentSchedule, market: MarketState) -> int:
    if not parent.plans:
        return 0
    is_rate = parent.strategy is StrategyKind.POV  # whose count leaves out what is no usual print
    volume = market.steady_quantity if is_rate else market.others_quantity
    return max(0, volume - parent.first_market_quantity)


def _values(parent: ParentSchedule) -> Resolved:
    """Return the parent's parameters; those of AUTO hold on when a strategy is chosen."""
    strategy = parent.strategy
    if parent.policy is not None and parent.policy.is_chosen:
        strategy = StrategyKind.AUTO
    values = resolved(strategy, parent.urgency, parent.parameters)
    corner = CORNERS.get(values.aim)
    if corner is None or values.half_life_ns or values.risk_aversion_e9 >= 0:
        return values
    return values._replace(half_life_bps=PRESETS[corner].half_life_bps)


def _daily(
    forecast: VolumeForecast | None,
    market: MarketState,
    parent: ParentSchedule,
    settings: PolicySettings,
) -> int:
    if forecast is not None:
        return max(1, market.others_quantity + sum(forecast.volumes))
    return max(1, parent.quantity * BPS // max(1, settings.daily_quantity_bps))


def _measured(market: MarketState) -> tuple[int, int | None]:
    """Return volatility (0: not known) and spread (None: not known), 1e-9 basis points."""
    quote, estimate = market.quote, getattr(market, "estimate", None)
    spread_e9 = None
    if quote is not None and quote.midpoint_e9 > 0:
        spread_e9 = max(0, quote.ask_e9 - quote.bid_e9) * BPS * E9 // quote.midpoint_e9
    if estimate is None:
        return 0, spread_e9
    return estimate.volatility_bps_e9, estimate.spread_bps_e9 or spread_e9


def _volume(forecast: VolumeForecast | None, inputs: PlanInputs, start_ns: int, end_ns: int) -> int:
    if forecast is not None:
        return expected_volume(forecast, start_ns, end_ns)
    whole = max(1, inputs.end_ns - inputs.as_of_ns)
    return inputs.expected_volume * (end_ns - start_ns) // whole


def _cause(
    knows: Knowledge,
    parent: ParentSchedule,
    command: Any,
    inputs: PlanInputs,
    settings: PolicySettings,
) -> Cause | None:
    """Return why the policy is solved again now; None while its answer holds."""
    assert parent.policy is not None
    if parent.policy.evaluated is None:
        return Cause.OPENED
    last = parent.policy.evaluated.inputs
    asked = getattr(command, "cause", Cause.UNKNOWN)
    if asked in INTERRUPTIONS:
        return Cause(asked)
    terms = (inputs.quantity, inputs.end_ns, inputs.completion_floor_bps)
    if (last.quantity, last.end_ns, last.completion_floor_bps) != terms:
        return Cause.EPOCH
    waited_ns = knows.at_ns - last.as_of_ns
    if waited_ns < settings.gap_ns:
        return None
    return _moved(last, inputs, settings) or (
        Cause.BIN if waited_ns >= settings.review_ns else _stale(parent.policy, inputs, settings)
    )


def _moved(last: PlanInputs, now: PlanInputs, settings: PolicySettings) -> Cause | None:
    """Return what is not as it was foreseen; None when all is."""
    if now.filled_quantity != last.filled_quantity:
        return Cause.FILL
    volume = now.others_quantity - last.others_quantity + now.expected_volume
    for value, before, cause in (
        (now.volatility_bps_e9, last.volatility_bps_e9, Cause.VOLATILITY),
        (volume, last.expected_volume, Cause.VOLUME),
        (now.spread_bps_e9, last.spread_bps_e9, Cause.SPREAD),
    ):
        if moved_beyond(value, before, settings.surprise_bps) is not None:
            return cause
    return None


def _stale(policy: PolicyState, now: PlanInputs, settings: PolicySettings) -> Cause | None:
    plan = policy.plan
    is_stale = plan is not None and fault_of(plan, now, settings) is not None
    return Cause.PLAN if is_stale else None
