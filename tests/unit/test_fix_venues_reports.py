"""What venues say in 4.2, 4.4 and 5.0 SP2, and what the engine reads of it."""

from typing import Any

import pytest

from schemas.messages.core import ExecType as E
from schemas.messages.core import Liquidity, Side
from schemas.messages.core import OrderStatus as S
from schemas.messages.fix import FixReceived
from schemas.messages.venues import ExecutionReport
from services.fix.fields import Fields
from services.fix.values import FixValueError
from services.fix.venues import reports
from services.fix.venues.ids import cancel_id, replace_id
from services.fix.venues.state import VenuesState, child_of
from services.fix.venues.terms import VenueTerms
from tests.support.audit_log import make
from tests.support.fix_venues import ACME, START_NS, child, report, terms

FIX42 = {"version": "FIX42"}
FIX50 = {"version": "FIX50SP2"}
FILL = {"t32": "40", "t31": "99.98", "t14": "40", "t151": "60"}

# version, 150, 39, other tags: what happened, status
WORDS: list[tuple[dict[str, Any], str, str, dict[str, str], E, S]] = [
    ({}, "0", "0", {}, E.NEW, S.NEW),
    ({}, "A", "A", {}, E.PENDING_NEW, S.PENDING_NEW),
    ({}, "F", "1", FILL, E.TRADE, S.PARTIALLY_FILLED),
    ({}, "F", "2", {**FILL, "t151": "0"}, E.TRADE, S.FILLED),
    ({}, "G", "1", {**FILL, "t19": "E0"}, E.TRADE_CORRECT, S.PARTIALLY_FILLED),
    ({}, "H", "0", {**FILL, "t19": "E0"}, E.TRADE_CANCEL, S.NEW),
    ({}, "3", "3", {}, E.DONE_FOR_DAY, S.DONE_FOR_DAY),
    ({}, "4", "4", {}, E.CANCELED, S.CANCELED),
    ({}, "5", "0", {}, E.REPLACED, S.NEW),
    ({}, "6", "6", {}, E.PENDING_CANCEL, S.PENDING_CANCEL),
    ({}, "7", "7", {}, E.ORDER_STATUS, S.NEW),
    ({}, "7", "7", {"t14": "10"}, E.ORDER_STATUS, S.PARTIALLY_FILLED),
    ({}, "8", "8", {}, E.REJECTED, S.REJECTED),
    ({}, "9", "9", {}, E.SUSPENDED, S.SUSPENDED),
    ({}, "B", "B", {}, E.ORDER_STATUS, S.DONE_FOR_DAY),
    ({}, "C", "C", {}, E.EXPIRED, S.EXPIRED),
    ({}, "D", "0", {}, E.RESTATED, S.NEW),
    ({}, "E", "E", {}, E.PENDING_REPLACE, S.PENDING_REPLACE),
    ({}, "I", "1", {"t14": "10"}, E.ORDER_STATUS, S.PARTIALLY_FILLED),
    ({}, "L", "0", {}, E.ORDER_STATUS, S.NEW),
    ({}, "J", "1", FILL, E.TRADE, S.PARTIALLY_FILLED),
    ({}, "x", "y", {}, E.UNKNOWN, S.UNKNOWN),
    ({"exec_types": {"x": "NEW"}, "statuses": {"y": "NEW"}}, "x", "y", {}, E.NEW, S.NEW),
    (FIX50, "F", "1", FILL, E.TRADE, S.PARTIALLY_FILLED),
    (FIX42, "0", "0", {"t20": "0"}, E.NEW, S.NEW),
    (FIX42, "1", "1", {"t20": "0", **FILL}, E.TRADE, S.PARTIALLY_FILLED),
    (FIX42, "2", "2", {"t20": "0", **FILL, "t151": "0"}, E.TRADE, S.FILLED),
    (FIX42, "1", "1", {"t20": "1", "t19": "E0", **FILL}, E.TRADE_CANCEL, S.PARTIALLY_FILLED),
    (FIX42, "2", "2", {"t20": "2", "t19": "E0", **FILL}, E.TRADE_CORRECT, S.FILLED),
    (FIX42, "1", "1", {"t20": "3", "t14": "40"}, E.ORDER_STATUS, S.PARTIALLY_FILLED),
    (FIX42, "5", "5", {"t20": "0"}, E.REPLACED, S.NEW),
    (FIX42, "5", "5", {"t20": "0", "t14": "10"}, E.REPLACED, S.PARTIALLY_FILLED),
]


