"""J, AS, AE and AK by version: every field that a clearer needs, as the dictionary has it."""

from typing import Any

import pytest

from schemas.messages import core as c
from schemas.messages.clearing import AllocationReported, TradeCaptured
from services.fix.clearers.allocations import Names, allocation_report, instruction
from services.fix.clearers.captures import capture_report
from services.fix.clearers.confirmations import confirmation
from services.fix.clearers.shares import split, whole_share
from services.fix.codes import Version
from services.fix.fields import Fields
from tests.support.audit_log import make
from tests.support.fix_layout import problems

E9 = 10**9
AT_NS = 1_772_200_800_123_456_789  # 2026-02-27 14:00:00.123456789
NEW, REPLACE, CANCEL = (
    c.ClearingTransaction.NEW,
    c.ClearingTransaction.REPLACE,
    c.ClearingTransaction.CANCEL,
)


def allocated(**changes: Any) -> AllocationReported:
    """Buy 300 at 50.50 for 15,150 with fees of 3.25."""
    given = {
        "record_id": "O1@P1#1", "version": 1, "report_id": "O1@P1#1:1", "transaction": NEW,
        "cause": c.ReportCause.FILLED, "clearer_id": "clearer", "kind": c.AllocationKind.EPOCH,
        "account_id": "A1", "clearing_account": "A1", "client_id": "C1",
        "client_order_id": "c-1", "order_id": "O1", "instrument_id": "ACME", "side": c.Side.BUY,
        "quantity": 300, "average_price_e9": 50_500_000_000, "cash_e9": 15_150 * E9,
        "fee_e9": 3_250_000_000, "net_cash_e9": 15_153_250_000_000, "currency": "USD",
        "quantity_scale": 1, "trade_date": 20260227, "business_date": 20260227,
        "settlement_date": 20260302,
    }  # fmt: skip
    found: AllocationReported = make(AllocationReported, **(given | changes))
    return found


def captured(**changes: Any) -> TradeCaptured:
    given = {
        "record_id": "V1/E1", "version": 1, "report_id": "V1/E1:1", "transaction": NEW,
        "cause": c.ReportCause.FILLED, "clearer_id": "clearer", "venue_id": "V1",
        "exec_id": "E1", "child_id": "P1.1.1", "parent_id": "P1", "instrument_id": "ACME",
        "side": c.Side.SELL, "quantity": 102, "error_quantity": 2, "price_e9": 99_995_000_000,
        "cash_e9": 10_199_490_000_000, "fee_e9": -1_500_000, "currency": "USD",
        "quantity_scale": 1, "trade_date": 20260227, "business_date": 20260302,
        "settlement_date": 20260303,
    }  # fmt: skip
    found: TradeCaptured = make(TradeCaptured, **(given | changes))
    return found


def told(version: Version, report: AllocationReported, kind: str) -> Fields:
    write = instruction if kind == "J" else allocation_report
    return write(
        version,
        report,
        names=Names.of(report),
        symbol="ACME",
        at_ns=AT_NS,
        shares=whole_share(report),
    )


BLOCK = "73=1|11=c-1|37=O1|"
VALUES = "53=300|6=50.5|15=USD|75=20260227"
MONEY = "381=15150|118=15153.25|58=EPOCH FILLED|78=1|79=A1|80=300"
FEES = "153=50.5|154=15153.25|136=1|137=3.25|138=USD|139=4"
ALLOCATIONS = [
    # version, message, its text
    (
        Version.FIX42, "J",
        f"70=O1@P1#1:1|71=0|{BLOCK}54=1|55=ACME|{VALUES}|60=20260227-14:00:00.123|64=20260302"
        f"|{MONEY}|{FEES}",
    ),
    (
        Version.FIX44, "J",
        f"70=O1@P1#1:1|71=0|626=1|857=1|{BLOCK}38=300|54=1|55=ACME|{VALUES}"
        f"|60=20260227-14:00:00.123456|64=20260302|{MONEY}|467=O1@P1#1:1/A1|{FEES}|891=0",
    ),
    (
        Version.FIX50SP2, "J",
        f"70=O1@P1#1:1|71=0|626=1|857=1|{BLOCK}38=300|54=1|55=ACME|{VALUES}"
        f"|60=20260227-14:00:00.123456|64=20260302|{MONEY}|467=O1@P1#1:1/A1|{FEES}|891=0"
        "|715=20260227",
    ),
    (
        Version.FIX44, "AS",
        f"755=O1@P1#1:1|70=O1@P1#1:1|71=0|794=4|87=0|857=1|{BLOCK}38=300|54=1|55=ACME|{VALUES}"
        f"|60=20260227-14:00:00.123456|64=20260302|{MONEY}|467=O1@P1#1:1/A1|{FEES}|891=0",
    ),
    (
        Version.FIX50SP2, "AS",
        f"755=O1@P1#1:1|70=O1@P1#1:1|71=0|794=4|87=0|715=20260227|857=1|{BLOCK}38=300|54=1"
        f"|55=ACME|{VALUES}|60=20260227-14:00:00.123456|64=20260302|{MONEY}|467=O1@P1#1:1/A1"
        f"|{FEES}|891=0",
    ),
]  # fmt: skip


@pytest.mark.parametrize("version, kind, text", ALLOCATIONS)
def test_an_allocation_says_all_of_it_in_the_words_of_its_version(
    version: Version, kind: str, text: str
) -> None:
    fields = told(version, allocated(), kind)
    assert repr(fields) == text
    assert problems(version, kind, fields) == []


