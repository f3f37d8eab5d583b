"""Everything that one shard knows: the contexts' states and its two views of inputs."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from schemas.messages.netting import EpochOpened, ParentClosed, ParentOpened
from schemas.messages.plans import ImpactFitted, PlacementSolved
from schemas.messages.routing import ChildPlaced, FillBooked, FillBusted, FillCorrected
from schemas.messages.strategy import SliceReleased, VolumeForecast
from streams.allocation import AllocationState
from streams.core.errors import CorruptHistoryError
from streams.intake import IntakeState
from streams.kill import KillState
from streams.netting import NettingState
from streams.risk import RiskState
from streams.routing import RoutingState
from streams.scorecard import ScorecardState
from streams.shard.estimates import Estimators
from streams.shard.folds import FOLDS, TIMERS
from streams.shard.market import MarketView
from streams.shard.reference import ReferenceView
from streams.shard.stops import child_kill
from streams.shard.tops import TopsView
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
    risk: RiskState = msgspec.field(default_factory=RiskState)
    kill: KillState = msgspec.field(default_factory=KillState)
    scorecard: ScorecardState = msgspec.field(default_factory=ScorecardState)
    parents: dict[str, OpenParent] = {}
    market: MarketView = msgspec.field(default_factory=MarketView)
    tops: TopsView = msgspec.field(default_factory=TopsView)
    estimators: Estimators = msgspec.field(default_factory=Estimators)
    reference: ReferenceView = msgspec.field(default_factory=ReferenceView)
    impact: ImpactFitted | None = None  # newest; a view of plans.events
    placements: dict[str, dict[str, PlacementSolved]] = {}  # newest, by instrument, side and size
    timers: dict[str, int] = {}  # due ns by id; filled for a snapshot only

    def evolve(self, event: Any) -> Sequence[tuple[str, int | None]]:
        """Fold one event into the contexts that use it; return the timers to set or cancel."""
        kind = type(event)
        for evolve, name in FOLDS[kind]:
            evolve(getattr(self, name), event)
        count = _COUNTS.get(kind)
        if count is not None:
            count(self.parents, event)
        timers = TIMERS[kind]
        if not timers:
            return ()
        return [
            wish for timers_of, name in timers for wish in timers_of(event, getattr(self, name))
        ]

    def keep_placement(self, message: PlacementSolved) -> None:
        """Keep a solved placement until a newer one comes for its size; routing sees its age."""
        known = self.placements.setdefault(message.instrument_id, {})
        known[f"{message.side}/{message.size_bucket}"] = message

    def exposure(self, parent_id: str) -> int:
        """Return what is live, asked to cancel or released of the parent, over all epochs."""
        ledger = self.routing.parents.get(parent_id)
        return 0 if ledger is None else sum(ledger.exposures.values())

    def check(self, event: Any) -> None:
        """Raise CorruptHistoryError if what is about to be recorded must never be sent.

        It could over-fill a parent: a child is placed out of its slice's quantity, which is exposed
        already; a slice adds. Or a kill in force covers it.
        """
        if self.kill.in_force and isinstance(event, ChildPlaced):
            kill_id = child_kill(self, event)
            if kill_id:
                raise CorruptHistoryError(
                    f"child {event.child_id} while kill {kill_id} is in force"
                )
        if isinstance(event, ChildPlaced) and event.overfill_quantity:
            part = self.routing.slices[event.slice_id]
            if part.over + event.overfill_quantity > part.overfill_quantity:
                raise CorruptHistoryError(
                    f"child {event.child_id} over-fills by {event.overfill_quantity}, "
                    f"{part.over} of {part.overfill_quantity} is exposed"
                )
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


Parents = dict[str, OpenParent]


def _opened(parents: Parents, event: ParentOpened) -> None:
    parents[event.parent_id] = OpenParent(event.tenant, event.instrument_id)


def _epoch_opened(parents: Parents, event: EpochOpened) -> None:
    parents[event.parent_id].ordered = event.parent_quantity
    parents[event.parent_id].epoch = event.epoch


def _forecast(parents: Parents, event: VolumeForecast) -> None:
    parents[event.parent_id].forecast = event


def _closed(parents: Parents, event: ParentClosed) -> None:
    del parents[event.parent_id]


def _filled(parents: Parents, event: FillBooked | FillBusted | FillCorrected) -> None:
    parent = parents.get(event.parent_id)
    if parent is None:
        return
    match event:
        case FillBooked():
            parent.filled += event.quantity
        case FillBusted():
            parent.filled -= event.quantity
        case FillCorrected():
            parent.filled += event.quantity - event.previous_quantity


_COUNTS: dict[type[Any], Callable[[Parents, Any], None]] = {
    ParentOpened: _opened,
    EpochOpened: _epoch_opened,
    VolumeForecast: _forecast,
    FillBooked: _filled,
    FillBusted: _filled,
    FillCorrected: _filled,
    ParentClosed: _closed,
}
