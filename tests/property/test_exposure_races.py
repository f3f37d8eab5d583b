"""100,000 random races of reports, requests and time: no over-fill, no lost share."""

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import routing as messages
from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.routing import ChildCancelRequested
from streams.routing import ROUTING, RoutingState
from streams.routing.commands import ApplyReport
from tests.support.builders import execution_report
from tests.support.exposure_race import MARKET, Race
from tests.support.model_venue import Choose

ROUTING_EVENTS = (
    messages.ChildAcknowledged,
    messages.ChildCancelRejected,
    messages.ChildCancelRequested,
    messages.ChildCanceled,
    messages.ChildPlaced,
    messages.ChildRejected,
    messages.ChildStatusRequested,
    messages.FillBooked,
    messages.FillBusted,
    messages.FillCorrected,
    messages.RouteDecided,
    messages.SliceReturned,
    messages.SuspenseRecorded,
    messages.VenueSuspended,
)
RACES = 100_000
SEED = 20_250_615
RACES_TO_CATCH_A_RESENDER = 200  # the resender below falls within the first few


def choices_of(seed: int) -> Choose:
    random = Random(SEED + seed).random
    return lambda n: int(random() * n)


def run_race(seed: int) -> None:
    """Run the race of one seed; every other one has busts and corrections."""
    try:
        Race(choices_of(seed), has_busts=seed % 2 == 1).run()
    except Exception as error:
        error.add_note(f"race {seed}")
        raise


@pytest.mark.slow
def test_a_hundred_thousand_races_neither_overfill_nor_lose_a_share() -> None:
    for seed in range(RACES):
        run_race(seed)


@given(st.lists(st.integers(0, 59), max_size=120), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_short_race_neither_overfills_nor_loses_a_share(
    numbers: list[int], has_busts: bool
) -> None:
    drawn = iter(numbers)
    # Once they are used up, the venue accepts whatever it is asked.
    Race(lambda n: next(drawn, n - 1) % n, has_busts=has_busts).run()


def resend_before_the_ack(state: RoutingState, command: Any) -> tuple[Any, ...]:
    """Take a cancel request for a cancel, as four open engines do (LESSONS, D1)."""
    events = list(ROUTING.decide(state, command))
    requests = [event for event in events if isinstance(event, ChildCancelRequested)]
    for request in requests:
        imagined = ROUTING.fold(events, _copy(state))
        child = imagined.children.get(request.child_id)
        if child is None:
            continue
        report = execution_report(
            request.child_id,
            "imagined",
            venue_id=request.venue_id,
            exec_type=ExecType.CANCELED,
            order_status=OrderStatus.CANCELED,
            cumulative_quantity=child.net,
            last_quantity=0,
        )
        events += ROUTING.decide(
            imagined,
            ApplyReport(
                report=report,
                at_ns=child.due_ns,
                market=MARKET,
                current_epoch=1,
                room=0,
            ),
        )
    return tuple(events)


def _copy(state: RoutingState) -> RoutingState:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=RoutingState)


def test_the_oracle_catches_a_router_that_resends_before_the_cancel_is_acknowledged() -> None:
    caught = 0
    for seed in range(RACES_TO_CATCH_A_RESENDER):
        race = Race(choices_of(seed), has_busts=False, decide=resend_before_the_ack)
        try:
            race.run()
        except AssertionError:
            caught += 1
    assert caught > RACES_TO_CATCH_A_RESENDER // 4


def test_the_oracle_catches_a_router_that_books_a_bust_as_nothing() -> None:
    def deaf(state: RoutingState, command: Any) -> tuple[Any, ...]:
        is_bust = (
            isinstance(command, ApplyReport) and command.report.exec_type is ExecType.TRADE_CANCEL
        )
        return () if is_bust else ROUTING.decide(state, command)

    with pytest.raises(AssertionError, match="lost or doubled"):
        for seed in range(1, 1000, 2):
            Race(choices_of(seed), has_busts=True, decide=deaf).run()


def test_the_oracle_catches_a_router_that_books_repeated_executions() -> None:
    ordinal = 0

    def forgetful(state: RoutingState, command: Any) -> tuple[Any, ...]:
        nonlocal ordinal
        if isinstance(command, ApplyReport) and command.report.exec_type is ExecType.TRADE:
            ordinal += 1
            changed = msgspec.structs.replace(command.report, exec_id=f"n{ordinal}")
            command = msgspec.structs.replace(command, report=changed)
        return ROUTING.decide(state, command)

    with pytest.raises(AssertionError):
        for seed in range(0, 1000, 2):
            Race(choices_of(seed), has_busts=False, decide=forgetful).run()


def test_the_races_meet_every_event_of_routing() -> None:
    """A race in which nothing happens proves nothing."""
    seen: Counter[str] = Counter()
    for seed in range(600):
        race = Race(choices_of(seed), has_busts=seed % 2 == 1)
        race.run()
        seen.update(race.seen)
    rarest = min(seen[event.__name__] for event in ROUTING_EVENTS)
    assert rarest >= 10, seen


def test_every_report_says_nothing_the_second_time() -> None:
    for seed in range(600):
        race = Race(choices_of(seed), has_busts=seed % 2 == 1)
        race.run()
        for message in race.delivered:
            assert ROUTING.decide(race.state, race.command_of(message)) == (), f"race {seed}"


def test_the_state_survives_its_canonical_bytes_in_the_middle_of_a_race() -> None:
    race = Race(choices_of(7), has_busts=True)
    race.run()
    data = msgspec.msgpack.encode(race.state, order="deterministic")
    again = msgspec.msgpack.decode(data, type=RoutingState)
    assert again == race.state
    assert msgspec.msgpack.encode(again, order="deterministic") == data
