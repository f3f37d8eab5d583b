"""What the log says of limits: proposals, versions in force by shard, flows that are disabled."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.messages.risk import (
    FlowDisabled,
    FlowReleased,
    LimitsApproved,
    LimitsInForce,
    LimitsProposed,
)
from services.cli.log import LogEntry
from streams.core.topics import CONTROL_COMMANDS, DECISIONS_EVENTS

__all__ = ["TOPICS", "Story", "tell"]

TOPICS = (CONTROL_COMMANDS, DECISIONS_EVENTS)


@dataclass(slots=True)
class Proposed:
    """A proposal and who made it."""

    message: LimitsProposed
    proposed_by: str
    at_ns: int


@dataclass(slots=True)
class Story:
    proposals: dict[str, Proposed] = field(default_factory=dict)  # the first of each id
    approvals: set[str] = field(default_factory=set)  # ids with an approval by somebody else
    in_force: dict[int, LimitsInForce] = field(default_factory=dict)  # newest by shard
    disabled: dict[str, FlowDisabled] = field(default_factory=dict)

    def waiting(self) -> list[Proposed]:
        """Return the proposals that nobody has put in force."""
        done = {each.proposal_id for each in self.in_force.values()} | self.approvals
        return [each for key, each in self.proposals.items() if key not in done]


def tell(entries: Iterable[LogEntry]) -> Story:
    """Return the story of the limits; each partition's records in order."""
    story = Story()
    for entry in entries:
        if entry.envelope is not None:
            _see(story, entry.envelope.shard, entry, entry.message)
    return story


def _see(story: Story, shard: int, entry: LogEntry, message: Any) -> None:
    assert entry.envelope is not None
    match message:
        case LimitsProposed():
            made = Proposed(message, entry.envelope.actor, entry.envelope.at_ns)
            story.proposals.setdefault(message.proposal_id, made)
        case LimitsApproved():
            proposal = story.proposals.get(message.proposal_id)
            if (
                proposal is not None
                and entry.envelope.actor not in ("", proposal.proposed_by)
                and message.sha256 == proposal.message.sha256
            ):
                story.approvals.add(message.proposal_id)
        case LimitsInForce():
            story.in_force[shard] = message
        case FlowDisabled():
            story.disabled[message.flow_id] = message
        case FlowReleased():
            story.disabled.pop(message.flow_id, None)
        case _:
            pass
