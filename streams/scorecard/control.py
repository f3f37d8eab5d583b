"""What people say of venue models on control.commands: a view of inputs, and its refusals.

`take` keeps what `refusal_of` lets pass, live and in a recovery alike.
"""

from typing import Any, Final

import msgspec

from schemas.messages.core import RejectReason as R
from schemas.messages.scorecard import VenueModelApproved, VenueModelProposed
from streams.core.errors import DecodeError
from streams.scorecard.model import digest, parse
from streams.scorecard.state import Proposal, ScorecardState

__all__ = ["CONTROL_MESSAGES", "refusal_of", "take"]

CONTROL_MESSAGES: Final = (VenueModelApproved, VenueModelProposed)
LENGTH_MAX: Final = 64


def refusal_of(state: ScorecardState, message: Any, actor: str) -> DecodeError | None:
    """Return why the message has no effect; None when it has."""
    match message:
        case VenueModelProposed():
            return _proposed(state, message, actor)
        case VenueModelApproved():
            return _approved(state, message, actor)
        case _:
            return None


def take(state: ScorecardState, message: Any, actor: str) -> None:
    """Keep what a control message says. Raises DecodeError when it has no effect."""
    refusal = refusal_of(state, message, actor)
    if refusal is not None:
        raise refusal
    if isinstance(message, VenueModelProposed):
        state.proposals[message.proposal_id] = Proposal(message.content, message.sha256, actor)


def _proposed(state: ScorecardState, message: VenueModelProposed, actor: str) -> DecodeError | None:
    proposal_id = message.proposal_id
    if not actor:
        return DecodeError(R.FIELD_EMPTY, "actor", "", "the person who proposes")
    if not 0 < len(proposal_id) <= LENGTH_MAX:
        bound = f"1 to {LENGTH_MAX} characters"
        return DecodeError(R.FIELD_TOO_LONG, "proposal_id", proposal_id, bound)
    if proposal_id in state.proposals:
        return DecodeError(R.STALE_VERSION, "proposal_id", proposal_id, "an id used once")
    if digest(message.content) != message.sha256:
        return DecodeError(R.HASH_MISMATCH, "sha256", message.sha256, digest(message.content))
    try:
        parse(message.content)
    except msgspec.MsgspecError as error:
        return DecodeError(R.BODY_UNDECODABLE, "content", str(error), "a venue model as JSON")
    return None


def _approved(state: ScorecardState, message: VenueModelApproved, actor: str) -> DecodeError | None:
    proposal = state.proposals.get(message.proposal_id)
    if proposal is None or proposal.is_used:
        bound = "proposals that wait for approval"
        return DecodeError(R.UNKNOWN_PROPOSAL, "proposal_id", message.proposal_id, bound)
    if not actor or actor == proposal.proposed_by:
        return DecodeError(R.SAME_PERSON, "actor", actor, f"not {proposal.proposed_by}")
    if message.sha256 != proposal.sha256:
        return DecodeError(R.HASH_MISMATCH, "sha256", message.sha256, proposal.sha256)
    return None
