"""The simulated clients by FIX: three styles of parameters, and a book of what is heard."""

from typing import Any

import pytest

from schemas.messages.core import (
    Aim,
    BasketEntry,
    BasketMode,
    Constraints,
    MassCancelScope,
    OrderType,
    Side,
    StrategyKind,
    StrategyParameters,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    ReplaceOrder,
)
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.oms import orders
from services.fix.oms.book import Book
from services.fix.oms.terms import OmsSession, OmsTerms, Style, read_sessions
from services.fix.settings import GatewayFile
from tests.support.fix_layout import problems

AT_NS = 1_772_461_800_000_000_000
END_NS = AT_NS + 60_000_000_000
STYLES = [
    (Version.FIX42, Style.TARGET),
    (Version.FIX44, Style.GROUP),
    (Version.FIX50SP2, Style.TIMES),
]


def session(version: Version, style: Style) -> OmsSession:
    return OmsSession(session_id="A", version=version, terms=OmsTerms(source="A", style=style))


def order(**changes: Any) -> NewOrder:
    return NewOrder(
        **{
            "tenant": "T",
            "source": "A",
            "client_order_id": "C1",
            "account_id": "A001",
            "desk_id": "CASH",
            "instrument_id": "ACME",
            "trade_date": 20260302,
            "side": Side.BUY,
            "quantity": 250,
            "order_type": OrderType.LIMIT,
            "limit_price_e9": 101_500_000_000,
            "time_in_force": TimeInForce.DAY,
            "strategy": StrategyKind.POV,
            "urgency": Urgency.URGENT,
            "start_ns": 0,
            "end_ns": END_NS,
            "participation_cap_bps": 3_000,
            "is_cross_allowed": False,
            "is_dark_allowed": True,
            "constraints": Constraints(minimum_quantity=10, display_quantity=50),
            "parameters": StrategyParameters(participation_rate_bps=1_250),
            **changes,
        }
    )


def command(kind: Any, **changes: Any) -> Any:
    names = {
        "tenant": "T",
        "source": "A",
        "client_order_id": "C2",
        "original_client_order_id": "C1",
        "instrument_id": "ACME",
        "trade_date": 20260302,
    }
    return kind(**{**names, **changes})


def said(text: str) -> Fields:
    return Fields.parse(text.replace("|", "\x01").encode() + b"\x01")


def test_parameters_travel_in_848_and_849() -> None:
    body = orders.new_order(session(*STYLES[0]), order(), 10, AT_NS)
    assert (body.get(847), body.get(849), body.get(18)) == ("2", "0.125", "A")
    assert (
        body.get(848) == "EndTime=20260302-14:31:00.000000000;ParticipationCap=0.3;Urgency=URGENT"
    )
    assert (body.get(110), body.get(111), body.get(38), body.get(75)) == (
        "1",
        "5",
        "25",
        "20260302",
    )


def test_parameters_travel_in_a_group_with_names_and_types() -> None:
    body = orders.new_order(session(*STYLES[1]), order(), 10, AT_NS)
    rows = {each.get(958): (each.get(959), each.get(960)) for each in body.groups(957)}
    assert rows == {
        "EndTime": ("19", "20260302-14:31:00.000000000"),
        "ParticipationCap": ("11", "0.3"),
        "Urgency": ("14", "URGENT"),
        "ParticipationRate": ("11", "0.125"),
    }
    assert (body.get(847), 848 in body, 849 in body) == ("2", False, False)


def test_parameters_travel_in_times_and_instructions() -> None:
    body = orders.new_order(session(*STYLES[2]), order(), 10, AT_NS)
    assert (body.get(126), body.get(18), 847 in body) == (
        "20260302-14:31:00.000000000",
        "A D",
        False,
    )
    assert (body.get(1138), body.get(849), 111 in body) == ("5", "0.125", False)
    other = order(strategy=StrategyKind.AUTO, parameters=StrategyParameters(aim=Aim.RISK))
    body = orders.new_order(session(*STYLES[2]), other, 10, AT_NS)
    assert (body.get(847), body.get(848)) == (
        "1003",
        "ParticipationCap=0.3;Urgency=URGENT;Aim=RISK",
    )


@pytest.mark.parametrize(("version", "style"), STYLES)
def test_every_message_fits_its_version(version: Version, style: Style) -> None:
    given = session(version, style)
    entry = BasketEntry(**{name: getattr(order(), name) for name in BasketEntry.__struct_fields__})
    basket = NewBasket(
        tenant="T",
        source="A",
        basket_id="B1",
        trade_date=20260302,
        mode=BasketMode.VALID_ONES,
        entries=(entry, entry),
    )
    book = Book()
    book.ask("A", order())
    known = book.known("A", "C1")
    replace = command(ReplaceOrder, quantity=300, limit_price_e9=None)
    bodies = {
        "D": orders.new_order(given, order(), 10, AT_NS),
        "E": orders.basket(given, basket, {"ACME": 10}, AT_NS),
        "F": orders.cancel(command(CancelOrder), known, 10, AT_NS),
        "G": orders.replace(given, replace, known, 10, AT_NS),
    }
    for kind, body in bodies.items():
        assert problems(version, kind, body) == [], kind


