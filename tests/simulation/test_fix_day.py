"""A day with FIX at both edges, in one thread: books equal, nothing lost, nothing twice."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from schemas.messages.core import (
    BasketEntry,
    BasketMode,
    Envelope,
    MassCancelScope,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from schemas.messages.fix import FixRefused
from schemas.messages.intake import MassCancelOrder, NewBasket
from services.demo.fix_books import ChildBooks, client_differences, intake_states
from services.fix.acts import Act
from services.fix.market.application import MarketGateway
from services.fix.oms.application import OmsGateway
from services.fix.oms.book import Book, Known
from services.venues.assumptions import TENANT
from services.venues.conditions import Conditions
from services.venues.host import is_over
from services.venues.scenario import Scenario
from streams.core import topics
from tests.support.fix_day import CLIENTS, FixDay, full_day

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


def test_a_venue_that_is_gone_is_logged_out_until_it_is_back() -> None:
    conditions = Conditions(troubles="OST:GONE:20-50")
    day = full_day(Scenario(seed=4, minutes=2, orders=120, conditions=conditions), {})
    day.run()
    assert day.wire.acts == [Act.LINK_LOST, Act.LINK_BACK]
    assert day.check().findings == ()
    assert client_differences(book(day), intake_states(events(day))) == []
    assert child_differences(day) == []


def test_baskets_and_mass_cancels_go_through_every_version() -> None:
    day = full_day(Scenario(seed=4, minutes=2, orders=3), {})
    day.start()
    for _ in range(5):
        day.step()
    for source in CLIENTS:
        day.say(basket(day, source))
    for _ in range(6):
        day.step()
    names = [f"{source} B{number}" for source in CLIENTS for number in (1, 2)]
    status = {name: known(day, name).status for name in names}
    assert set(status.values()) <= {"0", "1"}, status
    for source in CLIENTS:
        day.say(mass_cancel(day, source))
    while not is_over(day.simulator):
        day.step()
    status = {name: known(day, name).status for name in names}
    assert set(status.values()) == {"4"}, status
    assert {"E", "q", "F"} <= {kind for _, kind, _ in day.wire.messages}
    assert {"N", "r"} <= {kind for _, kind, _ in day.wire.messages}
    assert day.problems == []
    assert day.check().findings == ()
    assert client_differences(book(day), intake_states(events(day))) == []


def known(day: FixDay, name: str) -> Known:
    found = book(day).known(*name.split())
    assert found is not None, name
    return found


def basket(day: FixDay, source: str) -> NewBasket:
    terms = next(iter(day.day.terms.instruments.values()))
    row: dict[str, Any] = {
        "account_id": "A001",
        "desk_id": "CASH",
        "instrument_id": terms.instrument_id,
        "side": Side.BUY,
        "quantity": 5_000,
        "order_type": OrderType.MARKET,
        "limit_price_e9": None,
        "time_in_force": TimeInForce.DAY,
        "strategy": StrategyKind.VWAP,
        "urgency": Urgency.NEUTRAL,
        "start_ns": 0,
        "end_ns": day.day.hours.close_ns - 10**9,
        "participation_cap_bps": 2_000,
        "is_cross_allowed": True,
        "is_dark_allowed": True,
    }
    return NewBasket(
        tenant=TENANT,
        source=source,
        basket_id=f"L-{source}",
        trade_date=terms.trade_date,
        mode=BasketMode.VALID_ONES,
        entries=tuple(BasketEntry(client_order_id=f"B{n}", **row) for n in (1, 2)),
    )


def mass_cancel(day: FixDay, source: str) -> MassCancelOrder:
    return MassCancelOrder(
        tenant=TENANT,
        source=source,
        client_order_id=f"M-{source}",
        trade_date=next(iter(day.day.terms.instruments.values())).trade_date,
        scope=MassCancelScope.ALL,
        scope_id="",
        is_every_source=False,
    )
