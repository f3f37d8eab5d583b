"""The kills in force, what each of them covers, and the children that it waits for."""

from typing import Final, NamedTuple

import msgspec

from schemas.messages.core import KillScope, StrategyKind

__all__ = [
    "MEMBER_SCOPES",
    "Kill",
    "KillState",
    "Party",
    "covers",
    "has_members",
    "is_person",
    "is_same_person",
    "is_unconfirmed",
    "order_kill",
    "parent_kill",
    "stopped_venues",
]

# Scopes that name orders within a parent, not the parent: those orders leave, the others go on.
MEMBER_SCOPES: Final = (KillScope.CLIENT, KillScope.ACCOUNT, KillScope.DESK, KillScope.SOURCE)


class Party(NamedTuple):
    """Whose order it is and what it trades: all that a kill may name of it."""

    instrument_id: str
    strategy: StrategyKind
    client_id: str
    account_id: str
    desk_id: str
    source: str


_FIELDS: Final = {
    KillScope.CLIENT: "client_id",
    KillScope.ACCOUNT: "account_id",
    KillScope.DESK: "desk_id",
    KillScope.SOURCE: "source",
    KillScope.STRATEGY: "strategy",
    KillScope.INSTRUMENT: "instrument_id",
}


class Kill(msgspec.Struct, kw_only=True):
    """One kill in force."""

    kill_id: str
    scope: KillScope
    scope_id: str
    is_canceling_orders: bool
    flags: list[str] = []  # local ones that stand: no release before they are gone
    proposed_by: str = ""
    unconfirmed: dict[str, int] = {}  # children and what each may still fill, never 0
    is_confirmed: bool = False
    canceled: int = 0  # children
    filled: int = 0
    rejected: int = 0


class KillState(msgspec.Struct, kw_only=True):
    in_force: dict[str, Kill] = {}
    released: dict[str, str] = {}  # kill id -> who approved; ids are used once


def covers(scope: KillScope, scope_id: str, party: Party) -> bool:
    """Return whether a kill of that scope stops the order; one of a venue stops none."""
    if scope is KillScope.FIRM:
        return True
    field = _FIELDS.get(scope)
    return field is not None and getattr(party, field) == scope_id


def order_kill(state: KillState, party: Party) -> str:
    """Return the kill that stops orders of the party; empty for none."""
    for kill in state.in_force.values():
        if covers(kill.scope, kill.scope_id, party):
            return kill.kill_id
    return ""


def parent_kill(state: KillState, instrument_id: str, strategy: StrategyKind) -> str:
    """Return the kill that stops the whole parent, whoever its members are; empty for none."""
    return order_kill(state, Party(instrument_id, strategy, "", "", "", ""))


def has_members(state: KillState) -> bool:
    """Return whether some kill names orders within a parent."""
    return any(kill.scope in MEMBER_SCOPES for kill in state.in_force.values())


def stopped_venues(state: KillState) -> frozenset[str]:
    """Return the venues to which nothing may be sent."""
    kills = state.in_force.values()
    return frozenset(kill.scope_id for kill in kills if kill.scope is KillScope.VENUE)


def is_unconfirmed(state: KillState) -> bool:
    """Return whether some kill in force has not been confirmed."""
    return any(not kill.is_confirmed for kill in state.in_force.values())


def is_person(actor: str) -> bool:
    """Return whether an actor is named at all."""
    return bool(actor.strip())


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names stand for one person: case and outer blanks say nothing."""
    return one.strip().casefold() == other.strip().casefold()
