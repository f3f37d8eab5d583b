"""What the log says of texts that two persons put in force: proposals, approvals, what rules."""

from dataclasses import dataclass, field
from typing import Any

from schemas.messages.core import Envelope

__all__ = ["Proposals", "Proposed"]


@dataclass(slots=True)
class Proposed:
    """A proposal and who made it."""

    message: Any
    proposed_by: str
    at_ns: int


@dataclass(slots=True)
class Proposals:
    """Proposals of one kind, fed in the order of the log."""

    proposals: dict[str, Proposed] = field(default_factory=dict)  # the first of each id
    approvals: set[str] = field(default_factory=set)  # ids with an approval by somebody else
    in_force: dict[int, Any] = field(default_factory=dict)  # newest by shard

    def propose(self, envelope: Envelope, message: Any) -> None:
        made = Proposed(message, envelope.actor, envelope.at_ns)
        self.proposals.setdefault(message.proposal_id, made)

    def approve(self, envelope: Envelope, message: Any) -> None:
        """Count an approval by another person, of just the text that was proposed."""
        proposal = self.proposals.get(message.proposal_id)
        if (
            proposal is not None
            and envelope.actor not in ("", proposal.proposed_by)
            and message.sha256 == proposal.message.sha256
        ):
            self.approvals.add(message.proposal_id)

    def waiting(self) -> list[Proposed]:
        """Return the proposals that nobody has approved."""
        done = {each.proposal_id for each in self.in_force.values()} | self.approvals
        return [each for key, each in self.proposals.items() if key not in done]
