"""Values of FIX fields: exact both ways, and refused with field, value and bound."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages.core import OrderType, RejectReason, Side, TimeInForce
from services.fix import values
from services.fix.values import FixValueError

# text, 1e-9 units
PRICES = (
    ("100.01", 100_010_000_000),
    ("00023.2300", 23_230_000_000),
    ("23.", 23_000_000_000),
    (".5", 500_000_000),
    ("-0.000000001", -1),
    ("0.1230000000000", 123_000_000),
    ("9223372036.854775807", 2**63 - 1),
)
NO_PRICES = (
    *("", ".", "-", "1e3", "1,5", "0x1", "+1", " 1", "1 ", "NaN", "1.0000000001", "\u00b2"),
    *("9223372036.854775808", "1" * 5_000),
)
# text, ns after 2026-03-02 00:00 UTC
DAY_NS = 1_772_409_600 * 10**9
TIMES = (
    ("20260302-17:30:00", 63_000 * 10**9),
    ("20260302-17:30:00.123", 63_000_123 * 10**6),
    ("20260302-17:30:00.123456789", 63_000_123_456_789),
    ("20260302-17:30:00.123456789000", 63_000_123_456_789),
    ("20260302-23:59:60", 86_400 * 10**9),
)
NO_TIMES = (
    *("20260230-17:30:00", "20260302-24:00:00", "20260302-17:30:61", "20260302 17:30:00"),
    *("20260302-17:30", "", "20260302-17:30:00.", "20260302-17:30:00.1234567891"),
    *("24250101-00:00:00", "19691231-23:59:59", "22620412-00:00:00"),
)


@pytest.mark.parametrize(("text", "price_e9"), PRICES)
def test_prices_are_read_exactly(text: str, price_e9: int) -> None:
    assert values.price_e9(text) == price_e9


@pytest.mark.parametrize("text", NO_PRICES)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(FixValueError) as caught:
        values.price_e9(text, "Price")
    refused = caught.value
    assert (refused.reason, refused.field) == (RejectReason.VALUE_OUT_OF_RANGE, "Price")
    assert refused.value == text and refused.bound


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from((1, 10, 100_000, 10**9)))
def test_numbers_come_back_as_they_were(value: int, scale: int) -> None:
    text = values.scaled_text(value, scale)
    assert values.scaled(text, scale, "x") == value
    assert Decimal(text) * scale == value and "E" not in text


@pytest.mark.parametrize(("text", "after_ns"), TIMES)
def test_times_are_read_exactly(text: str, after_ns: int) -> None:
    assert values.utc_ns(text) == DAY_NS + after_ns


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(FixValueError, match="is not"):
        values.utc_ns(text)


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_times_come_back_as_they_were(at_ns: int) -> None:
    assert values.utc_ns(values.utc_text(at_ns, 9)) == at_ns
    assert values.utc_ns(values.utc_text(at_ns, 3)) == at_ns // 10**6 * 10**6  # down
    assert values.utc_ns(values.utc_text(at_ns, 0)) == at_ns // 10**9 * 10**9


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.side, "1", (Side.BUY, False)),
        (values.side, "2", (Side.SELL, False)),
        (values.side, "5", (Side.SELL, True)),
        (values.order_type, "1", OrderType.MARKET),
        (values.order_type, "2", OrderType.LIMIT),
        (values.time_in_force, "", TimeInForce.DAY),
        (values.time_in_force, "1", TimeInForce.GTC),
        (values.time_in_force, "7", TimeInForce.AT_CLOSE),
    ],
)
def test_words_are_read(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "reason"),
    [
        (values.side, "6", RejectReason.UNSUPPORTED_SIDE),
        (values.order_type, "3", RejectReason.UNSUPPORTED_ORDER_TYPE),
        (values.time_in_force, "4", RejectReason.UNSUPPORTED_TIME_IN_FORCE),
    ],
)
def test_words_that_we_do_not_know_are_refused(
    read: Callable[[str], Any], text: str, reason: RejectReason
) -> None:
    with pytest.raises(FixValueError) as caught:
        read(text)
    assert caught.value.reason is reason


@pytest.mark.parametrize("side", ["1", "2", "5"])
def test_sides_come_back_as_they_were(side: str) -> None:
    assert values.side_text(*values.side(side)) == side


def test_texts_are_made_printable() -> None:
    assert values.printable("a\x01b\n") == "a b"
    assert values.printable("\u20ac 5 \u00e9") == "? 5 \u00e9"
    assert values.printable("") == "-"
    assert len(values.printable("x" * 1_000)) == 250
