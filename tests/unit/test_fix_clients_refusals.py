"""Every refusal of a client's message: the exact answer in each version (FIX.md section 4)."""

from typing import Any

import pytest

from schemas.messages.core import RejectReason
from schemas.messages.intake import NewOrder
from streams.core import topics
from tests.support.builders import CLOSE_NS, SECOND
from tests.support.fix_clients import SEATS, ClientDesk, pipes, seat

ORDER = "11=x|1=A1|55=ACME|54=1|38=100|40=1"
LIMIT = "11=x|1=A1|55=ACME|54=1|38=100|40=2"
ALGORITHM = "957=1|958={}|960={}"

# Body of a D; code; 103 in 4.2, 4.4 and 5.0 SP2; the rest of 58.
ORDERS = [
    # The gateway's own.
    (ORDER.replace("ACME", "NONE"), "UNKNOWN_INSTRUMENT", "1 1 1",
     "defined instruments NONE symbol"),
    (ORDER.replace("A1", "A9"), "NOT_ENTITLED", "0 15 15", "accounts of {} A9 account"),
    (ORDER + "|75=20250230", "VALUE_OUT_OF_RANGE", "0 11 11",
     "a day as 20260302 20250230 TradeDate"),
    (ORDER.replace("38=100", "38=0"), "QUANTITY_NOT_POSITIVE", "0 13 13", "more than 0 0 OrderQty"),
    (ORDER.replace("38=100", "38=-5"), "QUANTITY_NOT_POSITIVE", "0 13 13",
     "more than 0 -5 OrderQty"),
    (ORDER.replace("38=100", "38=1.5"), "VALUE_OUT_OF_RANGE", "0 11 11",
     "a multiple of 1/1 1.5 OrderQty"),
    (ORDER.replace("38=100", "38=ten"), "VALUE_OUT_OF_RANGE", "0 11 11",
     "a decimal number ten OrderQty"),
    (LIMIT + "|44=1e2", "VALUE_OUT_OF_RANGE", "0 11 11", "a decimal number 1e2 Price"),
    (ORDER.replace("54=1", "54=6"), "UNSUPPORTED_SIDE", "0 11 11", "one of 1, 2, 5 6 side"),
    (ORDER.replace("40=1", "40=3"), "UNSUPPORTED_ORDER_TYPE", "0 11 11",
     "one of 1, 2, P 3 order_type"),
    (ORDER.replace("40=1", "40=P"), "UNSUPPORTED_ORDER_TYPE", "0 11 11",
     "one of 1, 2 P order_type"),
    (ORDER + "|59=4", "UNSUPPORTED_TIME_IN_FORCE", "0 11 11",
     "one of 0, 1, 2, 3, 6, 7 4 time_in_force"),
    (ORDER + "|21=3", "VALUE_OUT_OF_RANGE", "0 11 11",
     "1 or 2: no order is worked by hand 3 HandlInst"),
    (ORDER + "|18=G", "VALUE_OUT_OF_RANGE", "0 11 11",
     "one of 1, 2, 3, 5, e, A, B, D, W G ExecInst"),
    (ORDER + "|59=6|432=20990101", "VALUE_OUT_OF_RANGE", "0 11 11",
     "a day whose session is known 20990101 ExpireDate"),
    # Parameters of algorithms, each named.
    (ORDER + "|847=99", "UNSUPPORTED_STRATEGY", "0 11 11",
     "one of 1, 1000, 2, 3, 1001, 1002, 1003 99 TargetStrategy"),
    (ORDER + "|847=2|849=1.5", "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "in 1..9000 15000 ParticipationRate (participation_rate_bps)"),
    (ORDER + "|847=2|849=-0.1", "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "in 1..9000 -1000 ParticipationRate (participation_rate_bps)"),
    (ORDER + "|847=2|849=fast", "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "a decimal number fast ParticipationRate"),
    (ORDER + "|847=2|849=0.12345", "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "a multiple of 1/10000 0.12345 ParticipationRate"),
    (ORDER + "|847=1|849=0", "RATE_OUT_OF_RANGE", "0 11 11", "in 0.0001..1 0 ParticipationCap"),
    (ORDER + "|168=soon", "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "a time as 20260302-17:30:00.000 soon StartTime"),
    (ORDER + "|847=1|848=HalfLife=60", "PARAMETER_UNKNOWN", "0 11 11", "VWAP 60 HalfLife"),
    (ORDER + "|847=3|848=fast", "PARAMETER_UNKNOWN", "0 11 11",
     "Name=Value;Name=Value fast TargetStrategyParameters"),
    (ORDER + "|847=3|" + ALGORITHM.format("HalfLife", "0.5"), "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "in 1000000000..864000000000000 500000000 HalfLife (half_life_ns)"),
    (ORDER + "|847=1|" + ALGORITHM.format("Speed", "9"), "PARAMETER_UNKNOWN", "0 11 11",
     "VWAP 9 Speed"),
    (ORDER + "|847=1003|" + ALGORITHM.format("Aim", "MOON"), "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "one of IMPACT, RISK, COMPLETION, VWAP, TWAP, PARTICIPATION, ARRIVAL, CLOSE MOON Aim"),
    (ORDER + "|847=1|" + ALGORITHM.format("Urgency", "NOW"), "UNSUPPORTED_URGENCY", "0 11 11",
     "one of PASSIVE, NEUTRAL, URGENT NOW Urgency"),
    (ORDER + "|847=2|849=0.1|" + ALGORITHM.format("ParticipationRate", "0.2"),
     "PARAMETER_OUT_OF_RANGE", "0 11 11", "0.1 as well 0.2 ParticipationRate"),
    (ORDER + "|847=1|849=0.1|" + ALGORITHM.format("ParticipationCap", "0.2"),
     "PARAMETER_OUT_OF_RANGE", "0 11 11", "0.1 as well 0.2 ParticipationCap"),
    (ORDER + "|111=10|848=MaxFloor=20", "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "10 as well 20 MaxFloor"),
    (ORDER + "|847=1|18=D", "PARAMETER_OUT_OF_RANGE", "0 11 11", "847=1 as well D ExecInst"),
    (ORDER + "|18=D W|849=0.1", "PARAMETER_OUT_OF_RANGE", "0 11 11", "D as well W ExecInst"),
    (ORDER + "|18=B A", "PARAMETER_OUT_OF_RANGE", "0 11 11", "A as well B ExecInst"),
    (ORDER + "|847=2|957=1|958=ParticipationRate|959=1|960=0.1", "PARAMETER_OUT_OF_RANGE",
     "0 11 11", "a whole number, as its 959=1 says 0.1 ParticipationRate"),
    (ORDER + "|847=2|957=1|958=ParticipationRate|959=19|960=0.1", "PARAMETER_OUT_OF_RANGE",
     "0 11 11", "one of 1, 6, 7, 8, 11 19 ParticipationRate (959)"),
    (ORDER + "|957=1|958=Urgency|959=6|960=URGENT", "PARAMETER_OUT_OF_RANGE",
     "0 11 11", "one of 12, 14 6 Urgency (959)"),
    (ORDER + "|847=3|957=2|958=HalfLife|960=60|958=RiskAversion|960=0.001",
     "PARAMETER_OUT_OF_RANGE", "0 11 11",
     "absent beside half_life_ns 60000000000 1000000 RiskAversion (risk_aversion_e9)"),
    # The engine's.
    (ORDER.replace("38=100", "38=2000000"), "QUANTITY_TOO_LARGE", "3 13 13",
     "at most 1000000 2000000 quantity"),
    (LIMIT + "|44=100.005", "PRICE_OFF_TICK", "0 99 18",
     "multiple of 10000000 100005000000 limit_price_e9"),
    (ORDER + "|44=100", "LIMIT_PRICE_NOT_ALLOWED", "0 11 11",
     "a MARKET order has none 100000000000 limit_price_e9"),
    (ORDER + "|15=USD", "CURRENCY_MISMATCH", "0 99 99", "EUR USD currency"),
    (ORDER + "|75=20250616", "TRADE_DATE_MISMATCH", "0 99 99", "20250615 20250616 trade_date"),
    (ORDER.replace("54=1", "54=5"), "LOCATE_MISSING", "0 0 22", "a short sale has one locate_id"),
    (ORDER + "|168=20250615-15:30:00|126=20250615-15:20:00", "END_NOT_AFTER_START", "0 11 11",
     "after start_ns 1750001400000000000 1750000800000000000 end_ns"),
    (ORDER + "|110=200", "MINIMUM_QUANTITY_OUT_OF_RANGE", "0 13 13",
     "in 0..100, a multiple of 1 200 constraints.minimum_quantity"),
    (ORDER.replace("11=x", "11=" + "x" * 65), "FIELD_TOO_LONG", "0 99 99",
     "at most 64 65 client_order_id"),
    (ORDER.replace("11=x", "11=\x85x"), "TEXT_NOT_PRINTABLE", "0 99 99",
     "printable \\x85x client_order_id"),
]  # fmt: skip

# Body, and the whole of j after 45 and 372.
INCOMPLETE = [
    (LIMIT, "379=x|380=5|58=LIMIT_PRICE_MISSING: a LIMIT order has one in tag 44 Price"),
    (ORDER + "|59=6", "379=x|380=5|58=EXPIRE_MISSING: GTD has one in tag 126 or 432 ExpireTime"),
    ("1=A1|55=ACME|54=1|38=1|40=1", "380=5|58=FIELD_EMPTY: a value in tag 11 ClOrdID"),
    ("11=x|1=A1|54=1|38=1|40=1", "379=x|380=5|58=FIELD_EMPTY: a value in tag 55 symbol"),
    ("11=x|1=A1|55=ACME|54=1|40=1", "379=x|380=5|58=FIELD_EMPTY: shares in tag 38 OrderQty"),
]


@pytest.fixture(scope="module")
def desk() -> ClientDesk:
    return ClientDesk()


@pytest.mark.parametrize(("body", "code", "codes", "text"), ORDERS)
def test_orders_are_refused(desk: ClientDesk, body: str, code: str, codes: str, text: str) -> None:
    for name, expected in zip(SEATS, codes.split(), strict=True):
        told = body.replace("11=x|", f"11=x{desk.clock.at_ns}|")
        desk.pass_ns(SECOND)  # every order has an id of its own
        desk.news(name)
        desk.say(name, "D", told)
        (answer,) = desk.news(name)
        full = f"{code}: {text.format(name)}"
        own = told.partition("|")[0]
        assert pipes(answer, 35, 37, 11, 150, 39, 103, 151, 14, 6, 58) == (
            f"35=8|37=NONE|{own}|150=8|39=8|103={expected}|151=0|14=0|6=0|58={full}"
        )


@pytest.mark.parametrize(("body", "rest"), INCOMPLETE)
def test_what_lacks_a_tag_is_a_business_reject(desk: ClientDesk, body: str, rest: str) -> None:
    for name in SEATS:
        desk.news(name)
        desk.say(name, "D", body)
        (answer,) = desk.news(name)
        assert pipes(answer, 35, 372, 379, 380, 58) == f"35=j|372=D|{rest}"
        assert answer.get(45).isdecimal()


def test_what_the_gateway_refuses_is_in_the_log() -> None:
    desk = ClientDesk()
    desk.say("OMS44", "D", ORDER.replace("A1", "A9"))
    (refused,) = desk.refusals()
    assert (refused.message_type, refused.answer_type) == ("D", "8")
    assert (refused.reason, refused.field) == (RejectReason.NOT_ENTITLED, "account")
    assert (refused.value, refused.bound) == ("A9", "accounts of OMS44")
    assert not desk.messages(topics.ORDERS_COMMANDS, NewOrder)


def test_messages_of_no_use_are_business_rejects(desk: ClientDesk) -> None:
    for name, kind in (("OMS42", "q"), ("OMS42", "AF"), ("OMS44", "S"), ("OMS44", "CA")):
        desk.news(name)
        desk.say(name, kind, "11=z|530=7|584=z|585=7")
        (answer,) = desk.news(name)
        assert pipes(answer, 35, 372, 380) == f"35=j|372={kind}|380=3"


@pytest.mark.parametrize("name", SEATS)
def test_an_id_is_one_order_for_the_day(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "D", ORDER)
    (ack,) = desk.news(name)
    desk.say(name, "D", ORDER.replace("38=100", "38=101"))
    (refused,) = desk.news(name)
    assert pipes(refused, 39, 103) == "39=8|103=6"
    assert refused.get(58).startswith("DUPLICATE_ORDER: one content per session")
    desk.say(name, "D", ORDER, resend=True)
    (again,) = desk.news(name)
    kind = "20=3|150=0" if name == "OMS42" else "150=I"
    assert pipes(again, 37, 20, 150, 39, 151) == f"37={ack.get(37)}|{kind}|39=0|151=100"
    assert len(desk.application.state.intake.orders) == 1


@pytest.mark.parametrize("name", SEATS)
def test_a_refusal_is_repeated_as_it_was(name: str) -> None:
    desk = ClientDesk()
    body = ORDER.replace("38=100", "38=2000000")
    desk.say(name, "D", body)
    desk.say(name, "D", body, resend=True)
    first, second = desk.news(name)
    assert first == second


def test_after_the_close_nothing_is_taken() -> None:
    desk = ClientDesk()
    desk.pass_ns(CLOSE_NS - desk.clock.at_ns + SECOND)
    for name in SEATS:
        desk.say(name, "D", ORDER)
        (answer,) = desk.news(name)
        assert pipes(answer, 39, 103) == "39=8|103=2"
        assert answer.get(58).startswith("SESSION_CLOSED: ")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"accounts": ()}, "accounts"),
        ({"default_account": "A7"}, "not among accounts"),
        ({"default_strategy": "UNKNOWN"}, "UNKNOWN is none"),
        ({"symbols": {"a": "ACME", "b": "ACME"}}, "two symbols"),
        ({"desk": "D"}, "Extra inputs"),
    ],
)
def test_terms_that_cannot_be_are_refused_at_start(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        seat(**change)
