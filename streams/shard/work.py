"""Carry one input to its end: decide, emit, fold, and what follows from each event."""

from collections import deque
from functools import partial
from typing import Any

import msgspec

from schemas.messages.strategy import VolumeForecast
from streams import allocation, intake, kill, netting, risk, routing, scorecard, strategy
from streams.allocation import commands as allocation_commands
from streams.core.timers import Timers
from streams.intake import commands as intake_commands
from streams.kill import commands as kill_commands
from streams.models.choice import evaluate
from streams.models.plans import estimated
from streams.netting import commands as netting_commands
from streams.risk import commands as risk_commands
from streams.routing import commands as routing_commands
from streams.runtime.ports import Emitter
from streams.scorecard import commands as scorecard_commands
from streams.shard import policies
from streams.shard.knowledge import Knowledge
from streams.shard.limits import record_of
from streams.shard.routes import ROUTES, correlation_of
from streams.shard.rules import PAYMENTS, RULES, CloseAtEnd
from streams.shard.state import GUARDED, ShardState
from streams.strategy import assess
from streams.strategy import commands as strategy_commands
from streams.strategy import policy as policy_commands

__all__ = ["Work"]

_CONTEXTS: dict[type[Any], tuple[Any, str]] = {
    **dict.fromkeys(intake_commands.IntakeCommand.__args__, (intake.INTAKE.decide, "intake")),
    **dict.fromkeys(netting_commands.NettingCommand.__args__, (netting.NETTING.decide, "netting")),
    **dict.fromkeys(
        strategy_commands.StrategyCommand.__args__, (strategy.STRATEGY.decide, "strategy")
    ),
    **dict.fromkeys(policy_commands.PolicyCommand.__args__, (assess.decide, "strategy")),
    **dict.fromkeys(routing_commands.RoutingCommand.__args__, (routing.ROUTING.decide, "routing")),
    **dict.fromkeys(
        allocation_commands.AllocationCommand.__args__,
        (allocation.ALLOCATION.decide, "allocation"),
    ),
    **dict.fromkeys(kill_commands.KillCommand.__args__, (kill.KILL.decide, "kill")),
    **dict.fromkeys(risk_commands.RiskCommand.__args__, (risk.RISK.decide, "risk")),
    **dict.fromkeys(
        scorecard_commands.ScorecardCommand.__args__, (scorecard.SCORECARD.decide, "scorecard")
    ),
}
_FORECASTED = (strategy_commands.Begin, strategy_commands.Wake, strategy_commands.Resume)
_PLANNED = frozenset(strategy_commands.StrategyCommand.__args__)


class Work:
    """One input or timer, from its first command to the last event that it leads to."""

    __slots__ = ("_key", "_knows", "_out", "_queue", "_source_ns", "_timers")

    def __init__(
        self, knows: Knowledge, timers: Timers, out: Emitter, key: str, source_ns: int = 0
    ) -> None:
        self._knows = knows
        self._timers = timers
        self._out = out
        self._key = key  # instrument, for events that do not name theirs; empty: of each its own
        self._source_ns = source_ns  # of the input; what follows from it carries it too
        self._queue: deque[tuple[Any, bytes]] = deque()

    def run(self, command: Any, causation_id: bytes) -> list[Any]:
        """Carry out the command and all that follows; return the events of the command itself."""
        events = self._carry_out(command, causation_id)
        queue, knows = self._queue, self._knows
        while queue:
            event, event_id = queue.popleft()
            rule = RULES.get(type(event))
            if rule is not None:
                for consequence in rule(knows, event):
                    if type(consequence) is CloseAtEnd:
                        knows.urgent[consequence] = event_id
                    else:
                        self._carry_out(consequence, event_id)
            if knows.verdicts:
                record = record_of(knows, event)
                if record is not None:
                    self._carry_out(record, event_id)
        return events

    def _carry_out(self, command: Any, causation_id: bytes) -> list[Any]:
        state = self._knows.state
        if type(command) in _FORECASTED and self._knows.is_forecast_wanted(command.parent_id):
            command = self._with_forecast(command, causation_id)
        if type(command) in _PLANNED and policies.has_policy(self._knows, command.parent_id):
            command = self._with_plan(command, causation_id)
        decide, name = _CONTEXTS[type(command)]
        events = list(decide(getattr(state, name), command))
        recorded = [(event, self._record(event, causation_id)) for event in events]
        for event, event_id in recorded:
            payment = PAYMENTS.get(type(event))
            due = payment(self._knows, event) if payment is not None else None
            self._queue.append((event, event_id))
            if due is not None:
                self._carry_out(due, event_id)
        return events

    def _with_forecast(self, command: Any, causation_id: bytes) -> Any:
        forecast = self._forecast(command.parent_id, causation_id)
        return msgspec.structs.replace(command, forecast=forecast)

    def _forecast(self, parent_id: str, causation_id: bytes) -> VolumeForecast:
        forecast = self._knows.known_forecast(parent_id)
        if forecast is None:
            forecast = self._out.model("volume", lambda: self._knows.forecast(parent_id))
            self._record(forecast, causation_id)
        return forecast

    def _with_plan(self, command: Any, causation_id: bytes) -> Any:
        """Solve the parent's policy again where that is due; add the plan that fits now."""
        knows, out, parent_id = self._knows, self._out, command.parent_id
        if policies.is_worked(knows, parent_id) and knows.is_forecast_wanted(parent_id):
            self._forecast(parent_id, causation_id)
        asked = policies.question(knows, command)
        if asked is not None:
            impact = knows.state.impact
            found = out.model("policy", partial(evaluate, asked, impact))
            event_id = self._record(found, causation_id)
            for event in self._carry_out(policies.assessment(knows, asked), event_id):
                terms = policies.estimate_terms(knows, event)
                if terms is not None:
                    plan = out.model("plan", partial(estimated, event, impact, *terms))
                    self._record(plan, event_id)
        return msgspec.structs.replace(command, plan=policies.plan_now(knows, command))

    def _record(self, event: Any, causation_id: bytes) -> bytes:
        state = self._knows.state
        if type(event) in GUARDED:
            state.check(event)
        route = ROUTES[type(event)]
        event_id = self._out.emit(
            route.topic,
            event,
            key=getattr(event, "instrument_id", "") or self._key or _key_of(state, event),
            causation_id=causation_id,
            correlation_id=correlation_of(route, event),
            source_ns=self._source_ns,
        )
        set_timers(self._timers, state, event)
        return event_id


def _key_of(state: ShardState, event: Any) -> str:
    """Return the instrument of an event that does not say it, or else what it is about."""
    parent = state.netting.parents.get(getattr(event, "parent_id", ""))
    if parent is not None:
        return parent.instrument_id
    order = state.intake.orders.get(getattr(event, "order_id", ""))
    if order is not None:
        return order.terms.instrument_id
    return getattr(event, "kill_id", "") or type(event).__name__


def set_timers(timers: Timers, state: ShardState, event: Any) -> None:
    """Fold the event into every context and keep the timers that they want from it."""
    for timer_id, due_ns in state.evolve(event):
        if due_ns is None:
            timers.cancel(timer_id)
        else:
            timers.set(timer_id, due_ns)