def known(quantity: int = 100) -> VenuesState:
    """P.1.1 at V1, replaced once, a second replace and a third cancel under way."""
    state = VenuesState()
    state.scales[ACME] = 1
    sent = child_of(child("P.1.1", quantity), "V1")
    sent.replaced, sent.replaces, sent.cancels = 1, 2, 3
    state.children["P.1.1"] = sent
    return state


def received(fields: Fields) -> FixReceived:
    message: FixReceived = make(
        FixReceived, session_id="V1", message_type="8", sent_ns=START_NS, text=fields.body()
    )
    return message


def read(fields: Fields, of: VenueTerms | None = None) -> ExecutionReport:
    telling = reports.telling_of(known(), of or terms(), fields)
    return reports.execution_report(telling, received(fields), fields)


@pytest.mark.parametrize(("changes", "exec_type", "status", "tags", "happened", "stands"), WORDS)
def test_words_of_each_version_mean_the_same(
    changes: dict[str, Any],
    exec_type: str,
    status: str,
    tags: dict[str, str],
    *,
    happened: E,
    stands: S,
) -> None:
    said = read(report("E1", exec_type, status, **tags), terms(**changes))
    assert (said.exec_type, said.order_status) == (happened, stands)
    is_executed = happened in (E.TRADE, E.TRADE_CANCEL, E.TRADE_CORRECT)
    assert said.last_quantity == (40 if is_executed else 0)
    assert said.last_price_e9 == (99_980_000_000 if is_executed else None)


def test_a_report_is_read_to_its_last_field() -> None:
    fields = report(
        "E1", "F", "1", **FILL, t60="20260302-14:30:01.123456789", t851="1", t58="ok",
        t12="-0.08", t38="100", t44="99.99", t37="V-7",
    )  # fmt: skip
    assert read(fields, terms(fee_tag=12)) == ExecutionReport(
        venue_id="V1",
        instrument_id=ACME,
        child_id="P.1.1",
        venue_order_id="V-7",
        exec_id="E1",
        exec_ref_id="",
        exec_type=E.TRADE,
        order_status=S.PARTIALLY_FILLED,
        side=Side.BUY,
        last_quantity=40,
        last_price_e9=99_980_000_000,
        cumulative_quantity=40,
        leaves_quantity=60,
        fee_e9=-80_000_000,
        liquidity=Liquidity.ADDED,
        text="ok",
        transact_ns=START_NS + 1_123_456_789,
        request=1,
        order_quantity=100,
        price_e9=99_990_000_000,
    )


# 150, 39, 11, 41: newest replace that the venue has taken
REQUESTS = [
    ("0", "0", "P.1.1", None, 1),
    ("5", "0", replace_id("P.1.1", 2), "P.1.1", 2),
    ("5", "0", "P.1.1", None, 2),  # a venue that keeps the id of the D
    ("E", "E", replace_id("P.1.1", 2), "P.1.1", 1),
    ("I", "E", replace_id("P.1.1", 2), "P.1.1", 1),
    ("I", "0", replace_id("P.1.1", 2), "P.1.1", 2),
    ("4", "4", cancel_id("P.1.1", 3), "P.1.1", 1),
    ("F", "1", replace_id("P.1.1", 1), None, 1),
]


@pytest.mark.parametrize(("exec_type", "status", "own", "original", "request_"), REQUESTS)
def test_a_report_says_which_replace_is_in_force(
    exec_type: str, status: str, own: str, original: str | None, request_: int
) -> None:
    said = read(report("E1", exec_type, status, t11=own, t41=original))
    assert (said.child_id, said.request) == ("P.1.1", request_)


def test_a_fee_is_the_sum_of_its_fields_and_of_the_sign_that_the_venue_means() -> None:
    fields = report("E1", "F", "1", **FILL)
    fields.add(136, 2).add(137, "0.10").add(139, "4").add(137, "0.02").add(139, "7")
    assert read(fields, terms(fee_tag=137)).fee_e9 == 120_000_000
    assert read(fields, terms(fee_tag=137, fee_sign=-1)).fee_e9 == -120_000_000
    assert read(fields).fee_e9 == 0


