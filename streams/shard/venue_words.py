"""What venues say of our children, as commands for routing."""

from typing import Any

from schemas.messages.venues import ExecutionReport, OrderCancelReject
from streams import strategy
from streams.routing.commands import ApplyCancelReject, ApplyReport
from streams.shard.knowledge import Knowledge

__all__ = ["report_command"]


def report_command(knows: Knowledge, message: ExecutionReport | OrderCancelReject) -> Any:
    """Return the command with what the parent has left and the books as they are."""
    if isinstance(message, OrderCancelReject):
        return ApplyCancelReject(reject=message, at_ns=knows.at_ns)
    parent_id = message.child_id.rpartition(".")[0].rpartition(".")[0]
    parent = knows.state.parents.get(parent_id)
    return ApplyReport(
        report=message,
        at_ns=knows.at_ns,
        market=knows.books(message.instrument_id),
        current_epoch=0 if parent is None else parent.epoch,
        room=strategy.room(knows.state.strategy, parent_id),
        is_stopped=knows.is_stopped(parent_id),
    )
