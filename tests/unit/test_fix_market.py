"""The simulator's venues by FIX: orders read, reports written in each version."""

from typing import Any

import msgspec
import pytest

from schemas.messages.core import (
    ExecType,
    Liquidity,
    OrderStatus,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from schemas.messages.fix import FixReceived
from schemas.messages.routing import ChildCancelRequested, ChildStatusRequested
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.gateway.application import Heard
from services.fix.market import mischief, reports, requests
from services.fix.market.application import MarketGateway
from services.fix.market.state import Asked, MarketState, Order
from services.fix.market.terms import MarketSession, MarketTerms, read_sessions
from services.fix.settings import GatewayFile
from services.fix.values import FixValueError
from tests.support.fix_layout import problems

AT_NS = 1_772_461_800_003_000_000
ORDER = "11=P1.1|55=Acme|54=5|38=1.5|40=2|44=101.25|59=0|110=0.5|111=1|18=6|75=20260302|1=HOUSE"


def fields(text: str) -> Fields:
    return Fields.parse(text.replace("|", "\x01").encode() + b"\x01")


def state() -> MarketState:
    return MarketState(scales={"ACME": 100}, symbols={"Acme": "ACME", "ACME": "ACME"})


def session(version: Version = Version.FIX44, **terms: Any) -> MarketSession:
    made = MarketTerms.model_validate({"venue_id": "NORD", **terms})
    return MarketSession(session_id=made.venue_id, version=version, terms=made)


def order(**changes: Any) -> Order:
    read = requests.read_order(state(), fields(ORDER))
    made = requests.order_of("NORD", fields(ORDER), read)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def report(exec_type: ExecType, **changes: Any) -> ExecutionReport:
    return ExecutionReport(
        **{
            "venue_id": "NORD",
            "instrument_id": "ACME",
            "child_id": "P1.1",
            "venue_order_id": "NORD-P1.1",
            "exec_id": "P1.1-2",
            "exec_ref_id": "",
            "exec_type": exec_type,
            "order_status": OrderStatus.NEW,
            "side": Side.SELL,
            "last_quantity": 0,
            "last_price_e9": None,
            "cumulative_quantity": 0,
            "leaves_quantity": 150,
            "fee_e9": 0,
            "liquidity": Liquidity.UNKNOWN,
            "text": "",
            "transact_ns": AT_NS,
            **changes,
        }
    )


def trade(exec_type: ExecType = ExecType.TRADE, **changes: Any) -> ExecutionReport:
    return report(
        exec_type,
        **{
            "order_status": OrderStatus.PARTIALLY_FILLED,
            "last_quantity": 50,
            "last_price_e9": 101_250_000_000,
            "cumulative_quantity": 50,
            "leaves_quantity": 100,
            "fee_e9": -2_500_000,
            "liquidity": Liquidity.ADDED,
            **changes,
        },
    )


def test_an_order_comes_as_its_counterparty_wrote_it() -> None:
    read = requests.read_order(state(), fields(ORDER))
    placed = requests.placed("NORD", "NORD", fields(ORDER), read)
    assert (placed.child_id, placed.instrument_id, placed.venue_id) == ("P1.1", "ACME", "NORD")
    assert (placed.side, placed.is_short_sale, placed.quantity) == (Side.SELL, True, 150)
    assert (placed.order_type, placed.price_e9) == (OrderType.LIMIT, 101_250_000_000)
    assert (placed.minimum_quantity, placed.display_quantity, placed.is_post_only) == (
        50,
        100,
        True,
    )
    assert placed.self_trade_id == "NORD.ACME"
    assert placed.trade_date == 20260302


@pytest.mark.parametrize(
    ("text", "order_type", "time_in_force"),
    [
        ("40=1|59=3", OrderType.MARKET, TimeInForce.IOC),
        ("40=P|18=M", OrderType.MIDPOINT, TimeInForce.DAY),
        ("40=P|1094=2", OrderType.MIDPOINT, TimeInForce.DAY),
        ("40=5|59=0", OrderType.MARKET, TimeInForce.AT_CLOSE),
        ("40=B|59=0|44=1", OrderType.LIMIT, TimeInForce.AT_CLOSE),
        ("40=2|59=7|44=1", OrderType.LIMIT, TimeInForce.AT_CLOSE),
    ],
)
def test_types_and_times_in_force_of_every_version_are_read(
    text: str, order_type: OrderType, time_in_force: TimeInForce
) -> None:
    read = requests.read_order(state(), fields(f"11=1|55=ACME|54=1|38=1|{text}"))
    assert (read.order_type, read.time_in_force) == (order_type, time_in_force)


def test_a_peg_to_anything_but_the_midpoint_is_refused() -> None:
    with pytest.raises(FixValueError, match="peg to the midpoint"):
        requests.read_order(state(), fields("11=1|55=ACME|54=1|38=1|40=P|18=R"))


@pytest.mark.parametrize(
    ("version", "exec_type", "expected"),
    [
        (Version.FIX42, ExecType.TRADE, {20: "0", 150: "1", 39: "1"}),
        (Version.FIX42, ExecType.TRADE_CANCEL, {20: "1", 150: "1", 39: "1"}),
        (Version.FIX42, ExecType.TRADE_CORRECT, {20: "2", 150: "1", 39: "1"}),
        (Version.FIX42, ExecType.ORDER_STATUS, {20: "3", 150: "1", 39: "1"}),
        (Version.FIX42, ExecType.CANCELED, {20: "0", 150: "4"}),
        (Version.FIX44, ExecType.TRADE, {20: "", 150: "F", 39: "1"}),
        (Version.FIX44, ExecType.TRADE_CANCEL, {150: "H", 39: "1"}),
        (Version.FIX50SP2, ExecType.TRADE_CORRECT, {150: "G", 39: "1"}),
        (Version.FIX50SP2, ExecType.ORDER_STATUS, {150: "I"}),
    ],
)
def test_each_version_tells_what_happened_in_its_own_words(
    version: Version, exec_type: ExecType, expected: dict[int, str]
) -> None:
    said = trade(exec_type, exec_ref_id="P1.1-1" if "CAN" in exec_type.value else "")
    body = reports.execution_report(session(version), order(), said, 100)
    assert {tag: body.get(tag) for tag in expected} == expected
    assert problems(version, "8", body) == []


def test_quantities_prices_and_fees_are_exact() -> None:
    body = reports.execution_report(session(fee_tag=137), order(), trade(), 100)
    assert (body.get(32), body.get(31), body.get(14), body.get(151)) == (
        "0.5",
        "101.25",
        "0.5",
        "1",
    )
    assert (body.get(137), body.get(851), body.get(30)) == ("-0.0025", "1", "NORD")
    assert body.get(6) == "101.25"
    assert body.get(60) == "20260302-14:30:00.003"
    old = reports.execution_report(session(Version.FIX42, fee_tag=12), order(), trade(), 100)
    assert (old.get(12), old.get(13)) == ("-0.0025", "3")


def test_the_average_price_is_of_executions_as_they_stand() -> None:
    made = order()
    made.fold(trade(exec_id="E1"))
    made.fold(trade(exec_id="E2", last_price_e9=102_250_000_000, cumulative_quantity=100))
    bust = trade(ExecType.TRADE_CANCEL, exec_id="E3", exec_ref_id="E1", cumulative_quantity=50)
    assert made.average_e9(bust) == 102_250_000_000
    made.fold(bust)
    made.fold(trade(exec_id="E2", cumulative_quantity=10))  # told again
    assert made.cumulative == 50
    assert reports.execution_report(session(), made, report(ExecType.NEW), 100).get(6) == "102.25"


def test_a_cancel_is_answered_under_its_own_id() -> None:
    made = order(asked=[Asked("P1.1/2", is_replace=False)])
    said = report(ExecType.CANCELED, order_status=OrderStatus.CANCELED, leaves_quantity=0)
    body = reports.execution_report(session(), made, said, 100)
    assert (body.get(11), body.get(41), body.get(150)) == ("P1.1/2", "P1.1", "4")
    made.fold(said)
    assert not made.is_open
    late = OrderCancelReject(
        venue_id="NORD",
        instrument_id="ACME",
        child_id="P1.1",
        venue_order_id="NORD-P1.1",
        request=1,
        text="too late to cancel: CANCELED",
        transact_ns=AT_NS,
    )
    body = reports.cancel_reject(session(), made, late)
    assert (body.get(11), body.get(434), body.get(102), body.get(39)) == ("P1.1/2", "1", "0", "4")
    assert problems("FIX44", "9", body) == []


def test_a_cancel_that_nobody_asked_for_names_the_order_alone() -> None:
    said = report(ExecType.CANCELED, order_status=OrderStatus.CANCELED, leaves_quantity=0)
    body = reports.execution_report(session(), order(), said, 100)
    assert (body.get(11), 41 in body) == ("P1.1", False)


def test_a_replace_that_is_taken_gives_the_order_its_id() -> None:
    made = order(asked=[Asked("P1.1/3", is_replace=True)])
    said = report(ExecType.REPLACED, request=1, order_quantity=300, price_e9=99_000_000_000)
    body = reports.execution_report(session(), made, said, 100)
    expected = ("P1.1/3", "P1.1", "3", "99")
    assert (body.get(11), body.get(41), body.get(38), body.get(44)) == expected
    made.fold(said)
    assert (made.client_order_id, made.quantity) == ("P1.1/3", 300)


@pytest.mark.parametrize(
    ("text", "version", "code"),
    [
        ("not traded here", Version.FIX42, "1"),
        ("market is CLOSED", Version.FIX44, "2"),
        ("quantity 3 is below 5", Version.FIX44, "13"),
        ("quantity 3 is below 5", Version.FIX42, "0"),
        ("venue is busy", Version.FIX50SP2, "0"),
    ],
)
def test_a_refusal_has_a_code_that_the_version_knows(
    text: str, version: Version, code: str
) -> None:
    status = OrderStatus.REJECTED
    said = report(ExecType.REJECTED, order_status=status, leaves_quantity=0, text=text)
    body = reports.execution_report(session(version), order(), said, 100)
    assert (body.get(103), body.get(58)) == (code, text)
    assert problems(version, "8", body) == []


def test_draws_follow_from_the_seed_and_the_exec_id() -> None:
    wild = session(misbehavior={"duplicate_ppm": 500_000, "gap_ppm": 500_000})
    said = [trade(exec_id=f"P1.1-{number}") for number in range(200)]
    first = [mischief.is_said_twice(wild, each) for each in said]
    assert first == [mischief.is_said_twice(wild, each) for each in said]
    assert 60 < sum(first) < 140
    other = session(misbehavior={"duplicate_ppm": 500_000, "seed": 2})
    assert first != [mischief.is_said_twice(other, each) for each in said]
    assert [mischief.acts_before(session(), each) for each in said] == [[]] * 200


def test_two_sessions_of_one_venue_are_one_too_many() -> None:
    identity = {"BeginString": "FIX.4.4", "SenderCompID": "A", "TargetCompID": "B"}
    rows = [
        {"session_id": name, "quickfix": identity, "terms": {"venue_id": "NORD"}}
        for name in ("a", "b")
    ]
    file = {"name": "market", "number": 0, "kind": "market", "session": rows}
    with pytest.raises(ValueError, match="two sessions of one venue"):
        read_sessions(GatewayFile.model_validate(file))


def test_fees_need_a_version_that_can_say_them() -> None:
    identity = {"BeginString": "FIX.4.2", "SenderCompID": "A", "TargetCompID": "B"}
    row = {
        "session_id": "a",
        "quickfix": identity,
        "terms": {"venue_id": "NORD", "fee_tag": 137},
    }
    file = {"name": "market", "number": 0, "kind": "market", "session": [row]}
    with pytest.raises(ValueError, match=r"FIX\.4\.2 has no MiscFees"):
        read_sessions(GatewayFile.model_validate(file))


def received(message_type: str, *, is_again: bool = False) -> FixReceived:
    return FixReceived(
        session_id="NORD",
        session_day=20260302,
        session_epoch=1,
        sequence=9,
        message_type=message_type,
        is_possible_duplicate=False,
        is_possible_resend=is_again,
        text=b"",
        refusal="",
        sent_ns=0,
        received_ns=0,
    )


def gateway(*messages: tuple[str, str], version: Version = Version.FIX44) -> MarketGateway:
    """Return a gateway that has heard these: type and fields."""
    made = MarketGateway(3, {"NORD": session(version)})
    made.state.scales["ACME"], made.state.symbols["ACME"] = 1, "ACME"
    for message_type, text in messages:
        made.fold_heard(received(message_type), fields(text))
    return made


def asked(
    made: MarketGateway, message_type: str, text: str, *, is_again: bool = False
) -> list[Any]:
    """Return what the gateway decides on a message."""
    heard = Heard(received(message_type, is_again=is_again), fields(text), AT_NS)
    return [*made.on_heard(heard)]


NEW = "11=P1|55=ACME|54=1|38=100|40=1|60=20260302-14:30:00"
CANCEL = "41=P1|11=P1/2|55=ACME|54=1|38=100|60=20260302-14:30:00"


@pytest.mark.parametrize("version", [Version.FIX42, Version.FIX44, Version.FIX50SP2])
def test_who_asks_for_an_unknown_order_is_told_so(version: Version) -> None:
    made = gateway(version=version)
    (status,) = asked(made, "H", "11=P9|790=Q1|55=ACME|54=1")
    expected = ("NONE", "P9", "8", "5")
    assert tuple(status.fields.get(tag) for tag in (37, 11, 39, 103)) == expected
    assert problems(version, "8", status.fields) == []
    refused, logged = asked(made, "F", CANCEL)
    assert (refused.fields.get(102), refused.fields.get(434), refused.fields.get(39)) == (
        "1",
        "1",
        "8",
    )
    assert problems(version, "9", refused.fields) == []
    assert logged.reason is RejectReason.UNKNOWN_ORDER


def test_a_known_id_is_refused_and_one_sent_again_is_answered_by_its_status() -> None:
    made = gateway(("D", NEW))
    refused, _ = asked(made, "D", NEW)
    assert (refused.message_type, refused.fields.get(39), refused.fields.get(103)) == (
        "8",
        "8",
        "6",
    )
    (question,) = asked(made, "D", NEW, is_again=True)
    assert (type(question.message), question.message.child_id) == (ChildStatusRequested, "P1")
    made.fold_heard(received("F"), fields(CANCEL))
    refused, _ = asked(made, "F", CANCEL)
    assert (refused.fields.get(102), refused.fields.get(37)) == ("6", "NONE")


def test_requests_are_numbered_in_their_order() -> None:
    made = gateway(("D", NEW))
    (first,) = asked(made, "F", CANCEL)
    assert (type(first.message), first.message.request) == (ChildCancelRequested, 1)
    made.fold_heard(received("F"), fields(CANCEL))
    replace = "41=P1|11=P1/3|55=ACME|54=1|38=200|40=2|44=9.5|60=20260302-14:30:00"
    (second,) = asked(made, "G", replace)
    assert (second.message.request, second.message.quantity) == (2, 200)
    assert second.message.price_e9 == 9_500_000_000


def test_an_order_of_another_session_is_unknown() -> None:
    made = gateway(("D", NEW))
    heard = Heard(received("F"), fields(CANCEL), AT_NS)
    other = MarketGateway(3, {"NORD": session(), "OST": session(venue_id="OST")})
    other.load(made.snapshot())
    message = msgspec.structs.replace(heard.message, session_id="OST")
    refused, _ = other.on_heard(Heard(message, heard.fields, AT_NS))
    assert refused.fields.get(102) == "1"


@pytest.mark.parametrize("message_type", ["3", "j", "Q"])
def test_a_refusal_is_not_answered(message_type: str) -> None:
    body = "45=7|372=8|58=tag 60 is none"
    assert asked(gateway(), message_type, body) == []
    answers = asked(gateway(), "AE", body)
    assert [type(each).__name__ for each in answers] == ["Outgoing", "Refusal"]
    assert (answers[0].message_type, answers[0].fields.get(380)) == ("j", "3")
