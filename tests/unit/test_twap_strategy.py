"""TWAP in given, when, then: slots of one plan, its seed, and how it ends."""

from typing import Any

from schemas.messages.core import Cause, RoutingLogic, StrategyKind
from schemas.messages.strategy import ParentEnded, ParentRecalibrated, SliceReleased
from streams.strategy import STRATEGY
from tests.support.builders import MINUTE, OPEN_NS, SECOND
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    epoch_opened,
    filled,
    parent_opened,
    recalibrate,
    wake,
)

OPENED = (parent_opened(StrategyKind.TWAP), epoch_opened())


def begun(*opened: Any, **changes: Any) -> tuple[Any, ...]:
    history = opened or OPENED
    return (*history, *given(STRATEGY, *history).when(begin(**changes)).events())


def test_the_plan_has_a_slot_a_minute_and_waits_for_the_first() -> None:
    plan, seen = begun()[2:]
    assert len(plan.bin_starts_ns) == 10
    assert plan.targets[-1] == 1_000
    assert (seen.bin, seen.next_due_ns) == (-1, plan.bin_starts_ns[0])


def test_two_parents_of_one_batch_do_not_move_together() -> None:
    first = begun()[2]
    other = "Pabcdef.0.2"
    opened = (
        parent_opened(StrategyKind.TWAP, parent_id=other),
        epoch_opened(parent_id=other),
    )
    second = given(STRATEGY, *opened).when(begin(parent_id=other)).events()[0]
    assert first.seed != second.seed
    assert first.bin_starts_ns != second.bin_starts_ns
    assert begun()[2] == first  # the journalled entropy gives the same plan again


def test_a_slot_rests_its_part_of_the_plan() -> None:
    history = begun()
    plan = history[2]
    at_ns, closes_ns = plan.bin_starts_ns[:2]
    seen, slice_ = given(STRATEGY, *history).when(wake(at_ns)).events()
    assert (slice_.quantity, slice_.logic) == (plan.targets[0], RoutingLogic.SEQUENTIAL)
    assert at_ns < slice_.deadline_ns == seen.next_due_ns < closes_ns


def test_an_unfilled_slot_is_caught_up_with_in_the_next() -> None:
    """Defect D2: a slice that came back unfilled was never sent again."""
    history = begun()
    plan = history[2]
    first = given(STRATEGY, *history).when(wake(plan.bin_starts_ns[0])).events()
    history = (*history, *first, filled(40))
    events = given(STRATEGY, *history).when(wake(plan.bin_starts_ns[1])).events()
    assert events[1].quantity == plan.targets[1] - plan.targets[0]  # the first slot is still open
    assert events[0].filled_quantity + events[0].open_quantity == plan.targets[0]


def test_a_window_shorter_than_a_slot_is_one_slot() -> None:
    end_ns = OPEN_NS + 40 * SECOND
    plan = begun(parent_opened(StrategyKind.TWAP, end_ns=end_ns), epoch_opened())[2]
    assert (len(plan.bin_starts_ns), plan.targets) == (1, (1_000,))


def test_one_share_in_ten_slots_is_worked() -> None:
    """Thread 5: a TWAP failed with fewer shares than intervals."""
    opened = (parent_opened(StrategyKind.TWAP, quantity=1), epoch_opened(1))
    state = STRATEGY.fold(opened)
    events = STRATEGY.decide(state, begin(OPEN_NS))
    released: list[SliceReleased] = []
    while not isinstance(events[-1], ParentEnded):
        STRATEGY.fold(events, state)
        released += [event for event in events if isinstance(event, SliceReleased)]
        events = STRATEGY.decide(state, wake(state.parents[PARENT].next_due_ns))
    assert events[-1] == ParentEnded(parent_id=PARENT, cause=Cause.END_OF_WINDOW)
    assert [slice_.quantity for slice_ in released] == [1]


def test_a_member_that_joins_keeps_the_times_of_the_slots() -> None:
    history = begun()
    plan = history[2]
    first = given(STRATEGY, *history).when(wake(plan.bin_starts_ns[0])).events()
    done = plan.targets[0]
    joined = epoch_opened(2_000 - done, epoch=2, parent_quantity=2_000)
    history = (*history, *first, filled(done), joined)
    at_ns = plan.bin_starts_ns[0] + SECOND
    (seen,) = given(STRATEGY, *history).when(recalibrate(Cause.EPOCH, at_ns)).events()
    assert isinstance(seen, ParentRecalibrated)
    events = given(STRATEGY, *history, seen).when(wake(plan.bin_starts_ns[1])).events()
    again = events[0]
    assert again.bin_starts_ns == plan.bin_starts_ns[1:]
    # After one slot of ten the first 1,000 stand at 100; 1,900 follow in nine slots.
    assert (again.anchor_quantity, again.targets[-1]) == (100, 2_000)
    assert abs(again.targets[0] - 100 - 1_900 // 9) <= 1_900 * 3 // 9 // 10 + 1


def test_nothing_is_left_to_the_last_instant() -> None:
    history = begun()
    plan = history[2]
    state = STRATEGY.fold(history)
    at_ns = plan.bin_starts_ns[-1]
    slices = []
    while at_ns < OPEN_NS + 10 * MINUTE:
        events = STRATEGY.decide(state, wake(at_ns))
        STRATEGY.fold(events, state)
        slices += [event for event in events if isinstance(event, SliceReleased)]
        at_ns = state.parents[PARENT].next_due_ns
    assert slices[0].quantity == 1_000
    assert slices[0].deadline_ns <= OPEN_NS + 10 * MINUTE - 3 * SECOND
