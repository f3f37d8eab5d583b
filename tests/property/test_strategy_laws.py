"""Laws of strategies under any router: room, holds, ends, redelivery, completion, bounds."""

from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import (
    Cause,
    Member,
    RoutingLogic,
    StrategyKind,
    StrategyParameters,
    TimeInForce,
    Urgency,
)
from schemas.messages.netting import EpochClosed, MemberLeft, ParentHeld
from schemas.messages.strategy import ParentEnded, SliceReleased
from streams.parameters import resolved
from streams.strategy import STRATEGY, StrategyState, is_ended, room, timers_of
from streams.strategy.commands import StrategyCommand
from streams.strategy.schedule import (
    PARTS_MAX,
    equal_bins,
    jittered_targets,
    jittered_times,
    participation_due,
    tracked_target,
    volume_targets,
)
from streams.strategy.state import StrategySettings
from tests.support.builders import OPEN_NS, SECOND, TICK, instrument
from tests.support.parents import (
    PARENT,
    begin,
    busted,
    epoch_opened,
    filled,
    forecast,
    market,
    parent_opened,
    recalibrate,
    returned,
    wake,
)

# Those that do all of an order whatever the market's volume is.
COMPLETING = (
    StrategyKind.VWAP,
    StrategyKind.TWAP,
    StrategyKind.IMPLEMENTATION_SHORTFALL,
    StrategyKind.CLOSE,
    StrategyKind.IMMEDIATE,
)
SETTINGS = StrategySettings()
VOLUMES = st.lists(st.integers(0, 5_000), min_size=1, max_size=12)


class World:
    """One parent with a router that does whatever it is told, within the laws of routing."""

    def __init__(self, opened: Any, lot: int, volumes: list[int]) -> None:
        self.state: StrategyState = STRATEGY.fold((opened, epoch_opened(opened.quantity)))
        self.instrument = instrument(lot=lot)
        self.forecast = forecast(*volumes)
        self.at_ns = OPEN_NS
        self.others = 0
        self.is_open = True
        self.released: list[SliceReleased] = []
        self.is_ended = False

    @property
    def parent(self) -> Any:
        return self.state.parents[PARENT]

    def _market(self) -> Any:
        return market(
            self.others,
            instrument=self.instrument,
            is_open=self.is_open,
            steady_quantity=self.others,
            prints=self.others // 10,
        )

    def begin(self) -> None:
        self._decide(begin(self.at_ns, market=self._market(), forecast=self.forecast))

    def wake(self) -> None:
        self._decide(wake(self.at_ns, market=self._market(), forecast=self.forecast))

    def recalibrate(self, cause: Cause) -> None:
        self._decide(recalibrate(cause, self.at_ns, market=self._market()))

    def show(self, *events: Any) -> None:
        STRATEGY.fold(events, self.state)

    def _decide(self, command: StrategyCommand) -> None:
        """Decide, check what every decision must keep, and apply it."""
        before, held = room(self.state, PARENT), bool(self.parent.held_order_ids)
        events = STRATEGY.decide(self.state, command)
        slices = [event for event in events if isinstance(event, SliceReleased)]
        assert len(slices) <= 1
        assert sum(slice_.quantity for slice_ in slices) <= before
        if slices:
            assert not held and self.is_open and not self.is_ended
            assert self.at_ns < slices[0].deadline_ns
        for event in events:
            STRATEGY.evolve(self.state, event)
            for _, due_ns in timers_of(event, self.state):
                assert due_ns is None or due_ns > self.at_ns
        if slices:
            assert self.parent.committed_quantity <= self.parent.cap_quantity
        self.is_ended = self.is_ended or any(isinstance(event, ParentEnded) for event in events)
        self.released += slices
        assert room(self.state, PARENT) >= 0
        assert STRATEGY.decide(self.state, command) == ()


def opened_parent(draw: st.DrawFn, *kinds: StrategyKind, **changes: Any) -> Any:
    start_ns = OPEN_NS + draw(st.sampled_from([-90, 0, 0, 0, 45])) * SECOND
    terms = {
        "quantity": draw(st.integers(1, 3_000)),
        "urgency": draw(st.sampled_from([Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT])),
        "start_ns": start_ns,
        "end_ns": max(start_ns, OPEN_NS) + draw(st.integers(1, 750)) * SECOND,
    }
    return parent_opened(draw(st.sampled_from(kinds)), **{**terms, **changes})


@st.composite
def any_parent(draw: st.DrawFn) -> Any:
    return opened_parent(
        draw,
        *COMPLETING,
        StrategyKind.POV,
        StrategyKind.AUTO,
        limit_price_e9=draw(st.sampled_from([None, 9_990 * TICK, 10_010 * TICK])),
        participation_cap_bps=draw(st.sampled_from([500, 3_000, 10_000])),
        time_in_force=draw(st.sampled_from([TimeInForce.DAY, TimeInForce.DAY, TimeInForce.IOC])),
    )


@st.composite
def free_parent(draw: st.DrawFn) -> Any:
    return opened_parent(draw, *COMPLETING)