@pytest.mark.parametrize("version, kind", [row[:2] for row in ALLOCATIONS])
def test_later_versions_name_the_one_before(version: Version, kind: str) -> None:
    after = {"version": 2, "report_id": "O1@P1#1:2", "previous_id": "O1@P1#1:1"}
    changed = told(version, allocated(**after, transaction=REPLACE), kind)
    reference = 795 if kind == "AS" else 72
    assert (changed.get(71), changed.get(reference)) == ("1", "O1@P1#1:1")
    amounts = {"quantity": 0, "cash_e9": 0, "fee_e9": 0, "net_cash_e9": 0, "average_price_e9": 0}
    gone = told(version, allocated(**after, **amounts, transaction=CANCEL), kind)
    assert (gone.get(71), gone.get(reference), gone.get(53)) == ("2", "O1@P1#1:1", "0")
    assert 78 not in gone and 381 not in gone
    for fields in (changed, gone):
        assert problems(version, kind, fields) == []


SIDES = [
    (c.Side.BUY, False, "1"),
    (c.Side.SELL, False, "2"),
    (c.Side.SELL, True, "5"),
    (c.Side.BUY, True, "1"),  # a buy that closes a short sale is a buy
]


@pytest.mark.parametrize("side, is_short_sale, text", SIDES)
def test_a_short_sale_is_told_as_such(side: c.Side, is_short_sale: bool, text: str) -> None:
    report = allocated(side=side, is_short_sale=is_short_sale)
    assert told(Version.FIX44, report, "J").get(54) == text


def test_parts_of_shares_and_cash_beyond_64_bits_are_told_to_the_unit() -> None:
    huge = 10**27 + 1
    report = allocated(
        quantity=123_456, quantity_scale=100_000, cash_e9=huge, net_cash_e9=huge, fee_e9=0
    )
    fields = told(Version.FIX44, report, "J")
    assert fields.get(53) == "1.23456"
    assert fields.get(381) == "1000000000000000000.000000001"
    assert 136 not in fields


CAPTURES = {
    Version.FIX44: (
        "571=V1/E1:1|487=0|856=0|828=0|17=E1|570=N|55=ACME|32=102|31=99.995|30=V1|75=20260227"
        "|715=20260302|60=20260227-14:00:00.123456|64=20260303|552=1|54=2|37=P1|11=P1.1.1"
        "|453=1|448=V1|447=D|452=17|15=USD|381=10199.49|58=FILLED"
        "|136=1|137=-0.0015|138=USD|139=4|891=0|78=1|79=ERROR|80=2"
    ),
    Version.FIX50SP2: (
        "571=V1/E1:1|487=0|856=0|828=0|17=E1|570=N|1015=1|55=ACME|32=102|31=99.995|15=USD|30=V1"
        "|75=20260227|715=20260302|60=20260227-14:00:00.123456|64=20260303|552=1|54=2"
        "|453=1|448=V1|447=D|452=17|58=FILLED"
        "|136=1|137=-0.0015|138=USD|139=4|891=0|78=1|79=ERROR|80=2|37=P1|11=P1.1.1|381=10199.49"
    ),
}


@pytest.mark.parametrize("version", CAPTURES)
def test_a_capture_says_its_dates_its_side_and_what_was_over_filled(version: Version) -> None:
    fields = capture_report(version, captured(), symbol="ACME", at_ns=AT_NS, error_account="ERROR")
    assert repr(fields) == CAPTURES[version]
    assert problems(version, "AE", fields) == []


@pytest.mark.parametrize("version", CAPTURES)
@pytest.mark.parametrize("change, code", [(REPLACE, "2"), (CANCEL, "1")])
def test_a_changed_capture_refers_to_the_one_before(
    version: Version, change: c.ClearingTransaction, code: str
) -> None:
    report = captured(
        version=2, report_id="V1/E1:2", previous_id="V1/E1:1", transaction=change,
        change_exec_id="E9", business_date=20260227,
        **({"quantity": 0, "error_quantity": 0, "fee_e9": 0} if change is CANCEL else {}),
    )  # fmt: skip
    fields = capture_report(version, report, symbol="ACME", at_ns=AT_NS, error_account="ERROR")
    assert [fields.get(tag) for tag in (487, 572, 17, 527)] == [code, "V1/E1:1", "E1", "E9"]
    assert fields.get(1015, "0") == "0"
    assert problems(version, "AE", fields) == []


@pytest.mark.parametrize("version", CAPTURES)
def test_a_confirmation_says_capacity_and_money(version: Version) -> None:
    report = allocated()
    fields = confirmation(
        version,
        report,
        whole_share(report)[0],
        confirm_id="K1",
        previous_id="",
        transaction=NEW,
        symbol="ACME",
        at_ns=AT_NS,
    )
    assert problems(version, "AK", fields) == []
    ids = {664: "K1", 666: "0", 773: "2", 665: "4", 70: "O1@P1#1:1", 79: "A1"}
    amounts = {80: "300", 863: "300", 6: "50.5", 381: "15150", 118: "15153.25", 137: "3.25"}
    wanted = {**ids, **amounts, 528: "A"}
    assert {tag: fields.get(tag) for tag in wanted} == wanted


def test_a_report_divided_over_accounts_loses_nothing() -> None:
    report = allocated(quantity=10, cash_e9=1_000_000_001, fee_e9=-7, net_cash_e9=999_999_994)
    shares = split(report, ["X", "Y", "Z"], [3, 0, 7])
    assert [each.account_id for each in shares] == ["X", "Z"]
    assert sum(each.quantity for each in shares) == 10
    assert sum(each.cash_e9 for each in shares) == 1_000_000_001
    assert sum(each.fee_e9 for each in shares) == -7
    assert sum(each.net_cash_e9 for each in shares) == report.cash_e9 + report.fee_e9
