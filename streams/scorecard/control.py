"""What people say of venue models on control.commands: a view of inputs, and its refusals.

`take` keeps what `refusal_of` lets pass, live and in a recovery alike.
"""

from typing import Any, Final

from schemas.messages.scorecard import VenueModelApproved, VenueModelProposed
from streams.core.errors import DecodeError
from streams.core.proposals import Proposal, approval_refused, proposal_refused
from streams.scorecard.model import parse
from streams.scorecard.state import ScorecardState

__all__ = ["CONTROL_MESSAGES", "refusal_of", "take"]

CONTROL_MESSAGES: Final = (VenueModelApproved, VenueModelProposed)


def refusal_of(state: ScorecardState, message: Any, actor: str) -> DecodeError | None:
    """Return why the message has no effect; None when it has."""
    match message:
        case VenueModelProposed():
            wanted = "a venue model as JSON"
            known = state.proposals
            return proposal_refused(known, message, actor, parse=parse, wanted=wanted)
        case VenueModelApproved():
            return approval_refused(state.proposals, message, actor)
        case _:
            return None


def take(state: ScorecardState, message: Any, actor: str) -> None:
    """Keep what a control message says. Raises DecodeError when it has no effect."""
    refusal = refusal_of(state, message, actor)
    if refusal is not None:
        raise refusal
    if isinstance(message, VenueModelProposed):
        state.proposals[message.proposal_id] = Proposal(message.content, message.sha256, actor)
