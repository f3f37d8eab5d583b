"""What venues say of our children, as commands for routing."""

from typing import Any

from schemas.messages.control import ChildSettled
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from streams import strategy
from streams.routing.commands import ApplyCancelReject, ApplyReport, SettleChild
from streams.routing.state import parent_of
from streams.shard.knowledge import Knowledge

__all__ = ["report_command", "settle_command", "settling_shard"]


def report_command(knows: Knowledge, message: ExecutionReport | OrderCancelReject) -> Any:
    """Return the command with what the parent has left and the books as they are."""
    if isinstance(message, OrderCancelReject):
        return ApplyCancelReject(reject=message, at_ns=knows.at_ns)
    parent_id = parent_of(message.child_id)
    parent = knows.state.parents.get(parent_id)
    return ApplyReport(
        report=message,
        at_ns=knows.at_ns,
        market=knows.books(message.instrument_id),
        current_epoch=0 if parent is None else parent.epoch,
        room=strategy.room(knows.state.strategy, parent_id),
        is_stopped=knows.is_stopped(parent_id),
    )


def settle_command(knows: Knowledge, message: ChildSettled, actor: str) -> SettleChild:
    """Return what a person's word about a child asks, with what the parent has left."""
    child = knows.state.routing.children.get(message.child_id)
    parent_id = parent_of(message.child_id)
    parent = knows.state.parents.get(parent_id)
    return SettleChild(
        message=message,
        actor=actor,
        at_ns=knows.at_ns,
        market=None if child is None else knows.books(child.instrument_id),
        current_epoch=0 if parent is None else parent.epoch,
        room=strategy.room(knows.state.strategy, parent_id),
        is_stopped=knows.is_stopped(parent_id),
    )


def settling_shard(child_id: str, shards: int) -> int:
    """Return the shard that answers for a child: its own, or the first for what is no child's."""
    named = child_id.split(".", 2)[1:2]
    return next((shard for shard in range(shards) if named == [str(shard)]), 0)
