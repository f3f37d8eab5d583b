"""What the log says of venue models: proposals, approvals, what is in force on each shard."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.messages.core import Envelope
from schemas.messages.scorecard import (
    VenueModelApproved,
    VenueModelInForce,
    VenueModelProposed,
)
from streams.core.topics import CONTROL_COMMANDS, DECISIONS_EVENTS

__all__ = ["TOPICS", "Proposed", "Story", "tell"]

TOPICS = (CONTROL_COMMANDS, DECISIONS_EVENTS)


@dataclass(slots=True)
class Proposed:
    """A proposal and who made it."""

    message: VenueModelProposed
    proposed_by: str
    at_ns: int


@dataclass(slots=True)
class Story:
    proposals: dict[str, Proposed] = field(default_factory=dict)  # the first of each id
    approvals: set[str] = field(default_factory=set)  # ids with an approval by somebody else
    in_force: dict[int, VenueModelInForce] = field(default_factory=dict)  # newest by shard

    def waiting(self) -> list[Proposed]:
        """Return the proposals that nobody has approved."""
        return [each for key, each in self.proposals.items() if key not in self.approvals]


def tell(entries: Iterable[tuple[Envelope, Any]]) -> Story:
    """Return the story; each partition's records in order."""
    story = Story()
    approvals: list[tuple[Envelope, VenueModelApproved]] = []
    for envelope, message in entries:
        match message:
            case VenueModelProposed():
                made = Proposed(message, envelope.actor, envelope.at_ns)
                story.proposals.setdefault(message.proposal_id, made)
            case VenueModelApproved():
                approvals.append((envelope, message))
            case VenueModelInForce():
                story.in_force[envelope.shard] = message
            case _:
                pass
    for envelope, message in approvals:
        proposal = story.proposals.get(message.proposal_id)
        if (
            proposal is not None
            and envelope.actor not in ("", proposal.proposed_by)
            and message.sha256 == proposal.message.sha256
        ):
            story.approvals.add(message.proposal_id)
    return story