@st.composite
def rated_parent(draw: st.DrawFn) -> Any:
    """A parent that follows a rate, with a band below and above it."""
    rate_bps = draw(st.integers(100, 5_000))
    parameters = StrategyParameters(
        participation_rate_bps=rate_bps,
        participation_floor_bps=draw(st.integers(0, rate_bps)),
    )
    cap_bps = draw(st.sampled_from([1_000, 3_000, 10_000]))
    terms = {"parameters": parameters, "participation_cap_bps": cap_bps, "start_ns": OPEN_NS}
    return opened_parent(draw, StrategyKind.POV, **terms)


def act(world: World, what: int, amount: int) -> None:
    """Let the world do one thing that routing, netting or a venue may do."""
    parent = world.parent
    open_slices = [(slice_id, part) for slice_id, part in parent.slices.items() if part.quantity]
    slice_id, part = open_slices[amount % len(open_slices)] if open_slices else ("", None)
    epoch = parent.epoch
    match what:
        case 0 | 1:  # time passes, the timer is due
            world.others += amount
            world.at_ns = max(world.at_ns, parent.next_due_ns)
            world.wake()
        case 2 | 3 if part is not None:
            quantity = min(part.quantity, 1 + amount)
            world.show(filled(quantity, slice_id=slice_id, epoch=part.epoch))
            world.recalibrate(Cause.FILL)
        case 4 if part is not None:
            world.show(returned(part.quantity, slice_id=slice_id, epoch=part.epoch))
            world.recalibrate(Cause.RETURNED)
        case 5 if parent.room and epoch:  # a fill of something that had come back
            late = min(parent.room, 1 + amount)
            world.show(filled(late, slice_ordinal=99, late_quantity=late, epoch=epoch))
            world.recalibrate(Cause.FILL)
        case 6 if parent.filled_quantity and epoch:
            world.show(busted(min(parent.filled_quantity, 1 + amount), epoch=epoch))
            world.recalibrate(Cause.BUST)
        case 7:  # a member wants to leave, and leaves
            world.show(ParentHeld(parent_id=PARENT, order_ids=("O1",), cause=Cause.CLIENT))
            released = len(world.released)
            world.at_ns = max(world.at_ns, parent.next_due_ns)
            world.wake()
            assert len(world.released) == released
            world.show(MemberLeft(parent_id=PARENT, order_id="O1", cumulative_quantity=0))
        case 8:  # a rebase: whatever is open pays the old epoch
            quantity = amount
            ordered = parent.committed_quantity + quantity
            members = (Member(order_id="O2", quantity=quantity),)
            closed = EpochClosed(
                parent_id=PARENT,
                epoch=epoch,
                tail_quantity=parent.open_quantity,
                tail=(),
                cause=Cause.MEMBER_JOINED,
            )
            ordinal = amount + 2 + epoch
            world.show(closed)
            world.show(epoch_opened(quantity, ordinal, parent_quantity=ordered, members=members))
            world.recalibrate(Cause.EPOCH)
        case 9:
            world.is_open = not world.is_open
        case _:
            pass


@settings(max_examples=300, deadline=None)
@given(
    any_parent(),
    st.sampled_from([1, 10, 100]),
    VOLUMES,
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 600)), max_size=60),
)
def test_whatever_happens_no_more_is_released_than_there_is_room(
    opened: Any, lot: int, volumes: list[int], story: list[tuple[int, int]]
) -> None:
    world = World(opened, lot, volumes)
    world.begin()
    for what, amount in story:
        act(world, what, amount)
    while not is_ended(world.state, PARENT):  # every parent ends, whatever was left undone
        world.at_ns = world.parent.next_due_ns
        world.wake()
    released = len(world.released)
    for slice_id, part in list(world.parent.slices.items()):
        world.show(returned(part.quantity, slice_id=slice_id, epoch=part.epoch))
        world.recalibrate(Cause.RETURNED)
        world.at_ns += SECOND
        world.wake()
    assert len(world.released) == released


@settings(max_examples=200, deadline=None)
@given(
    free_parent(),
    st.sampled_from([1, 10, 100]),
    VOLUMES,
    st.lists(st.integers(0, 100), min_size=1, max_size=20),
)
def test_a_cooperative_router_completes_every_order(
    opened: Any, lot: int, volumes: list[int], resting_percent: list[int]
) -> None:
    """Resting slices fill some part and come back at their deadline; a sweep fills."""
    world = World(opened, lot, volumes)
    world.begin()
    handled = 0
    while not world.is_ended and world.parent.filled_quantity < opened.quantity:
        for slice_ in world.released[handled:]:
            percent = resting_percent[handled % len(resting_percent)]
            handled += 1
            is_sweep = slice_.logic is RoutingLogic.SWEEP
            quantity = slice_.quantity if is_sweep else slice_.quantity * percent // 100
            if quantity:
                world.show(filled(quantity, slice_id=slice_.slice_id))
                world.recalibrate(Cause.FILL)
        due = {part.deadline_ns for part in world.parent.slices.values()}
        world.at_ns = max(world.at_ns, min({world.parent.next_due_ns, *due}))
        for slice_id, part in list(world.parent.slices.items()):
            if part.deadline_ns <= world.at_ns:
                world.show(returned(part.quantity, slice_id=slice_id))
                world.recalibrate(Cause.RETURNED)
        world.wake()
    assert world.parent.filled_quantity == opened.quantity
    assert room(world.state, PARENT) == world.parent.open_quantity == 0


