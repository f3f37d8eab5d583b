"""Which requests are answered: folded from the topic that the planner writes itself."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.messages.plans import ImpactFitted, PlanPublished
from schemas.messages.strategy import PlanRequested
from streams.runtime.ports import TopicPartition

__all__ = ["Answered", "Waiting", "newest"]


class Waiting(NamedTuple):
    """A request as it stands in the log."""

    request: PlanRequested
    shard: int  # partition of a keyed topic: the shard's own
    topic: str
    offset: int


class Answered:
    """What plans.events say so far."""

    def __init__(self) -> None:
        self.fitted: ImpactFitted | None = None  # newest
        self._next: dict[TopicPartition, int] = {}  # after the newest request that is answered

    def see(self, message: object) -> None:
        match message:
            case PlanPublished():
                place = TopicPartition(message.topic, message.partition)
                self._next[place] = max(self.position(place), message.offset + 1)
            case ImpactFitted():
                self.fitted = message
            case _:
                pass

    def position(self, place: TopicPartition) -> int:
        """Return where the requests of a partition begin that may still want an answer."""
        return self._next.get(place, 0)


def newest(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the last request of each parent, in the order of the log."""
    last = {each.request.parent_id: each for each in waiting}
    return sorted(last.values(), key=lambda each: (each.shard, each.offset))
