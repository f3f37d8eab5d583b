"""Why a message of kill.commands changes nothing; ordered, the first rule that applies is told."""

from typing import Final, NamedTuple

from schemas.messages.core import KillScope, RejectReason, StrategyKind
from schemas.messages.kill import EngageKill
from streams.kill.flags import ID_LENGTH_MAX, Flag
from streams.kill.state import Kill, KillState, is_person, is_same_person

__all__ = ["Refusal", "does_all", "refuse_approval", "refuse_engage", "refuse_proposal"]

SCOPES: Final = ", ".join(scope for scope in KillScope if scope is not KillScope.UNKNOWN)
STRATEGIES: Final = tuple(kind.value for kind in StrategyKind if kind is not StrategyKind.UNKNOWN)
SENTENCES: Final = {
    RejectReason.FIELD_EMPTY: "{field} is empty, {bound} wanted",
    RejectReason.FIELD_TOO_LONG: "{field} {value} is longer than {bound}",
    RejectReason.UNKNOWN_SCOPE: "{field} {value} is not among {bound}",
    RejectReason.KILL_ID_USED: "{field} {value} is {bound}: take another",
    RejectReason.UNKNOWN_KILL: "{field} {value} is not among the {bound}",
    RejectReason.UNKNOWN_PROPOSAL: "the release of {value} needs {bound}",
    RejectReason.SAME_PERSON: "{value} proposed the release, {bound} must approve it",
    RejectReason.KILL_FLAG_STANDS: "flag {value} stands on this host and is to be {bound}",
}


class Refusal(NamedTuple):
    reason: RejectReason
    field: str
    value: str
    bound: str

    @property
    def text(self) -> str:
        """Return the sentence for people."""
        return SENTENCES[self.reason].format(**self._asdict())


def refuse_engage(state: KillState, message: EngageKill) -> Refusal | None:
    """Return why the kill cannot be engaged; None when it can, or is in force already."""
    return _check_text(message) or _check_scope(message) or _check_id(state, message)


def refuse_proposal(state: KillState, kill_id: str, actor: str) -> Refusal | None:
    """Return why the release of the kill cannot be proposed."""
    if not is_person(actor):
        return Refusal(RejectReason.FIELD_EMPTY, "actor", actor, "a person")
    if kill_id not in state.in_force:
        value = kill_id[:ID_LENGTH_MAX]
        return Refusal(RejectReason.UNKNOWN_KILL, "kill_id", value, "kills in force")
    return None


def refuse_approval(state: KillState, kill_id: str, actor: str) -> Refusal | None:
    """Return why the release cannot be approved, by this person or at all."""
    refusal = refuse_proposal(state, kill_id, actor)
    if refusal is not None:
        return refusal
    kill = state.in_force[kill_id]
    if not kill.proposed_by:
        return Refusal(RejectReason.UNKNOWN_PROPOSAL, "kill_id", kill_id, "a proposal first")
    if is_same_person(kill.proposed_by, actor):
        return Refusal(RejectReason.SAME_PERSON, "actor", actor, "another person")
    if kill.flags:
        return Refusal(RejectReason.KILL_FLAG_STANDS, "flag", kill.flags[0], "removed first")
    return None


def does_all(kill: Kill, wish: EngageKill | Flag) -> bool:
    """Return whether the kill in force does all that is wished."""
    is_subject = kill.scope is KillScope.FIRM or kill.scope_id == wish.scope_id
    is_wide = kill.is_canceling_orders or not wish.is_canceling_orders
    return kill.scope is wish.scope and is_subject and (is_wide or kill.scope is KillScope.VENUE)


def _check_text(message: EngageKill) -> Refusal | None:
    if not message.kill_id:
        return Refusal(RejectReason.FIELD_EMPTY, "kill_id", "", "an id")
    for name, value in (("kill_id", message.kill_id), ("scope_id", message.scope_id)):
        if len(value) > ID_LENGTH_MAX:
            bound = f"{ID_LENGTH_MAX} characters"
            return Refusal(RejectReason.FIELD_TOO_LONG, name, value[:ID_LENGTH_MAX], bound)
    return None


def _check_scope(message: EngageKill) -> Refusal | None:
    scope, scope_id = message.scope, message.scope_id
    if scope is KillScope.UNKNOWN:
        return Refusal(RejectReason.UNKNOWN_SCOPE, "scope", scope, SCOPES)
    if scope is not KillScope.FIRM and not scope_id:
        return Refusal(RejectReason.FIELD_EMPTY, "scope_id", "", f"which {scope.lower()}")
    if scope is KillScope.STRATEGY and scope_id not in STRATEGIES:
        return Refusal(RejectReason.UNKNOWN_SCOPE, "scope_id", scope_id, ", ".join(STRATEGIES))
    return None


def _check_id(state: KillState, message: EngageKill) -> Refusal | None:
    kill_id = message.kill_id
    if kill_id in state.released:
        bound = f"used: released by {state.released[kill_id]}"
        return Refusal(RejectReason.KILL_ID_USED, "kill_id", kill_id, bound)
    kill = state.in_force.get(kill_id)
    if kill is None or does_all(kill, message):
        return None
    bound = f"used: in force for {kill.scope.lower()} {kill.scope_id}".rstrip()
    return Refusal(RejectReason.KILL_ID_USED, "kill_id", kill_id, bound)
