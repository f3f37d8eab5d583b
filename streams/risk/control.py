"""What people and the coordinator say on control.commands: a view of inputs, and its refusals.

`refusal_of` is asked first; what passes is applied by `apply`, live and in a recovery alike. It
judges by what `apply` itself keeps, so that both come to the same.
"""

from typing import Any, Final

from schemas.messages.core import LimitScope
from schemas.messages.core import RejectReason as R
from schemas.messages.risk import (
    LeaseGranted,
    LeaseRecalled,
    LimitsApproved,
    LimitsProposed,
    LocateGranted,
    PositionSet,
    ThrottleReleased,
)
from streams.core.errors import DecodeError
from streams.core.proposals import Proposal, approval_refused, proposal_refused
from streams.risk.amount import Amount
from streams.risk.limits import parse
from streams.risk.state import Locate, RiskState, place_key, scope_key

__all__ = ["CONTROL_MESSAGES", "apply", "is_for_shard", "refusal_of"]

CONTROL_MESSAGES: Final = (
    LeaseGranted,
    LeaseRecalled,
    LimitsApproved,
    LimitsProposed,
    LocateGranted,
    PositionSet,
    ThrottleReleased,
)
GRANTS_MAX: Final = 1_000


def refusal_of(state: RiskState, message: Any, actor: str) -> DecodeError | None:
    """Return why the message has no effect; None when it has."""
    match message:
        case LimitsProposed():
            wanted = "a set of limits as JSON"
            known = state.proposals
            return proposal_refused(known, message, actor, parse=parse, wanted=wanted)
        case LimitsApproved():
            return approval_refused(state.proposals, message, actor)
        case ThrottleReleased():
            return _released(state, message, actor)
        case LocateGranted() if message.quantity < 0:
            return DecodeError(
                R.VALUE_OUT_OF_RANGE, "quantity", str(message.quantity), "at least 0"
            )
        case LeaseGranted() if message.amount_e9 < 0:
            amount = str(message.amount_e9)
            return DecodeError(R.VALUE_OUT_OF_RANGE, "amount_e9", amount, "at least 0")
        case _:
            return None


def is_for_shard(state: RiskState, message: Any) -> bool:
    """Return whether this shard is the one that answers for the message."""
    if isinstance(message, ThrottleReleased):
        named = message.flow_id.split(".")
        shard = named[1] if len(named) == 3 and named[1].isdecimal() else "0"
        return int(shard) == state.shard
    if isinstance(message, LeaseGranted | LeaseRecalled):
        return bool(message.shard == state.shard)
    return state.shard == 0


def apply(state: RiskState, message: Any, actor: str, client_id: str = "") -> None:
    """Keep what the message says; `client_id` is the client of the account that it names."""
    match message:
        case LimitsProposed():
            state.proposals[message.proposal_id] = Proposal(message.content, message.sha256, actor)
        case PositionSet():
            _set_position(state, message, client_id)
        case LocateGranted():
            locate = state.locates.setdefault(message.locate_id, Locate())
            locate.tenant, locate.account_id = message.tenant, message.account_id
            locate.instrument_id, locate.trade_date = message.instrument_id, message.trade_date
            locate.granted = message.quantity
        case LeaseGranted() if message.shard == state.shard:
            _grant(state, message)
        case _:
            pass


def _released(state: RiskState, message: ThrottleReleased, actor: str) -> DecodeError | None:
    for disabled in state.disabled.values():
        if disabled.flow_id == message.flow_id:
            if not actor or actor == disabled.source:
                bound = "a person, not the source"
                return DecodeError(R.SAME_PERSON, "actor", actor, bound)
            return None
    return DecodeError(R.UNKNOWN_LIMIT, "flow_id", message.flow_id, "flows that are disabled")


def _set_position(state: RiskState, message: PositionSet, client_id: str) -> None:
    """Let the position at the start of the day be what it says, whatever was executed before."""
    tenant, instrument_id = message.tenant, message.instrument_id
    account = scope_key(LimitScope.ACCOUNT, tenant, message.account_id)
    place = place_key(account, instrument_id)
    executed_before = 0
    for key in state.places.get(place, ()):
        cell = state.cells[key]
        executed_before += cell.bought - cell.sold
        if cell.trade_date >= message.trade_date:
            executed_before -= cell.bought_today - cell.sold_today
    change = message.quantity - executed_before - state.starts.get(place, 0)
    for total in (
        scope_key(LimitScope.FIRM, tenant, tenant),
        scope_key(LimitScope.CLIENT, tenant, client_id),
        account,
    ):
        each = place_key(total, instrument_id)
        state.starts[each] = state.starts.get(each, 0) + change


def _grant(state: RiskState, message: LeaseGranted) -> None:
    key = f"{message.limit_id}\0{message.scope}\0{message.subject}"
    known = state.grants.setdefault(key, [])
    if message.grant_id in known:  # a coordinator that did not see its own record
        return
    known.append(message.grant_id)
    del known[:-GRANTS_MAX]
    state.adjustments.setdefault(key, Amount()).add(message.amount_e9)
    state.asked.pop(key, None)
