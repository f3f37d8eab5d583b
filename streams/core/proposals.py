"""What two persons put in force: one proposes a text, another approves just that text."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec

from schemas.messages.core import RejectReason as R
from streams.core.errors import DecodeError

__all__ = ["Proposal", "approval_refused", "digest", "proposal_refused", "used"]

LENGTH_MAX: Final = 64


class Proposal(msgspec.Struct, frozen=True, array_like=True):
    """A text that somebody asked for."""

    content: str
    sha256: str
    proposed_by: str
    is_used: bool = False


class Proposed(Protocol):
    """A message that proposes."""

    @property
    def proposal_id(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def sha256(self) -> str: ...


class Approved(Protocol):
    """A message that approves."""

    @property
    def proposal_id(self) -> str: ...
    @property
    def sha256(self) -> str: ...


def digest(content: str) -> str:
    """Return the SHA-256 of a text, hex: the name of what is in force."""
    return sha256(content.encode()).hexdigest()


def used(proposal: Proposal) -> Proposal:
    """Return it as one that can be approved no more."""
    return msgspec.structs.replace(proposal, is_used=True)


def proposal_refused(
    known: Mapping[str, Proposal],
    message: Proposed,
    actor: str,
    *,
    parse: Callable[[str], Any],
    wanted: str,
) -> DecodeError | None:
    """Return why it cannot be proposed. `parse` raises MsgspecError unless it is `wanted`."""
    proposal_id = message.proposal_id
    if not actor:
        return DecodeError(R.FIELD_EMPTY, "actor", "", "the person who proposes")
    if not 0 < len(proposal_id) <= LENGTH_MAX:
        bound = f"1 to {LENGTH_MAX} characters"
        return DecodeError(R.FIELD_TOO_LONG, "proposal_id", proposal_id, bound)
    if proposal_id in known:
        return DecodeError(R.STALE_VERSION, "proposal_id", proposal_id, "an id used once")
    wanted_hash = digest(message.content)
    if wanted_hash != message.sha256:
        return DecodeError(R.HASH_MISMATCH, "sha256", message.sha256, wanted_hash)
    try:
        parse(message.content)
    except msgspec.MsgspecError as error:
        return DecodeError(R.BODY_UNDECODABLE, "content", str(error), wanted)
    return None


def approval_refused(
    known: Mapping[str, Proposal], message: Approved, actor: str
) -> DecodeError | None:
    """Return why it cannot be approved: unknown, used, by the same person, another text."""
    proposal = known.get(message.proposal_id)
    if proposal is None or proposal.is_used:
        bound = "proposals that wait for approval"
        return DecodeError(R.UNKNOWN_PROPOSAL, "proposal_id", message.proposal_id, bound)
    if not actor or actor == proposal.proposed_by:
        return DecodeError(R.SAME_PERSON, "actor", actor, f"not {proposal.proposed_by}")
    if message.sha256 != proposal.sha256:
        return DecodeError(R.HASH_MISMATCH, "sha256", message.sha256, proposal.sha256)
    return None
