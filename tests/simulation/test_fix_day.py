"""A day with FIX at both edges, in one thread: books equal, nothing lost, nothing twice."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from schemas.messages.core import Envelope
from schemas.messages.fix import FixRefused
from services.demo.fix_books import ChildBooks, client_differences, intake_states
from services.fix.acts import Act
from services.fix.market.application import MarketGateway
from services.fix.oms.application import OmsGateway
from services.fix.oms.book import Book
from services.venues.conditions import Conditions
from services.venues.scenario import Scenario
from streams.core import topics
from tests.support.fix_day import FixDay, full_day

SCENARIO = Scenario(seed=4, minutes=2, orders=160, conditions=Conditions(closing_s=12))
WILD = {
    "duplicate_ppm": 100_000,
    "swap_ppm": 200_000,
    "slow_ppm": 50_000,
    "unsolicited_ppm": 60_000,
    "gap_ppm": 20_000,
    "gap_fill_ppm": 20_000,
    "reset_ppm": 20_000,
    "logout_ppm": 20_000,
}


@cache
def quiet() -> FixDay:
    return played({})


@cache
def wild() -> FixDay:
    return played(WILD)


def played(misbehavior: dict[str, int]) -> FixDay:
    day = full_day(SCENARIO, misbehavior)
    day.run()
    return day


def book(day: FixDay) -> Book:
    gateway = day.gateways["oms"].application
    assert isinstance(gateway, OmsGateway)
    return gateway.state.book


def events(day: FixDay) -> Iterable[tuple[Envelope, Any]]:
    for topic in (topics.ORDERS_EVENTS, topics.AGGREGATIONS_EVENTS, topics.ALLOCATIONS_EVENTS):
        yield from day.entries(topic)


def child_differences(day: FixDay) -> list[str]:
    books = ChildBooks()
    for message in day.messages(topics.VENUES_EXECUTIONS):
        books.venue_said(message)
    for message in day.messages(topics.VENUES_ORDERS):
        books.venue_heard(message)
    for topic in (topics.CHILDREN_EVENTS, topics.FILLS_EVENTS):
        for message in day.messages(topic):
            books.engine_said(message)
    return books.differences()


def test_clients_and_venues_know_by_fix_what_the_engine_knows() -> None:
    day = quiet()
    report = day.check()
    assert report.findings == ()
    assert report.fills > 100
    assert report.filled_quantity == report.allocated_quantity
    assert client_differences(book(day), intake_states(events(day))) == []
    assert child_differences(day) == []


def test_every_message_fits_the_dictionary_of_its_version() -> None:
    assert quiet().problems == []
    assert wild().problems == []


def test_misbehavior_of_venues_changes_no_promise() -> None:
    day = wild()
    report = day.check()
    assert report.findings == ()
    assert report.fills > 50
    assert report.filled_quantity == report.allocated_quantity
    assert client_differences(book(day), intake_states(events(day))) == []
    assert child_differences(day) == []
    assert {Act.GAP, Act.GAP_FILL, Act.RESET, Act.LOGOUT} <= {*day.wire.acts}
    said = Counter(body.get(17) for _, kind, body in day.wire.messages if kind == "8")
    assert max(said.values()) > 1, "no ExecID was said twice"


def test_equal_seeds_misbehave_alike() -> None:
    again = played(WILD)
    assert again.wire.acts == wild().wire.acts
    assert again.wire.messages == wild().wire.messages


def test_refusals_of_a_gateway_are_the_clients_rejects() -> None:
    refused = [e for e in quiet().messages(topics.FIX_DECISIONS) if isinstance(e, FixRefused)]
    known = book(quiet())
    for each in refused:
        orders = [o for o in known.orders.values() if o.client_order_id and o.text == each.text]
        assert orders, f"nobody was told {each.text}"


def test_gateways_that_start_again_know_the_same() -> None:
    day = wild()
    for file in day.files:
        before = day.gateways[file.name].application.snapshot()
        day.start_gateway(file)
        assert day.gateways[file.name].application.snapshot() == before, file.name


def test_a_lost_session_cancels_what_is_open_where_the_venue_promised_that() -> None:
    day = full_day(SCENARIO, {}, is_canceling=True)
    day.start()
    market = day.gateways["market"].application
    assert isinstance(market, MarketGateway)
    while not (is_open := [o for o in market.state.orders.values() if o.is_open]):
        day.step()
    session_id = is_open[0].session_id
    meant = [o for o in is_open if o.session_id == session_id]
    day.lose(session_id)
    day.step()
    assert meant
    assert [o.is_open for o in meant] == [False] * len(meant)