@pytest.mark.parametrize(
    ("changes", "tags", "liquidity"),
    [
        ({}, {"t851": "2"}, Liquidity.REMOVED),
        ({}, {"t851": "4"}, Liquidity.AUCTION),
        ({}, {"t851": "9"}, Liquidity.UNKNOWN),
        ({}, {}, Liquidity.UNKNOWN),
        ({"liquidity_absent": "HIDDEN"}, {}, Liquidity.HIDDEN),
        ({"liquidity_tag": 9730, "liquidity": {"A": "ADDED"}}, {"t9730": "A"}, Liquidity.ADDED),
    ],
)
def test_liquidity_is_read_in_the_venues_letters(
    changes: dict[str, Any], tags: dict[str, str], liquidity: Liquidity
) -> None:
    assert read(report("E1", "F", "1", **FILL, **tags), terms(**changes)).liquidity is liquidity


@pytest.mark.parametrize(
    ("tags", "field"),
    [
        ({"t14": None}, "14"),
        ({"t14": "1.5"}, "14"),
        ({"t151": "x"}, "151"),
        ({"t32": "1e3"}, "32"),
        ({"t31": "99.98.1"}, "31"),
        ({"t60": "yesterday"}, "60"),
        ({"t17": None}, "17"),
        ({"t38": "0.1"}, "38"),
    ],
)
def test_what_cannot_be_read_names_its_field(tags: dict[str, Any], field: str) -> None:
    with pytest.raises(FixValueError) as caught:
        read(report("E1", "F", "1", **{**FILL, **tags}))
    assert caught.value.field == field


def test_a_stranger_is_passed_on_by_the_name_that_the_venue_gives() -> None:
    fields = report("E1", "F", "1", **FILL, t11="WHO/KNOWS", t55="ACM", t54="5")
    named = terms(symbols={ACME: {"symbol": "ACM"}})
    said = read(fields, named)
    assert (said.child_id, said.instrument_id, said.side) == ("WHO/KNOWS", ACME, Side.SELL)


def test_a_reject_of_a_request_leaves_the_order_alone() -> None:
    fields = report("E1", "8", "0", t11=cancel_id("P.1.1", 3), t41="P.1.1", t58="busy", t103="99")
    telling = reports.telling_of(known(), terms(), fields)
    said = reports.execution_report(telling, received(fields), fields)
    assert reports.is_refusal_of_request(telling, said)
    reject = reports.cancel_reject(telling, received(fields), fields)
    assert (reject.child_id, reject.request, reject.is_replace) == ("P.1.1", 3, False)
    assert reject.text == "busy (103=99)"


@pytest.mark.parametrize(
    ("own", "response_to", "request_", "is_replace"),
    [
        (cancel_id("P.1.1", 2), "1", 2, False),
        (replace_id("P.1.1", 2), "2", 2, True),
        ("P.1.1", "1", 3, False),  # not named: it can be the newest only
        ("P.1.1", "2", 2, True),
    ],
)
def test_a_cancel_reject_names_the_request(
    own: str, response_to: str, request_: int, *, is_replace: bool
) -> None:
    fields = Fields().add(37, "V-1").add(11, own).add(41, "P.1.1").add(39, "0")
    fields.add(434, response_to).add(102, "0").add(58, "too late")
    telling = reports.telling_of(known(), terms(), fields)
    reject = reports.cancel_reject(telling, received(fields), fields)
    assert (reject.child_id, reject.instrument_id) == ("P.1.1", ACME)
    assert (reject.request, reject.is_replace) == (request_, is_replace)
    assert reject.text == "too late (102=0)"


def test_two_tellings_of_an_execution_agree_in_what_was_executed() -> None:
    first = read(report("E1", "F", "1", **FILL))
    again = read(report("E1", "F", "2", **{**FILL, "t14": "100", "t151": "0", "t58": "again"}))
    other = read(report("E1", "F", "1", **{**FILL, "t31": "99.97"}))
    assert reports.digest(first) == reports.digest(again) != reports.digest(other)
    assert reports.contradicting(other).side is Side.UNKNOWN