@settings(max_examples=200, deadline=None)
@given(
    rated_parent(),
    st.sampled_from([1, 10, 100]),
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 100)), min_size=1, max_size=40),
)
def test_a_rate_is_never_exceeded_beyond_its_band_and_is_kept_when_all_fills(
    opened: Any, lot: int, story: list[tuple[int, int]]
) -> None:
    world = World(opened, lot, [1_000])
    world.begin()
    values = resolved(StrategyKind.POV, opened.urgency, opened.parameters)
    high_bps = min(values.participation_high_bps, opened.participation_cap_bps)
    handled, all_filled = 0, True
    for volume, percent in story:
        world.others += volume
        world.at_ns = world.parent.next_due_ns
        for slice_id, part in list(world.parent.slices.items()):
            if part.deadline_ns <= world.at_ns:
                all_filled = False
                world.show(returned(part.quantity, slice_id=slice_id))
        world.wake()
        if world.is_ended:
            break
        for slice_ in world.released[handled:]:
            quantity = slice_.quantity * percent // 100
            all_filled = all_filled and quantity == slice_.quantity
            if quantity:
                world.show(filled(quantity, slice_id=slice_.slice_id))
        handled = len(world.released)
        most = participation_due(world.others, 0, high_bps)
        assert world.parent.committed_quantity <= min(most, opened.quantity)
        # Whole lots leave a rest that the band may hold back in the next window.
        if lot == 1 and all_filled and world.parent.window_quantity == world.others:
            rate_bps = min(values.participation_rate_bps, high_bps)
            due = min(participation_due(world.others, 0, rate_bps), opened.quantity)
            # Near its end a rate takes, and nobody pays a spread for what is within its tolerance.
            ends_ns = opened.end_ns or world.instrument.session_close_ns
            if world.at_ns >= ends_ns - SETTINGS.completion_ns:
                due -= lot + opened.quantity * SETTINGS.tolerance_bps // 10_000
            assert world.parent.filled_quantity >= due


@given(
    st.integers(1, 10**9),
    st.integers(1, 400),
    st.sampled_from([1, 10, 100]),
    st.binary(min_size=1, max_size=32),
    st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)),
)
def test_jittered_slots_stay_within_the_proven_bound(
    quantity: int, slots: int, lot: int, seed: bytes, jitters: tuple[int, int]
) -> None:
    time_bps, size_bps = jitters
    length = slots * 60 * SECOND
    times = jittered_times(0, length, slots, seed=seed, time_jitter_bps=time_bps)
    targets = jittered_targets(quantity, slots, lot, seed=seed, size_jitter_bps=size_bps)
    assert targets[-1] == quantity
    assert list(targets) == sorted(targets)
    assert all(at // (60 * SECOND) == slot for slot, at in enumerate(times))
    jitter = Fraction(time_bps + size_bps, 20_000)
    bound = Fraction(quantity, slots) * (Fraction(1, 2) + jitter) + Fraction(lot, 2)
    bound += Fraction(quantity, length)  # times are rounded down to the ns
    before = 0
    for at, target in zip(times, targets, strict=True):
        line = Fraction(quantity * at, length)
        assert abs(before - line) <= bound
        assert abs(target - line) <= bound
        before = target


@given(st.integers(0, 10**9), st.integers(0, 10**12), VOLUMES)
def test_tracking_never_falls_and_ends_at_the_whole(
    quantity: int, traded: int, volumes: list[int]
) -> None:
    targets = volume_targets(quantity, traded, volumes)
    assert list(targets) == sorted(targets)
    assert targets[-1] == quantity
    now = tracked_target(quantity, traded, volumes[0], sum(volumes))
    assert 0 <= now <= quantity


@given(
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.integers(-(10**6), 10**6),
    st.integers(2, 10**5),
)
def test_bins_cover_the_window_in_order(start: int, length: int, grid: int, width: int) -> None:
    starts = equal_bins(start, start + length, grid, width)
    stops = (*starts[1:], start + length)
    assert starts[0] == start
    pieces = [stop - begins for begins, stop in zip(starts, stops, strict=True)]
    assert all(piece > 0 for piece in pieces)
    assert len(pieces) <= PARTS_MAX + 1
    width = max(width, -(-length // PARTS_MAX))  # as wide as the largest plan needs
    if len(pieces) > 1:
        assert all(2 * piece >= width - 1 and 2 * piece <= 3 * width for piece in pieces)


def test_the_state_survives_its_snapshot() -> None:
    world = World(parent_opened(StrategyKind.TWAP), 1, [100])
    world.begin()
    world.at_ns = world.parent.next_due_ns
    world.wake()
    assert world.released
    data = msgspec.msgpack.encode(world.state, order="deterministic")
    again = msgspec.msgpack.decode(data, type=StrategyState)
    assert again == world.state
    assert msgspec.msgpack.encode(again, order="deterministic") == data
