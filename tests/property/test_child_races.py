"""A slice of `python -m benchmarks.child_races`, and the defects that it must catch."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from benchmarks.child_races import choices_of, run_case
from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildReplaced,
    ChildReplaceRequested,
    FillBooked,
    FillBusted,
    SliceReturned,
)
from streams.core.errors import CorruptHistoryError
from streams.routing import ROUTING, RoutingState
from streams.routing.commands import ApplyReport
from tests.support.child_race import ChildRace

CASES = 1_000
CASES_TO_CATCH = 400
BROKEN = (AssertionError, CorruptHistoryError)
EVENTS = (
    "ChildAcknowledged",
    "ChildCancelDeferred",
    "ChildCancelRejected",
    "ChildCancelRequested",
    "ChildCanceled",
    "ChildPlaced",
    "ChildRejected",
    "ChildReplaceRejected",
    "ChildReplaceRequested",
    "ChildReplaced",
    "ChildRestated",
    "ChildSettled",
    "ChildStatusRequested",
    "FillBooked",
    "FillBusted",
    "FillCorrected",
    "RouteDecided",
    "SliceReturned",
    "SuspenseRecorded",
    "VenueSuspended",
)


def test_no_race_overfills_or_loses_a_share() -> None:
    seen: Counter[str] = Counter()
    for seed in range(CASES):
        try:
            seen.update(run_case(seed).seen)
        except Exception as error:
            error.add_note(f"case {seed}")
            raise
    rarest = {name: seen[name] for name in EVENTS if seen[name] < 10}
    assert not rarest, "a race in which nothing happens proves nothing"


def _resends(state: RoutingState, events: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take a cancel request for a cancel (D1)."""
    for event in events:
        child = state.children.get(getattr(event, "child_id", ""))
        if isinstance(event, ChildCancelRequested) and child is not None and child.exposure:
            closed = ChildCanceled(
                **child.ids,
                status=OrderStatus.CANCELED,
                canceled_quantity=child.exposure,
                outstanding_quantity=0,
                is_unsolicited=False,
                retry_ns=0,
            )
            back = SliceReturned(
                slice_id=child.slice_id,
                parent_id=child.parent_id,
                epoch=child.epoch,
                quantity=child.exposure,
                is_closed=True,
                cause=event.cause,
            )
            return (*events, closed, back)
    return events


def _forgets_the_larger(state: RoutingState, events: tuple[Any, ...]) -> tuple[Any, ...]:
    """Free what a replace to less takes off before the venue took it."""
    for event in events:
        if isinstance(event, ChildReplaceRequested) and event.quantity < event.previous_quantity:
            freed = event.previous_quantity - event.quantity
            done = ChildReplaced(
                **state.children[event.child_id].ids,
                request=event.request,
                quantity=event.quantity,
                price_e9=event.price_e9,
                freed_quantity=freed,
            )
            return (*events, done)
    return events


def _drops_outstanding(state: RoutingState, events: tuple[Any, ...]) -> tuple[Any, ...]:
    """Free what the venue counted and has not told yet."""
    return tuple(
        msgspec.structs.replace(
            event,
            canceled_quantity=event.canceled_quantity + event.outstanding_quantity,
            outstanding_quantity=0,
            retry_ns=0,
        )
        if isinstance(event, ChildCanceled)
        else event
        for event in events
    )


def _ignores_busts(state: RoutingState, events: tuple[Any, ...]) -> tuple[Any, ...]:
    """Let a bust be no news (D6)."""
    return tuple(event for event in events if not isinstance(event, FillBusted))


def _doubles_fills(state: RoutingState, events: tuple[Any, ...]) -> tuple[Any, ...]:
    """Book a fill under another id once more (thread 20)."""
    found = [event for event in events if isinstance(event, FillBooked)]
    again = [msgspec.structs.replace(each, fill_id=f"{each.fill_id}x") for each in found]
    return (*events, *again)


def _loses_returns(state: RoutingState, events: tuple[Any, ...]) -> tuple[Any, ...]:
    """Keep what nobody holds from the strategy."""
    return tuple(event for event in events if not isinstance(event, SliceReturned))


DEFECTS: dict[str, Callable[[RoutingState, tuple[Any, ...]], tuple[Any, ...]]] = {
    "sends again before the cancel is acknowledged": _resends,
    "frees a replace before the venue took it": _forgets_the_larger,
    "forgets fills that a cancel counted": _drops_outstanding,
    "ignores busts": _ignores_busts,
    "books a fill twice": _doubles_fills,
    "loses what comes back": _loses_returns,
}


@pytest.mark.parametrize("name", DEFECTS)
def test_the_race_catches_a_router_that(name: str) -> None:
    spoil = DEFECTS[name]

    def decide(state: RoutingState, command: Any) -> tuple[Any, ...]:
        return spoil(state, ROUTING.decide(state, command))

    assert _is_caught(decide), f"no race of {CASES_TO_CATCH} caught it"


def test_the_race_catches_a_router_that_takes_a_bust_for_a_fill() -> None:
    """LESSONS, D5."""

    def decide(state: RoutingState, command: Any) -> tuple[Any, ...]:
        if isinstance(command, ApplyReport):
            report = command.report
            if report.exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
                changed = msgspec.structs.replace(report, exec_type=ExecType.TRADE)
                command = msgspec.structs.replace(command, report=changed)
        return ROUTING.decide(state, command)

    assert _is_caught(decide)


def test_the_race_catches_a_router_that_believes_a_restatement_a_replace_overtook() -> None:
    def decide(state: RoutingState, command: Any) -> tuple[Any, ...]:
        if isinstance(command, ApplyReport):
            report, child = command.report, state.children.get(command.report.child_id)
            if report.exec_type is ExecType.RESTATED and child is not None:
                changed = msgspec.structs.replace(report, request=child.replaced)
                command = msgspec.structs.replace(command, report=changed)
        return ROUTING.decide(state, command)

    assert _is_caught(decide, cases=100, first=2_100)  # one race in two thousand


def test_the_race_catches_a_router_that_forgets_what_people_settled() -> None:
    """Every late report is a fill then, and the shares that were told are there twice."""

    def decide(state: RoutingState, command: Any) -> tuple[Any, ...]:
        settled, state.settled = state.settled, {}
        events = ROUTING.decide(state, command)
        state.settled = settled
        return events

    assert _is_caught(decide)


def _is_caught(decide: Any, cases: int = CASES_TO_CATCH, first: int = 0) -> bool:
    for seed in range(first, first + cases):
        try:
            ChildRace(choices_of(seed), has_busts=seed % 2 == 1, decide=decide).run()
        except BROKEN:
            return True
    return False