@pytest.mark.parametrize(("version", "style"), STYLES)
def test_a_replace_says_the_whole_order(version: Version, style: Style) -> None:
    given, book = session(version, style), Book()
    book.ask("A", order())
    replace = command(ReplaceOrder, quantity=300, limit_price_e9=102_000_000_000)
    body = orders.replace(given, replace, book.known("A", "C1"), 10, AT_NS)
    expected = orders.new_order(given, order(client_order_id="C2"), 10, AT_NS)
    changed = {38: "30", 44: "102"}
    pairs = [(tag, changed.get(tag, value)) for tag, value in expected.pairs if tag != 75]
    assert body.pairs == [(41, "C1"), *pairs]


def test_a_mass_cancel_names_its_scope() -> None:
    mass = MassCancelOrder(
        tenant="T",
        source="A",
        client_order_id="M1",
        trade_date=20260302,
        scope=MassCancelScope.INSTRUMENT,
        scope_id="ACME",
        is_every_source=False,
    )
    body = orders.mass_cancel(mass, AT_NS)
    assert (body.get(530), body.get(55)) == ("1", "ACME")
    assert problems("FIX44", "q", body) == []
    assert not orders.has_mass_cancel(Version.FIX42)


def heard(*texts: str) -> Book:
    book = Book(scales={"ACME": 10})
    book.ask("A", order())
    for text in texts:
        book.hear("A", "8", said(text))
    return book


NEW = "37=O1|11=C1|17=E0|150=0|39=0|38=25|151=25|14=0|6=0"
FILL = "37=O1|11=C1|17=E1|150=F|39=1|38=25|151=15|14=10|6=101|32=10|31=101"


def test_a_book_follows_executions_busts_and_corrections() -> None:
    book = heard(
        NEW,
        FILL,
        "37=O1|11=C1|17=E2|19=E1|150=G|39=1|38=25|151=17|14=8|6=100|32=8|31=100",
        "37=O1|11=C1|17=E3|19=E2|150=H|39=0|38=25|151=25|14=0|6=0|32=8|31=100",
    )
    known = book.known("A", "C1")
    assert known is not None
    assert (known.cumulative, known.leaves, known.executions) == (0, 250, {})
    assert book.breaks == []


def test_a_book_reads_the_words_of_4_2() -> None:
    book = heard(
        NEW,
        "37=O1|11=C1|17=E1|20=0|150=1|39=1|38=25|151=15|14=10|6=101|32=10|31=101",
        "37=O1|11=C1|17=E2|19=E1|20=1|150=0|39=0|38=25|151=25|14=0|6=0|32=10|31=101",
        "37=O1|11=C1|17=E3|20=3|150=0|39=0|38=25|151=25|14=0|6=0",
    )
    known = book.known("A", "C1")
    assert known is not None
    assert (known.cumulative, known.executions, book.breaks) == (0, {}, [])


def test_an_execution_that_is_told_twice_counts_once() -> None:
    book = heard(NEW, FILL, FILL)
    known = book.known("A", "C1")
    assert known is not None
    assert (known.cumulative, book.repeated) == (100, 1)
    assert book.breaks == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FILL.replace("14=10", "14=11"), "executions sum to 100, CumQty says 110"),
        (FILL.replace("150=F", "150=H|19=E9"), "changes E9, which was never told"),
        (FILL.replace("11=C1", "11=C7"), "is of no order of ours"),
    ],
)
def test_what_does_not_add_up_is_said(text: str, problem: str) -> None:
    (found,) = heard(NEW, text).breaks
    assert problem in found


def test_a_refused_request_leaves_the_order_alone() -> None:
    book = heard(NEW)
    book.ask("A", command(CancelOrder))
    book.hear("A", "8", said(NEW.replace("17=E0|150=0|39=0", "17=E1|150=6|39=6")))
    book.hear("A", "9", said("37=O1|11=C2|41=C1|39=0|434=1|102=0|58=too late"))
    book.hear("A", "9", said("37=NONE|11=C3|41=C1|39=8|434=1|102=6|58=too late"))
    book.hear("A", "8", said("37=O1|11=C2|41=C1|17=E5|150=8|39=8|151=0|14=0|6=0"))
    known = book.known("A", "C2")
    assert known is not None
    assert (known.status, known.leaves, known.text) == ("0", 250, "too late")


def test_a_message_that_is_refused_as_such_is_no_order() -> None:
    book = Book()
    book.ask("A", order())
    book.hear("A", "j", said("45=2|372=D|379=C1|380=5|58=a price is missing"))
    known = book.known("A", "C1")
    assert known is not None
    assert (known.status, known.text) == ("8", "a price is missing")


def test_two_sessions_of_one_source_are_one_too_many() -> None:
    identity = {"BeginString": "FIX.4.4", "SenderCompID": "A", "TargetCompID": "B"}
    rows = [
        {"session_id": name, "quickfix": identity, "terms": {"source": "A"}} for name in ("a", "b")
    ]
    file = {"name": "oms", "number": 0, "kind": "oms", "session": rows}
    with pytest.raises(ValueError, match="two sessions of one source"):
        read_sessions(GatewayFile.model_validate(file))
