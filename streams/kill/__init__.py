"""kill: what may not be sent, at once, until two persons release it.

In:  kill.commands.v1 (one partition, every shard), local flags (docs/adr/0015).
Out: decisions.events.v1 (key kill_id).
"""

from streams.kill.commands import MESSAGES
from streams.kill.decider import KILL, decide
from streams.kill.evolve import evolve
from streams.kill.flags import Flag, flag_of, flags_of, gone, raised, stops_child, unheard
from streams.kill.state import (
    MEMBER_SCOPES,
    Kill,
    KillState,
    Party,
    covers,
    has_members,
    is_unconfirmed,
    order_kill,
    parent_kill,
    stopped_venues,
)

__all__ = [
    "KILL",
    "MEMBER_SCOPES",
    "MESSAGES",
    "Flag",
    "Kill",
    "KillState",
    "Party",
    "covers",
    "decide",
    "evolve",
    "flag_of",
    "flags_of",
    "gone",
    "has_members",
    "is_unconfirmed",
    "order_kill",
    "parent_kill",
    "raised",
    "stopped_venues",
    "stops_child",
    "unheard",
]
