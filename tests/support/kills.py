"""Builders for the kill switch: its messages with defaults, and the flags of a host."""

import json
from typing import Any

from schemas.messages.core import KillScope, Urgency
from schemas.messages.kill import ApproveRelease, EngageKill, ProposeRelease
from streams.core import topics
from streams.kill import raised
from tests.support.scenario import Desk
from tests.support.shard_host import ListHost

__all__ = ["approve", "engage", "flag", "kill", "of", "propose", "release", "working_desk"]


def engage(scope: KillScope = KillScope.FIRM, scope_id: str = "", **changes: Any) -> EngageKill:
    return EngageKill(
        **{
            "kill_id": "K1",
            "scope": scope,
            "scope_id": scope_id,
            "reason": "fat finger",
            "is_canceling_orders": False,
            **changes,
        }
    )


def propose(kill_id: str = "K1") -> ProposeRelease:
    return ProposeRelease(kill_id=kill_id, reason="checked")


def approve(kill_id: str = "K1") -> ApproveRelease:
    return ApproveRelease(kill_id=kill_id, reason="checked too")


def flag(name: str = "stop", **content: Any) -> str:
    """Return the text of a flag; one without content is an empty file."""
    return raised(name, json.dumps(content) if content else "")


def kill(host: ListHost, scope: KillScope, scope_id: str = "", **changes: Any) -> list[Any]:
    """Engage a kill in a batch of its own; return what the shard writes."""
    host.put(topics.KILL_COMMANDS, engage(scope, scope_id, **changes), actor="ann")
    return host.step(host.now_ns + 1)


def release(host: ListHost, kill_id: str = "K1") -> list[Any]:
    """Release it by two persons; return what the shard writes."""
    host.put(topics.KILL_COMMANDS, propose(kill_id), actor="bob")
    written = host.step(host.now_ns + 1)
    host.put(topics.KILL_COMMANDS, approve(kill_id), actor="cat")
    return written + host.step(host.now_ns + 1)


def of(messages: list[Any], *kinds: type[Any]) -> list[Any]:
    """Return the messages of these kinds."""
    return [message for message in messages if isinstance(message, kinds)]


def working_desk(*more: tuple[str, dict[str, Any]]) -> Desk:
    """One urgent order c1 of A1 that rests at a venue, and whoever else is named."""
    desk = Desk()
    for client_order_id, changes in [("c1", {}), *more]:
        desk.act("buy", client_order_id, 100, {"urgency": Urgency.URGENT, **changes})
    desk.act("acknowledge")
    return desk
