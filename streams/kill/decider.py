"""Engage, confirm, propose, release: a kill is latched and takes two persons to end."""

from typing import Any, assert_never

from schemas.messages.core import KillAction, KillOrigin, KillScope
from schemas.messages.kill import (
    EngageKill,
    KillConfirmed,
    KillEngaged,
    KillFlagRaised,
    KillFlagRemoved,
    KillRefused,
    KillReleased,
    KillReleaseProposed,
)
from streams.core.decider import Decider
from streams.kill.commands import (
    ConfirmKills,
    InScope,
    KillCommand,
    LowerFlag,
    RaiseFlag,
    SubmitApproval,
    SubmitKill,
    SubmitProposal,
)
from streams.kill.evolve import evolve
from streams.kill.flags import ID_LENGTH_MAX, REASON_LENGTH_MAX, Flag
from streams.kill.refusals import (
    Refusal,
    does_all,
    refuse_approval,
    refuse_engage,
    refuse_proposal,
)
from streams.kill.state import MEMBER_SCOPES, KillState, is_same_person

__all__ = ["KILL", "decide"]

KillEvent = (
    KillEngaged
    | KillConfirmed
    | KillFlagRaised
    | KillFlagRemoved
    | KillReleaseProposed
    | KillReleased
    | KillRefused
)


def decide(state: KillState, command: KillCommand) -> tuple[KillEvent, ...]:
    """Return what follows from `command`; `()` if it is already in effect (a redelivery)."""
    match command:
        case SubmitKill():
            return _engage(state, command)
        case RaiseFlag():
            return _raise_flag(state, command)
        case LowerFlag():
            return _lower_flag(state, command)
        case SubmitProposal():
            return _propose(state, command)
        case SubmitApproval():
            return _approve(state, command)
        case ConfirmKills():
            return _confirm(state)
        case _:
            assert_never(command)


def _engage(state: KillState, command: SubmitKill) -> tuple[KillEvent, ...]:
    message = command.message
    refusal = refuse_engage(state, message)
    if refusal is not None:
        return (_refused(command, KillAction.ENGAGE, refusal),)
    if message.kill_id in state.in_force:
        return ()
    origin = KillOrigin.COMMAND
    return (_engaged(message.kill_id, message, command.actor, command.in_scope, origin),)


def _raise_flag(state: KillState, command: RaiseFlag) -> tuple[KillEvent, ...]:
    """Obey, whatever its id: a flag is never refused, and raised again it stops again."""
    flag = command.flag
    if any(flag.flag in kill.flags for kill in state.in_force.values()):
        return ()
    kill_id, ordinal = flag.kill_id, 1
    while kill_id in state.released or kill_id in state.in_force:
        kill = state.in_force.get(kill_id)
        if kill is not None and does_all(kill, flag):
            return (KillFlagRaised(kill_id=kill_id, flag=flag.flag),)
        ordinal += 1
        kill_id = f"{flag.kill_id}.{ordinal}"
    return (_engaged(kill_id, flag, flag.actor, command.in_scope, KillOrigin.FLAG),)


def _lower_flag(state: KillState, command: LowerFlag) -> tuple[KillEvent, ...]:
    return tuple(
        KillFlagRemoved(kill_id=kill.kill_id, flag=command.flag)
        for kill in state.in_force.values()
        if command.flag in kill.flags
    )


def _propose(state: KillState, command: SubmitProposal) -> tuple[KillEvent, ...]:
    message, actor = command.message, command.actor
    if message.kill_id in state.released:
        return ()
    refusal = refuse_proposal(state, message.kill_id, actor)
    if refusal is not None:
        return (_refused(command, KillAction.PROPOSE_RELEASE, refusal),)
    kill = state.in_force[message.kill_id]
    if is_same_person(kill.proposed_by, actor):
        return ()
    reason = message.reason[:REASON_LENGTH_MAX]
    return (KillReleaseProposed(kill_id=kill.kill_id, proposed_by=actor, reason=reason),)


def _approve(state: KillState, command: SubmitApproval) -> tuple[KillEvent, ...]:
    message, actor = command.message, command.actor
    if message.kill_id in state.released:
        return ()
    refusal = refuse_approval(state, message.kill_id, actor)
    if refusal is not None:
        return (_refused(command, KillAction.APPROVE_RELEASE, refusal),)
    kill = state.in_force[message.kill_id]
    return (
        KillReleased(
            kill_id=kill.kill_id,
            scope=kill.scope,
            scope_id=kill.scope_id,
            proposed_by=kill.proposed_by,
            approved_by=actor,
            reason=message.reason[:REASON_LENGTH_MAX],
            unconfirmed_children=len(kill.unconfirmed),
        ),
    )


def _confirm(state: KillState) -> tuple[KillEvent, ...]:
    return tuple(
        KillConfirmed(
            kill_id=kill.kill_id,
            canceled_children=kill.canceled,
            filled_children=kill.filled,
            rejected_children=kill.rejected,
        )
        for kill in state.in_force.values()
        if not kill.is_confirmed and not kill.unconfirmed
    )


def _engaged(
    kill_id: str, wish: EngageKill | Flag, actor: str, found: InScope, origin: KillOrigin
) -> KillEngaged:
    is_canceling = wish.is_canceling_orders or wish.scope in MEMBER_SCOPES
    return KillEngaged(
        kill_id=kill_id,
        scope=wish.scope,
        scope_id="" if wish.scope is KillScope.FIRM else wish.scope_id,
        reason=wish.reason[:REASON_LENGTH_MAX],
        origin=origin,
        flag=wish.flag if isinstance(wish, Flag) else "",
        engaged_by=actor,
        is_canceling_orders=is_canceling and wish.scope is not KillScope.VENUE,
        orders=found.orders,
        orders_quantity=found.orders_quantity,
        children=found.children,
    )


def _refused(
    command: SubmitKill | SubmitProposal | SubmitApproval, action: KillAction, refusal: Refusal
) -> KillRefused:
    return KillRefused(
        kill_id=command.message.kill_id[:ID_LENGTH_MAX],
        command=action,
        actor=command.actor,
        reason=refusal.reason,
        field=refusal.field,
        value=refusal.value,
        bound=refusal.bound,
        text=refusal.text,
    )


KILL: Decider[KillState, KillCommand, Any] = Decider(KillState, decide, evolve)
