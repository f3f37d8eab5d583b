"""Local flags: what a file or a signal on a host means, read from the journalled text alone.

A text is JSON, {"flag": name, "content": what the file holds}; or {"flag": name, "is_gone": true}.
Whatever cannot be read stops the firm: who drops a file there wants something to stop.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from schemas.messages.core import KillScope, StrategyKind
from streams.kill.state import KillState

__all__ = ["Flag", "flag_of", "gone", "raised", "stops_child", "unheard"]

ID_LENGTH_MAX: Final = 64
REASON_LENGTH_MAX: Final = 500


class Flag(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One flag. The same file with another content is another flag."""

    flag: str
    kill_id: str
    scope: KillScope
    scope_id: str
    reason: str
    actor: str
    is_canceling_orders: bool


class _Text(msgspec.Struct, frozen=True, kw_only=True):
    flag: str
    content: str = ""
    is_gone: bool = False


class _Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scope: str
    scope_id: str = ""
    kill_id: str = ""
    reason: str = ""
    actor: str = ""
    is_canceling_orders: bool = False


def raised(name: str, content: str) -> str:
    """Return the text of a flag that stands."""
    return msgspec.json.encode({"flag": name, "content": content}).decode()


def gone(name: str) -> str:
    """Return the text of a flag that stands no more."""
    return msgspec.json.encode({"flag": name, "is_gone": True}).decode()


def flag_of(text: str) -> Flag | str:
    """Return the flag that a text raises, or the name of the one that is gone."""
    try:
        said = msgspec.json.decode(text, type=_Text)
    except msgspec.MsgspecError:
        return _firm(text[:ID_LENGTH_MAX])
    if said.is_gone:
        return said.flag
    try:
        content = msgspec.json.decode(said.content, type=_Content)
    except msgspec.MsgspecError:
        return _firm(said.flag)
    name, _, rest = content.scope.partition(":")
    known: dict[str, Any] = {scope.value: scope for scope in KillScope}
    scope, scope_id = known.get(name.strip().upper(), KillScope.UNKNOWN), content.scope_id or rest
    is_strategy = scope is KillScope.STRATEGY
    scope_id = scope_id.strip().upper() if is_strategy else scope_id.strip()
    if scope is KillScope.FIRM:
        scope_id = ""
    elif (
        scope is KillScope.UNKNOWN
        or not 0 < len(scope_id) <= ID_LENGTH_MAX
        or (is_strategy and scope_id not in {kind.value for kind in StrategyKind})
    ):
        return _firm(said.flag)
    kill_id = content.kill_id.strip()
    return Flag(
        flag=said.flag,
        kill_id=kill_id if 0 < len(kill_id) <= ID_LENGTH_MAX else _id_of(said.flag),
        scope=scope,
        scope_id=scope_id,
        reason=content.reason[:REASON_LENGTH_MAX],
        actor=content.actor[:ID_LENGTH_MAX],
        is_canceling_orders=content.is_canceling_orders,
    )


def stops_child(flag: Flag, *, venue_id: str, instrument_id: str) -> bool:
    """Return whether a gateway, which sees no client, may not send the child."""
    match flag.scope:
        case KillScope.FIRM:
            return True
        case KillScope.VENUE:
            return flag.scope_id == venue_id
        case KillScope.INSTRUMENT:
            return flag.scope_id == instrument_id
        case _:
            return False


def unheard(known: Iterable[str], standing: Sequence[str]) -> tuple[str, ...]:
    """Return what `standing` texts say that the flags `known` do not: raised, then gone."""
    names = {text: _name_of(text) for text in standing}
    old = tuple(dict.fromkeys(known))
    stands = frozenset(names.values())
    return (
        *(text for text, name in names.items() if name not in old),
        *(gone(name) for name in old if name not in stands),
    )


def flags_of(state: KillState) -> tuple[str, ...]:
    """Return the names of the flags that stand, as far as is known."""
    return tuple(flag for kill in state.in_force.values() for flag in kill.flags)


def _firm(flag: str) -> Flag:
    return Flag(
        flag=flag,
        kill_id=_id_of(flag),
        scope=KillScope.FIRM,
        scope_id="",
        reason="a local flag that says nothing else",
        actor="",
        is_canceling_orders=False,
    )


def _name_of(text: str) -> str:
    flag = flag_of(text)
    return flag if isinstance(flag, str) else flag.flag


def _id_of(flag: str) -> str:
    return f"flag-{flag}"[:ID_LENGTH_MAX]
