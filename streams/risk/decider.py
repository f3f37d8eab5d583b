"""Record what limits say; put limits in force, release flows, give leases back."""

from typing import assert_never

from schemas.messages.core import LimitScope, RejectReason
from schemas.messages.risk import (
    FlowDisabled,
    FlowReleased,
    LeaseRecalled,
    LeaseReduced,
    LeaseRequested,
    LimitBreached,
    LimitsInForce,
    RiskDecided,
)
from streams.risk.checks import flow_of
from streams.risk.commands import (
    ApproveLimits,
    RecordVerdict,
    ReduceLease,
    ReleaseFlow,
    RiskCommand,
)
from streams.risk.control import refusal_of
from streams.risk.lease import lease_use
from streams.risk.limits import Limit
from streams.risk.request import LeaseWish
from streams.risk.state import RiskState

__all__ = ["RiskEvent", "decide"]

RiskEvent = (
    FlowDisabled
    | FlowReleased
    | LeaseReduced
    | LeaseRequested
    | LimitBreached
    | LimitsInForce
    | RiskDecided
)


def decide(state: RiskState, command: RiskCommand) -> tuple[RiskEvent, ...]:
    """Return what follows from `command`; `()` if it is already in effect, or refused."""
    match command:
        case RecordVerdict():
            return _record(state, command)
        case ApproveLimits():
            return _approve(state, command)
        case ReleaseFlow():
            return _release(state, command)
        case ReduceLease():
            return _reduce(state, command.message)
        case _:
            assert_never(command)


def _record(state: RiskState, command: RecordVerdict) -> tuple[RiskEvent, ...]:
    verdict, order_id = command.verdict, command.order_id
    events: list[RiskEvent] = []
    if verdict.breach is not None and not order_id:
        events.append(_decided(command, verdict.breach.reason, verdict.breach.limit_id))
    request = command.request
    for breach, measure in verdict.shadows:
        events.append(
            LimitBreached(
                tenant=request.tenant,
                source=request.source,
                client_order_id=request.client_order_id,
                order_id=order_id,
                account_id=request.account_id,
                instrument_id=request.instrument.instrument_id,
                reason=breach.reason,
                limits_version=verdict.version,
                is_shadow=True,
                measure=measure,
            )
        )
    if verdict.tripping and order_id and flow_of(request) not in state.disabled:
        events.append(_disable(state, command))
    events.extend(_wish(wish) for wish in verdict.wishes if wish.key not in state.asked)
    return tuple(events)


def _decided(command: RecordVerdict, reason: RejectReason, limit_id: str) -> RiskDecided:
    request, verdict = command.request, command.verdict
    reference = request.reference
    return RiskDecided(
        tenant=request.tenant,
        source=request.source,
        client_order_id=request.client_order_id,
        order_id=request.order_id,
        account_id=request.account_id,
        instrument_id=request.instrument.instrument_id,
        trade_date=request.trade_date,
        command=command.command,
        reason=reason,
        limit_id=limit_id,
        limits_version=verdict.version,
        reference=reference.kind,
        reference_price_e9=reference.price_e9 or None,
        reference_event_ids=reference.event_ids,
        unit_value_e9=verdict.unit_value_e9,
        measures=verdict.measures,
    )


def _disable(state: RiskState, command: RecordVerdict) -> FlowDisabled:
    request, verdict = command.request, command.verdict
    limit = _limit(state, verdict.tripping)
    return FlowDisabled(
        flow_id=f"F{state.id_prefix}{state.flows_count + 1}",
        limit_id=limit.limit_id,
        limits_version=verdict.version,
        tenant=request.tenant,
        source=request.source,
        account_id=request.account_id,
        instrument_id=request.instrument.instrument_id,
        strategy=request.strategy,
        side=request.side,
        executions=limit.value,
        window_ns=limit.window_ns,
        disabled_ns=request.at_ns,
        order_id=command.order_id,
    )


def _limit(state: RiskState, limit_id: str) -> Limit:
    return next(each for each in state.limits.limits if each.limit_id == limit_id)


def _wish(wish: LeaseWish) -> LeaseRequested:
    limit_id, scope, subject = wish.key.split("\0")
    return LeaseRequested(
        limit_id=limit_id,
        scope=LimitScope(scope),
        subject=subject,
        lease_e9=wish.lease_e9,
        used_e9=wish.used_e9,
        amount_e9=wish.amount_e9,
    )


def _approve(state: RiskState, command: ApproveLimits) -> tuple[RiskEvent, ...]:
    message = command.message
    if refusal_of(state, message, command.actor) is not None:
        return ()
    proposal = state.proposals[message.proposal_id]
    in_force = LimitsInForce(
        version=state.version + 1,
        proposal_id=message.proposal_id,
        content=proposal.content,
        sha256=proposal.sha256,
        proposed_by=proposal.proposed_by,
        approved_by=command.actor,
    )
    return (in_force,)


def _release(state: RiskState, command: ReleaseFlow) -> tuple[RiskEvent, ...]:
    message = command.message
    if refusal_of(state, message, command.actor) is not None:
        return ()
    for disabled in state.disabled.values():
        if disabled.flow_id == message.flow_id:
            released = FlowReleased(
                flow_id=message.flow_id,
                instrument_id=disabled.instrument_id,
                released_by=command.actor,
                reason=message.reason,
                released_ns=command.at_ns,
            )
            return (released,)
    return ()


def _reduce(state: RiskState, message: LeaseRecalled) -> tuple[RiskEvent, ...]:
    """Give back what is asked for, but keep what is used and a third of that to go on with."""
    if message.shard != state.shard:
        return ()
    lease_e9, used_e9 = lease_use(state, message.limit_id, message.scope, message.subject)
    spare_e9 = lease_e9 - used_e9 - -(-used_e9 // 3)
    amount_e9 = max(0, min(message.amount_e9, spare_e9))
    reduced = LeaseReduced(
        recall_id=message.recall_id,
        limit_id=message.limit_id,
        scope=message.scope,
        subject=message.subject,
        amount_e9=amount_e9,
        lease_e9=lease_e9 - amount_e9,
        used_e9=used_e9,
    )
    return (reduced,)
