"""What the log says of limits: proposals, versions in force by shard, flows that are disabled."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.messages.core import Envelope
from schemas.messages.risk import (
    FlowDisabled,
    FlowReleased,
    LimitsApproved,
    LimitsInForce,
    LimitsProposed,
)
from services.cli.log import LogEntry
from services.proposals import Proposals
from streams.core.topics import CONTROL_COMMANDS, DECISIONS_EVENTS

__all__ = ["TOPICS", "Story", "tell"]

TOPICS = (CONTROL_COMMANDS, DECISIONS_EVENTS)


@dataclass(slots=True)
class Story(Proposals):
    """Sets of limits, and the flows that the throttle has stopped."""

    disabled: dict[str, FlowDisabled] = field(default_factory=dict)


def tell(entries: Iterable[LogEntry]) -> Story:
    """Return the story of the limits; each partition's records in order."""
    story = Story()
    for entry in entries:
        if entry.envelope is not None:
            _see(story, entry.envelope, entry.message)
    return story


def _see(story: Story, envelope: Envelope, message: Any) -> None:
    match message:
        case LimitsProposed():
            story.propose(envelope, message)
        case LimitsApproved():
            story.approve(envelope, message)
        case LimitsInForce():
            story.in_force[envelope.shard] = message
        case FlowDisabled():
            story.disabled[message.flow_id] = message
        case FlowReleased():
            story.disabled.pop(message.flow_id, None)
        case _:
            pass
