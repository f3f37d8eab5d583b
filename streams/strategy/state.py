"""What a strategy remembers of each parent: position, room, plan, and when it acts next."""

from typing import Any

import msgspec

from schemas.messages.core import (
    Constraints,
    PhaseKind,
    RoutingLogic,
    Side,
    StrategyKind,
    StrategyParameters,
    TimeInForce,
    Urgency,
)
from schemas.messages.netting import (
    EpochClosed,
    EpochOpened,
    MemberLeft,
    ParentClosed,
    ParentHeld,
    ParentOpened,
)
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected, SliceReturned
from schemas.messages.strategy import (
    ParentEnded,
    ParentRecalibrated,
    PolicyEvaluated,
    ScheduleSet,
    SliceReleased,
    StrategyChosen,
)
from streams.core.errors import CorruptHistoryError
from streams.strategy.policy import (
    POLICY_EVENTS,
    PolicySettings,
    PolicyState,
    evolve_policy,
    policy_of,
)
from streams.strategy.progress import Progress

SECOND_NS = 1_000_000_000


class StrategySettings(msgspec.Struct, kw_only=True):
    """How parents are worked. The shard sets it before the first event."""

    bin_ns: int = 60 * SECOND_NS  # VWAP bin when there is no forecast
    slot_ns: int = 60 * SECOND_NS  # TWAP slot
    window_ns: int = 15 * SECOND_NS  # POV: what traded in one is answered in the next
    window_prints_min: int = 2  # POV: fewer say nothing of a market
    window_volume_min: int = 1  # POV: less keeps the window open, smallest units
    tolerance_bps: int = 25  # of the parent: behind by a lot more than that crosses the spread
    completion_ns: int = 20 * SECOND_NS  # in the last bin, resting ends this long before the end
    sweep_ns: int = 3 * SECOND_NS  # scheduled: least time between two sweeps
    retry_ns: int = SECOND_NS  # immediate: least time between two sweeps
    rest_ns: int = 10 * SECOND_NS  # immediate: how long a slice away from the market rests
    would_ns: int = SECOND_NS  # least time between two looks at a would price
    overfill_bps: int = 0  # urgent: part of a slice that may be executed beyond it; of routing
    calm_ns: int = 60 * SECOND_NS  # so long after a halt a child is careful
    fill_hazard_e9: int = 50_000_000  # usual chance of a child at rest to be met within a second
    # Of post or cross, while no venue is chosen.
    taker_fee_bps_e9: int = 300_000_000
    rebate_bps_e9: int = 200_000_000
    adverse_bps: int = 6_000  # of half the spread: what a child that is met has lost by then
    decay_bps: int = 9_000  # of what waiting costs: what posting still suffers of it
    display_share_bps: int = 5_000  # shown of what others show at the price; 0 for no bound
    halt_ns: int = 10 * SECOND_NS  # least time between two looks at a market that does not trade
    auction_lead_ns: int = 60 * SECOND_NS  # before the cut-off of an auction its slice goes out


class OpenSlice(msgspec.Struct, kw_only=True):
    epoch: int
    logic: RoutingLogic
    deadline_ns: int
    quantity: int  # released, not filled, not returned

    def is_over(self, at_ns: int) -> bool:
        """Return whether what is left of it is on its way back."""
        return self.deadline_ns <= at_ns


class AuctionPart(msgspec.Struct, kw_only=True):
    """A slice that an auction gets. It outlives the slice: a late fill still finds it."""

    kind: PhaseKind
    quantity: int  # released, not returned, not busted


