"""What the log says of venue models: proposals, approvals, what is in force on each shard."""

from collections.abc import Iterable
from typing import Any

from schemas.messages.core import Envelope
from schemas.messages.scorecard import (
    VenueModelApproved,
    VenueModelInForce,
    VenueModelProposed,
)
from services.proposals import Proposals
from streams.core.topics import CONTROL_COMMANDS, DECISIONS_EVENTS

__all__ = ["TOPICS", "tell"]

TOPICS = (CONTROL_COMMANDS, DECISIONS_EVENTS)


def tell(entries: Iterable[tuple[Envelope, Any]]) -> Proposals:
    """Return the story; each partition's records in order."""
    story = Proposals()
    for envelope, message in entries:
        match message:
            case VenueModelProposed():
                story.propose(envelope, message)
            case VenueModelApproved():
                story.approve(envelope, message)
            case VenueModelInForce():
                story.in_force[envelope.shard] = message
            case _:
                pass
    return story
