"""What an engine on a tape waits for between two steps: answers of the planner."""

from schemas.messages.plans import PlanPublished
from streams import strategy
from streams.core.errors import DecodeError
from streams.core.topics import PLANS_EVENTS
from streams.runtime.ports import Application, Codec, Record
from streams.shard import EngineShard

__all__ = ["plan_answered", "plans_asked"]


def plans_asked(application: Application) -> tuple[str, ...]:
    """Return the requests of the shard's open parents that no plan has answered."""
    if not isinstance(application, EngineShard):
        return ()
    parents = application.state.strategy.parents.values()
    return strategy.outstanding(parent.policy for parent in parents)


def plan_answered(codec: Codec, record: Record) -> str:
    """Return the request that a record answers; empty for anything else."""
    if record.topic != PLANS_EVENTS:
        return ""
    try:
        _, message = codec.decode(record.value)
    except DecodeError:
        return ""
    return message.plan.request_id if isinstance(message, PlanPublished) else ""