class ParentSchedule(msgspec.Struct, kw_only=True):
    """One parent. Quantities in smallest units, over all its epochs unless said."""

    parent_id: str
    instrument_id: str
    side: Side
    limit_price_e9: int | None
    time_in_force: TimeInForce
    strategy: StrategyKind
    urgency: Urgency
    start_ns: int
    end_ns: int
    participation_cap_bps: int
    is_dark_allowed: bool
    self_trade_id: str
    quantity: int  # ordered
    is_short_sale: bool = False
    constraints: Constraints | None = None
    parameters: StrategyParameters | None = None
    progress: Progress = msgspec.field(default_factory=Progress)
    filled_quantity: int = 0
    epoch: int = 0  # current epoch; 0 between two
    room: int = 0  # what the current epoch may still release
    held_order_ids: list[str] = msgspec.field(default_factory=list)
    slices: dict[str, OpenSlice] = msgspec.field(default_factory=dict)
    slices_released: int = 0
    is_ended: bool = False
    plans: int = 0
    starts_ns: tuple[int, ...] = ()
    targets: tuple[int, ...] = ()
    plan_id: str = ""  # execution plan that the targets come from
    closing_quantity: int = 0  # that the plan in force keeps for the closing auction
    auctions: dict[str, AuctionPart] = msgspec.field(default_factory=dict)  # by slice
    anchor_quantity: int = 0
    anchor_market_quantity: int = 0  # others' volume when the plan in force began
    first_market_quantity: int = 0  # others' volume when the first plan began
    first_market_prints: int = 0  # the same, prints
    first_start_ns: int = 0  # when the first plan began
    window_quantity: int = 0  # others' volume since then at the start of the bin
    window_prints: int = 0  # the same, prints
    is_interrupted: bool = False  # the market did not trade at the last decision
    bin: int = -1
    target_quantity: int = 0
    cap_quantity: int = 0
    next_due_ns: int = 0  # 0 until Begin
    not_before_ns: int = 0
    seen: tuple[int, int, int, int] = (0, 0, 0, 0)  # position at the last decision
    policy: PolicyState | None = None  # None: nothing is weighed for this parent

    @property
    def open_quantity(self) -> int:
        """Return what is released and neither filled nor returned."""
        return sum(part.quantity for part in self.slices.values())

    @property
    def committed_quantity(self) -> int:
        """Return filled plus open: what the plan may not release again."""
        return self.filled_quantity + self.open_quantity

    @property
    def opening_committed(self) -> int:
        """Return what the opening auction has or had of the committed quantity."""
        return self._in_auctions(PhaseKind.OPENING_AUCTION)

    @property
    def closing_committed(self) -> int:
        """Return what the closing auction has or had of the committed quantity."""
        return self._in_auctions(PhaseKind.CLOSING_AUCTION)

    def _in_auctions(self, kind: PhaseKind) -> int:
        if not self.auctions:
            return 0
        return sum(part.quantity for part in self.auctions.values() if part.kind is kind)

    @property
    def minimum_quantity(self) -> int:
        """Return the smallest execution that the owner accepts; 0 for any."""
        return 0 if self.constraints is None else self.constraints.minimum_quantity

    def position(self) -> tuple[int, int, int, int]:
        """Return what a recalibration reacts to; unchanged means there is nothing to do."""
        return self.filled_quantity, self.open_quantity, self.quantity, self.room


class StrategyState(msgspec.Struct, kw_only=True):
    settings: StrategySettings = msgspec.field(default_factory=StrategySettings)
    policy_settings: PolicySettings = msgspec.field(default_factory=PolicySettings)
    parents: dict[str, ParentSchedule] = msgspec.field(default_factory=dict)


def room(state: StrategyState, parent_id: str) -> int:
    """Return what the parent's current epoch may still release; 0 for one that is closed."""
    parent = state.parents.get(parent_id)
    return 0 if parent is None else parent.room


def is_ended(state: StrategyState, parent_id: str) -> bool:
    """Return whether the strategy said ParentEnded; a closed parent counts as ended."""
    parent = state.parents.get(parent_id)
    return parent is None or parent.is_ended


def timers_of(event: object, state: StrategyState) -> tuple[tuple[str, int | None], ...]:
    """Return the timers to set (id, due ns) or to cancel (id, None) after `event`."""
    match event:
        case ParentRecalibrated() if not is_ended(state, event.parent_id):
            return ((f"strategy:wake:{event.parent_id}", event.next_due_ns or None),)
        case PolicyEvaluated() if not is_ended(state, event.parent_id):
            due_ns = event.inputs.as_of_ns + event.review_ns
            return ((f"strategy:policy:{event.parent_id}", due_ns),)
        case ParentEnded() | ParentClosed():
            wake, policy = (f"strategy:{name}:{event.parent_id}" for name in ("wake", "policy"))
            return ((wake, None), (policy, None))
        case _:
            return ()


def evolve(state: StrategyState, event: object) -> None:
    """Apply a recorded event; events of parents that are closed, and of others, are passed over.

    Raises: CorruptHistoryError when a release exceeds the room or a fill exceeds what is open.
    """
    if isinstance(event, ParentOpened):
        state.parents[event.parent_id] = _opened(event)
        return
    parent = state.parents.get(getattr(event, "parent_id", ""))
    if parent is None:
        return
    parent.progress.see(event)
    match event:
        case ParentClosed():
            del state.parents[event.parent_id]
        case EpochOpened() | EpochClosed() | ParentHeld() | MemberLeft():
            _evolve_membership(parent, event)
        case ScheduleSet() | ParentRecalibrated() | SliceReleased() | ParentEnded():
            _evolve_own(parent, event)
        case SliceReturned() | FillBooked() | FillBusted() | FillCorrected():
            _evolve_position(parent, event)
        case _ if type(event) in POLICY_EVENTS:
            _evolve_policy(parent, event)
        case _:
            pass


def _evolve_policy(parent: ParentSchedule, event: Any) -> None:
    if parent.policy is None:
        raise CorruptHistoryError(
            f"{type(event).__name__}: parent {parent.parent_id} has no policy"
        )
    if isinstance(event, StrategyChosen):
        parent.strategy = event.strategy
    evolve_policy(parent.policy, event)


def _opened(event: ParentOpened) -> ParentSchedule:
    return ParentSchedule(
        parent_id=event.parent_id,
        instrument_id=event.instrument_id,
        side=event.side,
        limit_price_e9=event.limit_price_e9,
        time_in_force=event.time_in_force,
        strategy=event.strategy,
        urgency=event.urgency,
        start_ns=event.start_ns,
        end_ns=event.end_ns,
        participation_cap_bps=event.participation_cap_bps,
        is_dark_allowed=event.is_dark_allowed,
        self_trade_id=event.self_trade_id,
        quantity=event.quantity,
        is_short_sale=event.is_short_sale,
        constraints=event.constraints,
        parameters=event.parameters,
        progress=Progress(arrival_price_e9=event.arrival_price_e9 or 0),
        policy=policy_of(event),
    )


