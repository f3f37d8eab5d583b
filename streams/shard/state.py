"""Everything that one shard knows: the contexts' states and its two views of inputs."""

from typing import Any

import msgspec

from schemas.messages.netting import EpochOpened, ParentClosed, ParentOpened
from schemas.messages.routing import ChildPlaced, FillBooked, FillBusted, FillCorrected
from schemas.messages.strategy import SliceReleased, VolumeForecast
from streams import allocation, intake, netting, routing, strategy
from streams.allocation import AllocationState
from streams.core.errors import CorruptHistoryError
from streams.intake import IntakeState
from streams.netting import NettingState
from streams.routing import RoutingState
from streams.shard.market import MarketView
from streams.shard.reference import ReferenceView
from streams.strategy import StrategyState

__all__ = ["OpenParent", "ShardState"]


class OpenParent(msgspec.Struct):
    """What the shard itself counts of a parent, apart from the contexts, to check them."""

    tenant: str
    instrument_id: str
    ordered: int = 0  # smallest units
    filled: int = 0
    epoch: int = 0  # current
    forecast: VolumeForecast | None = None  # newest; holds for the bin that it begins with


class ShardState(msgspec.Struct):
    intake: IntakeState = msgspec.field(default_factory=IntakeState)
    netting: NettingState = msgspec.field(default_factory=NettingState)
    strategy: StrategyState = msgspec.field(default_factory=StrategyState)
    routing: RoutingState = msgspec.field(default_factory=RoutingState)
    allocation: AllocationState = msgspec.field(default_factory=AllocationState)
    parents: dict[str, OpenParent] = {}
    market: MarketView = msgspec.field(default_factory=MarketView)
    reference: ReferenceView = msgspec.field(default_factory=ReferenceView)
    timers: dict[str, int] = {}  # due ns by id; filled for a snapshot only

    def evolve(self, event: Any) -> list[tuple[str, int | None]]:
        """Fold one recorded event into every context; return the timers to set or cancel."""
        intake.INTAKE.evolve(self.intake, event)
        netting.NETTING.evolve(self.netting, event)
        strategy.STRATEGY.evolve(self.strategy, event)
        routing.ROUTING.evolve(self.routing, event)
        allocation.ALLOCATION.evolve(self.allocation, event)
        _count(self.parents, event)
        return [
            *netting.timers_of(event, self.netting),
            *strategy.timers_of(event, self.strategy),
            *routing.timers_of(event, self.routing),
        ]

    def exposure(self, parent_id: str) -> int:
        """Return what is live, asked to cancel or released of the parent, over all epochs."""
        return sum(quantity for _, quantity in routing.exposures(self.routing, parent_id))

    def check(self, event: Any) -> None:
        """Raise CorruptHistoryError if what is about to be recorded could over-fill a parent.

        A child is placed out of its slice's quantity, which is exposed already; a slice adds.
        """
        added = event.quantity if isinstance(event, SliceReleased) else 0
        parent = self.parents.get(event.parent_id)
        ordered = 0 if parent is None else parent.ordered
        filled = 0 if parent is None else parent.filled
        exposure = self.exposure(event.parent_id) + added
        if filled + exposure > ordered:
            raise CorruptHistoryError(
                f"parent {event.parent_id}: filled {filled} + exposed {exposure} > {ordered}"
            )


GUARDED = (ChildPlaced, SliceReleased)


def _count(parents: dict[str, OpenParent], event: Any) -> None:
    match event:
        case ParentOpened():
            parents[event.parent_id] = OpenParent(event.tenant, event.instrument_id)
        case EpochOpened():
            parents[event.parent_id].ordered = event.parent_quantity
            parents[event.parent_id].epoch = event.epoch
        case VolumeForecast():
            parents[event.parent_id].forecast = event
        case FillBooked():
            _fill(parents, event.parent_id, event.quantity)
        case FillBusted():
            _fill(parents, event.parent_id, -event.quantity)
        case FillCorrected():
            _fill(parents, event.parent_id, event.quantity - event.previous_quantity)
        case ParentClosed():
            del parents[event.parent_id]
        case _:
            pass


def _fill(parents: dict[str, OpenParent], parent_id: str, quantity: int) -> None:
    parent = parents.get(parent_id)
    if parent is not None:
        parent.filled += quantity
