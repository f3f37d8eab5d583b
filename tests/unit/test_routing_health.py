"""Venues in trouble: suspended with what was seen, tried by a small child, back by its answer."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    ExecType,
    OrderStatus,
    RejectReason,
    VenueTrouble,
)
from schemas.messages.routing import (
    ChildPlaced,
    ChildStatusRequested,
    ChildUnresolved,
    RouteDecided,
    VenueResumed,
    VenueSuspended,
)
from streams.core.calendar import NEVER_NS
from streams.routing import ROUTING, RoutingState
from streams.routing.commands import ChangeConnection, ReportUndecodable, RouteSlice
from streams.routing.fold_fills import NONSENSE_MAX
from streams.routing.health import COOLDOWN_NS, standing
from tests.support.builders import ACME, OPEN_NS, SECOND, venue, venue_book
from tests.support.routing import (
    acknowledged,
    market,
    opened,
    placed,
    released,
    report,
    suspense,
    wake,
)

FAR_NS = OPEN_NS + 3_000 * SECOND
DEADLINE = {"deadline_ns": OPEN_NS + 10_000 * SECOND}


def suspended(trouble: VenueTrouble = VenueTrouble.REJECTS, **changes: Any) -> VenueSuspended:
    return VenueSuspended(
        **{
            "venue_id": "V1",
            "reason": RejectReason.VENUE_REJECTS,
            "until_ns": OPEN_NS + 30 * SECOND,
            "trouble": trouble,
            "strikes": 1,
            **changes,
        }
    )


def of(kind: type[Any], events: Any) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def route(state: RoutingState, at_ns: int, slice_id: str = "P.9", **changes: Any) -> list[Any]:
    """Route a slice of 100 by V1 alone and fold what comes of it."""
    ROUTING.evolve(state, released(100, slice_id=slice_id, **DEADLINE))
    books = market(venue_book("V1", at_ns=at_ns), **changes)
    events = ROUTING.decide(state, RouteSlice(slice_id=slice_id, at_ns=at_ns, market=books))
    ROUTING.fold(events, state)
    return list(events)


def tell(state: RoutingState, exec_type: ExecType, child: ChildPlaced, at_ns: int) -> list[Any]:
    """Let V1 say something of a child and fold it."""
    status = {ExecType.NEW: OrderStatus.NEW, ExecType.REJECTED: OrderStatus.REJECTED}[exec_type]
    command = report(
        exec_type,
        f"{child.child_id}{at_ns}",
        child_id=child.child_id,
        order_status=status,
        leaves_quantity=child.quantity,
        at_ns=at_ns,
        market=market(venue_book("V1")),
    )
    events = ROUTING.decide(state, command)
    ROUTING.fold(events, state)
    return list(events)


def test_a_suspended_venue_is_tried_by_one_small_child_after_its_pause() -> None:
    state = ROUTING.fold((*opened(1_000), suspended()))
    early = route(state, OPEN_NS + 29 * SECOND)
    assert of(ChildPlaced, early) == []
    assert of(RouteDecided, early)[0].alternatives[0].reason == "suspended"
    (probe,) = of(ChildPlaced, route(state, OPEN_NS + 31 * SECOND, "P.10"))
    assert (probe.is_probe, probe.quantity) == (True, 10)
    third = route(state, OPEN_NS + 31 * SECOND, "P.11")
    assert of(ChildPlaced, third) == []
    reason = of(RouteDecided, third)[0].alternatives[0].reason
    assert reason == "suspended until its probe is answered"


TROUBLES = [each for each in VenueTrouble if each is not VenueTrouble.UNKNOWN]
OF_ONE_INSTRUMENT = (VenueTrouble.STALE, VenueTrouble.CROSSED)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_probes_answer_resumes_the_venue(trouble: VenueTrouble) -> None:
    scope = ACME if trouble in OF_ONE_INSTRUMENT else ""
    state = ROUTING.fold((*opened(1_000), suspended(trouble, instrument_id=scope)))
    assert of(ChildPlaced, route(state, OPEN_NS + 29 * SECOND, "P.8")) == []
    (probe,) = of(ChildPlaced, route(state, OPEN_NS + 31 * SECOND))
    assert (probe.is_probe, probe.quantity) == (True, 10)
    (resumed,) = of(VenueResumed, tell(state, ExecType.NEW, probe, OPEN_NS + 32 * SECOND))
    assert resumed == VenueResumed(
        venue_id="V1", instrument_id=scope, trouble=trouble, child_id=probe.child_id, strikes=1
    )
    (whole,) = of(ChildPlaced, route(state, OPEN_NS + 33 * SECOND, "P.10"))
    assert (whole.is_probe, whole.quantity) == (False, 100)


SLOW_NS = SECOND // 10  # the longest honest answer of V1 below


@pytest.mark.parametrize(("answer_ns", "is_slow"), [(SLOW_NS, False), (2 * SLOW_NS, True)])
def test_a_probe_that_is_answered_late_is_the_next_strike(answer_ns: int, is_slow: bool) -> None:
    state = ROUTING.fold((*opened(1_000), suspended(VenueTrouble.SLOW)))
    (probe,) = of(ChildPlaced, route(state, OPEN_NS + 31 * SECOND))
    at_ns = OPEN_NS + 31 * SECOND + answer_ns
    books = market(venue_book("V1", venue=venue("V1", slow_after_ns=SLOW_NS)))
    answer = report(
        ExecType.NEW,
        "a1",
        child_id=probe.child_id,
        order_status=OrderStatus.NEW,
        leaves_quantity=probe.quantity,
        at_ns=at_ns,
        market=books,
    )
    events = ROUTING.decide(state, answer)
    again, resumed = of(VenueSuspended, events), of(VenueResumed, events)
    if not is_slow:
        assert (len(resumed), again) == (1, [])
        return
    (strike,) = again
    assert (strike.trouble, strike.strikes, resumed) == (VenueTrouble.SLOW, 2, [])
    assert strike.until_ns == at_ns + 2 * COOLDOWN_NS
    assert (strike.value_e9, strike.bound_e9) == (answer_ns, SLOW_NS)


@pytest.mark.parametrize(("age_ns", "is_tried"), [(SECOND, True), (11 * SECOND, False)])
def test_a_stale_book_is_tried_again_once_it_is_fresh(age_ns: int, is_tried: bool) -> None:
    stale = suspended(VenueTrouble.STALE, instrument_id=ACME)
    state = ROUTING.fold((*opened(1_000), stale, released(100, slice_id="P.9", **DEADLINE)))
    at_ns = OPEN_NS + 31 * SECOND
    books = market(venue_book("V1", at_ns=at_ns - age_ns), **GUARDED)
    events = ROUTING.decide(state, RouteSlice(slice_id="P.9", at_ns=at_ns, market=books))
    assert [each.is_probe for each in of(ChildPlaced, events)] == ([True] if is_tried else [])
    again = [(each.trouble, each.strikes) for each in of(VenueSuspended, events)]
    assert again == ([] if is_tried else [(VenueTrouble.STALE, 2)])


def test_each_failed_probe_doubles_the_pause() -> None:
    state = ROUTING.fold((*opened(1_000), suspended()))
    at_ns, pauses = OPEN_NS + 30 * SECOND, []
    for n in range(10, 19):
        (probe,) = of(ChildPlaced, route(state, at_ns, f"P.{n}"))
        (again,) = of(VenueSuspended, tell(state, ExecType.REJECTED, probe, at_ns))
        pauses.append((again.until_ns - at_ns) // SECOND)
        assert again.trouble is VenueTrouble.REJECTS
        at_ns = again.until_ns
    assert pauses == [60, 120, 240, 480, 960, 1_920, 1_920, 1_920, 1_920]


def test_a_probe_without_an_answer_is_the_next_strike() -> None:
    state = ROUTING.fold((*opened(1_000), suspended()))
    at_ns = OPEN_NS + 31 * SECOND
    (probe,) = of(ChildPlaced, route(state, at_ns))
    events = ROUTING.decide(state, wake(f"routing:child:{probe.child_id}", probe.ack_due_ns))
    (again,) = of(VenueSuspended, events)
    assert (again.trouble, again.strikes) == (VenueTrouble.SILENT, 2)


def test_after_ten_quiet_minutes_strikes_count_anew() -> None:
    state = ROUTING.fold((*opened(1_000), suspended(strikes=5)))
    (probe,) = of(ChildPlaced, route(state, FAR_NS))
    tell(state, ExecType.NEW, probe, FAR_NS)
    unreadable = ReportUndecodable(
        venue_id="V1", reason=RejectReason.BAD_MAGIC, at_ns=FAR_NS + SECOND
    )
    (fresh,) = of(VenueSuspended, ROUTING.decide(state, unreadable))
    assert (fresh.trouble, fresh.strikes) == (VenueTrouble.UNDECODABLE, 1)
    assert fresh.until_ns == FAR_NS + SECOND + COOLDOWN_NS


def many(count: int) -> RoutingState:
    """Return a state with so many children of 10 at V1, none answered."""
    state = ROUTING.fold((*opened(count * 10), released(count * 10, **DEADLINE)))
    for n in range(1, count + 1):
        ROUTING.evolve(state, placed(f"P.1.{n}", 10))
    return state


def test_a_venue_that_does_not_answer_three_children_is_suspended_as_silent() -> None:
    state, seen = many(3), []
    for n in (1, 2, 3):
        events = ROUTING.decide(state, wake(f"routing:child:P.1.{n}", OPEN_NS + 5 * SECOND))
        ROUTING.fold(events, state)
        seen.append([each.trouble for each in of(VenueSuspended, events)])
    assert seen == [[], [], [VenueTrouble.SILENT]]


def test_an_answer_ends_the_count_of_silence() -> None:
    state = many(3)
    for n in (1, 2):
        ROUTING.fold(
            ROUTING.decide(state, wake(f"routing:child:P.1.{n}", OPEN_NS + 5 * SECOND)), state
        )
    ROUTING.evolve(state, acknowledged(child_id="P.1.1"))
    events = ROUTING.decide(state, wake("routing:child:P.1.3", OPEN_NS + 5 * SECOND))
    assert of(VenueSuspended, events) == []


def _acknowledge(state: RoutingState, n: int, latency_ns: int, slow_after_ns: int) -> list[Any]:
    books = market(venue_book("V1", venue=venue("V1", slow_after_ns=slow_after_ns)))
    command = report(
        ExecType.NEW, f"a{n}", child_id=f"P.1.{n}", at_ns=OPEN_NS + latency_ns, market=books
    )
    events = ROUTING.decide(state, command)
    ROUTING.fold(events, state)
    return of(VenueSuspended, events)


def test_a_venue_whose_slowest_answers_are_beyond_its_bound_is_suspended_as_slow() -> None:
    state, bound = many(40), SECOND // 10
    for n in range(1, 31):
        assert _acknowledge(state, n, SECOND // 100, bound) == []
    assert _acknowledge(state, 31, SECOND, bound) == []  # one alone is chance
    (slow,) = _acknowledge(state, 32, 2 * SECOND, bound)
    assert (slow.trouble, slow.value_e9, slow.bound_e9) == (VenueTrouble.SLOW, SECOND, bound)


def test_few_answers_say_nothing_of_the_pace() -> None:
    state = many(19)
    assert [_acknowledge(state, n, 2 * SECOND, SECOND) for n in range(1, 20)] == [[]] * 19


def test_a_venue_that_contradicts_itself_three_times_is_suspended() -> None:
    state, seen = many(1), []
    for n in range(3):
        wrong = report(ExecType.NEW, f"w{n}", instrument_id="OTHER")
        events = ROUTING.decide(state, wrong)
        ROUTING.fold(events, state)
        seen.append([each.trouble for each in of(VenueSuspended, events)])
    assert seen == [[], [], [VenueTrouble.CONTRADICTION]]


GUARDED = {"age_max_ns": 2 * SECOND, "crossed_max_ns": SECOND}


@pytest.mark.parametrize(
    ("book", "trouble", "value_ns", "bound_ns"),
    [
        ({"at_ns": OPEN_NS - 11 * SECOND}, VenueTrouble.STALE, 11 * SECOND, 10 * SECOND),
        ({"crossed_since_ns": OPEN_NS - 3 * SECOND}, VenueTrouble.CROSSED, 3 * SECOND, SECOND),
    ],
)
def test_a_venue_that_shows_an_old_or_crossed_book_is_suspended_in_that_instrument(
    book: dict[str, Any], trouble: VenueTrouble, value_ns: int, bound_ns: int
) -> None:
    state = ROUTING.fold((*opened(), released()))
    books = market(venue_book("V1", **book), venue_book("V2"), **GUARDED)
    events = ROUTING.decide(state, RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=books))
    (found,) = of(VenueSuspended, events)
    assert (found.venue_id, found.instrument_id, found.trouble) == ("V1", ACME, trouble)
    assert (found.value_e9, found.bound_e9) == (value_ns, bound_ns)
    assert [child.venue_id for child in of(ChildPlaced, events)] == ["V2"]
    ROUTING.fold(events, state)
    assert standing(state, "V1", ACME, OPEN_NS + SECOND).refusal == "suspended"
    assert standing(state, "V1", "OTHER", OPEN_NS + SECOND).refusal == ""


def test_a_book_that_is_only_a_little_old_is_passed_over_and_suspends_nobody() -> None:
    state = ROUTING.fold((*opened(), released()))
    books = market(venue_book("V1", at_ns=OPEN_NS - 3 * SECOND), venue_book("V2"), **GUARDED)
    events = ROUTING.decide(state, RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=books))
    assert of(VenueSuspended, events) == []
    reasons = {each.venue_id: each.reason for each in of(RouteDecided, events)[0].alternatives}
    assert reasons["V1"] == "its book is stale"


def test_a_lost_session_suspends_until_it_is_back_and_then_every_child_is_asked_for() -> None:
    state = many(2)
    lost = ChangeConnection(venue_id="V1", is_connected=False, at_ns=OPEN_NS)
    (down,) = ROUTING.decide(state, lost)
    assert (down.trouble, down.until_ns) == (VenueTrouble.DISCONNECTED, NEVER_NS)
    ROUTING.evolve(state, down)
    assert ROUTING.decide(state, lost) == ()
    back = ChangeConnection(venue_id="V1", is_connected=True, at_ns=OPEN_NS + SECOND)
    events = ROUTING.decide(state, back)
    assert events[0].until_ns == OPEN_NS + SECOND + COOLDOWN_NS
    asked = of(ChildStatusRequested, events)
    assert [(each.child_id, each.cause) for each in asked] == [
        ("P.1.1", Cause.UNKNOWN_OUTCOME),
        ("P.1.2", Cause.UNKNOWN_OUTCOME),
    ]
    ROUTING.fold(events, state)
    assert ROUTING.decide(state, back) == ()


def test_a_venue_that_speaks_again_is_asked_for_what_it_never_answered() -> None:
    state = many(1)
    while due_ns := state.children["P.1.1"].due_ns:
        events = ROUTING.decide(state, wake("routing:child:P.1.1", due_ns))
        ROUTING.fold(events, state)
    (told,) = of(ChildUnresolved, events)
    assert (told.quantity, told.requests) == (10, 5)
    state.parents["P"].room += 100  # what the probe is released from
    at_ns = state.venues["V1"].suspended_until_ns
    (probe,) = of(ChildPlaced, route(state, at_ns))
    said = tell(state, ExecType.NEW, probe, at_ns)
    assert len(of(VenueResumed, said)) == 1
    assert [each.child_id for each in of(ChildStatusRequested, said)] == ["P.1.1"]
    assert not state.children["P.1.1"].is_escalated


def test_a_new_trade_date_forgets_what_closed_more_than_five_before() -> None:
    state = ROUTING.fold(opened(1_000))
    for n, date in enumerate((*range(20250609, 20250614), 20250616, 20250617), 1):
        ROUTING.evolve(state, released(10, slice_id=f"P.{n}", **DEADLINE))
        child = placed(f"P.{n}.1", 10, slice_id=f"P.{n}", trade_date=date)
        ROUTING.evolve(state, child)
        fill = report(
            ExecType.TRADE,
            f"e{n}",
            child_id=f"P.{n}.1",
            order_status=OrderStatus.FILLED,
            last_quantity=10,
            last_price_e9=10**11,
            cumulative_quantity=10,
            leaves_quantity=0,
        )
        ROUTING.fold(ROUTING.decide(state, fill), state)
    assert list(state.closed) == [f"P.{n}.1" for n in range(2, 8)]
    assert list(state.fills) == [f"V1/e{n}" for n in range(2, 8)]


def test_a_flood_of_nonsense_is_remembered_up_to_a_bound() -> None:
    state = ROUTING.fold((*opened(), released(), placed()))
    for n in range(NONSENSE_MAX + 100):
        ROUTING.evolve(state, suspense(f"s{n}", RejectReason.UNKNOWN_CHILD, ExecType.TRADE))
        early = suspense(
            f"b{n}", RejectReason.UNKNOWN_ORDER, ExecType.TRADE_CANCEL, exec_ref_id=f"e{n}"
        )
        ROUTING.evolve(state, early)
    assert len(state.suspense) == len(state.early) == NONSENSE_MAX
    newest = f"e{NONSENSE_MAX + 99}"
    assert f"V1/{newest}" in state.early and "V1/e0" not in state.early