def _evolve_membership(
    parent: ParentSchedule, event: EpochOpened | EpochClosed | ParentHeld | MemberLeft
) -> None:
    held = parent.held_order_ids
    match event:
        case EpochOpened():
            parent.epoch = event.epoch
            parent.room = event.quantity
            parent.quantity = event.parent_quantity
            # A hold ends for an order that has left; one still among the members still waits.
            members = {member.order_id for member in event.members}
            parent.held_order_ids = [order_id for order_id in held if order_id in members]
        case EpochClosed():
            parent.epoch = 0
            parent.room = 0
        case ParentHeld():
            parent.held_order_ids += [one for one in event.order_ids if one not in held]
        case MemberLeft():
            parent.held_order_ids = [one for one in held if one != event.order_id]


def _evolve_own(
    parent: ParentSchedule, event: ScheduleSet | ParentRecalibrated | SliceReleased | ParentEnded
) -> None:
    match event:
        case ScheduleSet():
            if parent.plans == 0:
                parent.first_market_quantity = event.anchor_market_quantity
                parent.first_market_prints = event.anchor_market_prints
                parent.first_start_ns = event.bin_starts_ns[0]
            parent.plans = event.ordinal
            parent.starts_ns = event.bin_starts_ns
            parent.targets = event.targets
            parent.anchor_quantity = event.anchor_quantity
            parent.anchor_market_quantity = event.anchor_market_quantity
            parent.plan_id = event.plan_id
            parent.closing_quantity = event.closing_quantity
        case ParentRecalibrated():
            if event.bin != parent.bin:
                parent.window_quantity = event.market_quantity
                parent.window_prints = event.market_prints
            parent.bin = event.bin
            parent.is_interrupted = event.is_interrupted
            parent.target_quantity = event.target_quantity
            parent.cap_quantity = event.cap_quantity
            parent.next_due_ns = event.next_due_ns
            parent.not_before_ns = event.not_before_ns
            parent.seen = parent.position()
        case SliceReleased():
            _release(parent, event)
        case ParentEnded():
            parent.is_ended = True


def _release(parent: ParentSchedule, event: SliceReleased) -> None:
    if event.epoch != parent.epoch or not 0 < event.quantity <= parent.room:
        raise CorruptHistoryError(
            f"slice {event.slice_id} of {event.quantity} in epoch {event.epoch}: "
            f"epoch {parent.epoch} has room {parent.room}"
        )
    parent.room -= event.quantity
    parent.slices_released += 1
    parent.slices[event.slice_id] = OpenSlice(
        epoch=event.epoch,
        logic=event.logic,
        deadline_ns=event.deadline_ns,
        quantity=event.quantity,
    )
    if event.auction is not PhaseKind.UNKNOWN:
        parent.auctions[event.slice_id] = AuctionPart(kind=event.auction, quantity=event.quantity)
    parent.seen = parent.position()


def _evolve_position(
    parent: ParentSchedule, event: SliceReturned | FillBooked | FillBusted | FillCorrected
) -> None:
    match event:
        case SliceReturned():
            _reduce(parent, event.slice_id, event.quantity)
            _leave_auction(parent, event.slice_id, event.quantity)
            if event.is_closed:
                parent.slices.pop(event.slice_id, None)
            if event.epoch == parent.epoch:
                parent.room += event.quantity
        case FillBooked():
            _reduce(parent, event.slice_id, event.quantity - event.late_quantity)
            parent.filled_quantity += event.quantity
            _leave_auction(parent, event.slice_id, -event.late_quantity)
            if event.epoch == parent.epoch:
                parent.room -= event.late_quantity
        case FillBusted():
            _free(parent, event.epoch, event.quantity)
            _leave_auction(parent, event.slice_id, event.quantity)
        case FillCorrected():
            freed = event.previous_quantity - event.quantity
            _free(parent, event.epoch, freed)
            _leave_auction(parent, event.slice_id, freed)


def _free(parent: ParentSchedule, epoch: int, quantity: int) -> None:
    parent.filled_quantity -= quantity
    if epoch == parent.epoch:
        parent.room += quantity


def _leave_auction(parent: ParentSchedule, slice_id: str, quantity: int) -> None:
    """Count what an auction's slice does not have any more; less than 0 for a late fill."""
    part = parent.auctions.get(slice_id)
    if part is not None:
        part.quantity -= quantity


def _reduce(parent: ParentSchedule, slice_id: str, quantity: int) -> None:
    if quantity == 0:
        return
    part = parent.slices.get(slice_id)
    if part is None or part.quantity < quantity:
        held = 0 if part is None else part.quantity
        raise CorruptHistoryError(f"slice {slice_id}: {quantity} gone where {held} is open")
    part.quantity -= quantity
    if part.quantity == 0:
        del parent.slices[slice_id]
