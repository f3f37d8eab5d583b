"""Codes of refusals: every version takes them, and they are those of docs/reject-reasons.md."""

import re
from pathlib import Path

import pytest

from schemas.messages.core import RejectReason
from services.fix.codes import Version, is_known, reason_codes, text_of, version_of
from services.fix.codes.enums import TABLES
from services.fix.codes.extract import tables_text

DOCUMENT = Path(__file__).parents[2] / "docs" / "reject-reasons.md"
TAGS = {"order": 103, "cancel": 102, "business": 380, "session": 373, "allocation": 88}


def rows() -> list[tuple[str, str, str]]:
    """Return reason, 103 and 102 of the document's table."""
    found = []
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0] in RejectReason.__members__:
            found.append((cells[0], cells[4], cells[5]))
    return found


@pytest.mark.parametrize("version", Version)
def test_every_version_takes_every_code(version: Version) -> None:
    for reason in RejectReason:
        codes = reason_codes(reason, version)
        for name, tag in TAGS.items():
            assert is_known(version, tag, str(getattr(codes, name))), (reason, name)


def test_the_tables_are_those_of_the_dictionaries() -> None:
    assert TABLES.read_text() == tables_text(), "python -m services.fix.codes.extract"


def test_the_document_tells_the_same_codes() -> None:
    told = rows()
    assert len(told) == len(RejectReason)
    for name, order, cancel in told:
        if re.fullmatch(r"\d+", order):  # others say which version has which
            codes = {reason_codes(RejectReason(name), version).order for version in Version}
            is_newer = not is_known(Version.FIX44, 103, order)
            assert int(order) in codes, (name, order, codes)
            other = codes - {int(order)}
            assert other <= ({0, 99} if is_newer else {0, 3, 99}), (name, codes)
        if re.fullmatch(r"\d+", cancel):
            assert reason_codes(RejectReason(name), Version.FIX50SP2).cancel in (int(cancel), 8)


@pytest.mark.parametrize(
    ("reason", "fix42", "fix44", "fix50"),
    [
        (RejectReason.UNKNOWN_INSTRUMENT, 1, 1, 1),
        (RejectReason.UNKNOWN_ACCOUNT, 0, 15, 15),
        (RejectReason.SESSION_CLOSED, 2, 2, 2),
        (RejectReason.AFTER_CUTOFF, 4, 4, 4),
        (RejectReason.DUPLICATE_ORDER, 6, 6, 6),
        (RejectReason.QUANTITY_NOT_POSITIVE, 0, 13, 13),
        (RejectReason.PRICE_OFF_TICK, 0, 99, 18),
        (RejectReason.PRICE_COLLAR, 0, 99, 16),
        (RejectReason.NO_REFERENCE_PRICE, 0, 99, 19),
        (RejectReason.RESTRICTED_INSTRUMENT, 0, 0, 0),
        (RejectReason.LOCATE_MISSING, 0, 0, 22),
        (RejectReason.UNKNOWN_LOCATE, 0, 0, 23),
        (RejectReason.LOCATE_EXCEEDED, 0, 0, 24),
        (RejectReason.ORDER_NOTIONAL_LIMIT, 3, 3, 27),
        (RejectReason.CREDIT_LIMIT, 3, 3, 25),
        (RejectReason.POSITION_LIMIT, 3, 3, 26),
        (RejectReason.REPEATED_EXECUTION, 0, 99, 21),
        (RejectReason.PARAMETER_OUT_OF_RANGE, 0, 11, 11),
    ],
)
def test_orders_are_refused_with_the_best_word_of_each_version(
    reason: RejectReason, fix42: int, fix44: int, fix50: int
) -> None:
    assert [reason_codes(reason, each).order for each in Version] == [fix42, fix44, fix50]


@pytest.mark.parametrize(
    ("reason", "fix42", "fix44", "fix50"),
    [
        (RejectReason.UNKNOWN_ORDER, 1, 1, 1),
        (RejectReason.TOO_LATE, 0, 0, 0),
        (RejectReason.ALREADY_PENDING, 3, 3, 3),
        (RejectReason.DUPLICATE_ORDER, 2, 6, 6),
        (RejectReason.QUANTITY_BELOW_FILLED, 2, 99, 99),
        (RejectReason.PRICE_OFF_TICK, 2, 99, 18),
    ],
)
def test_changes_are_refused_with_the_best_word_of_each_version(
    reason: RejectReason, fix42: int, fix44: int, fix50: int
) -> None:
    assert [reason_codes(reason, each).cancel for each in Version] == [fix42, fix44, fix50]


def test_a_refusal_says_code_bound_value_and_unit() -> None:
    text = text_of("QUANTITY_TOO_LARGE", "at most 100", "200", "quantity")
    assert text == "QUANTITY_TOO_LARGE: at most 100 200 quantity"
    assert text_of("KILLED", "", "K1", "kill_id") == "KILLED: K1 kill_id"


def test_sessions_say_their_version() -> None:
    assert [version_of(each.begin_string) for each in Version] == list(Version)
    with pytest.raises(ValueError, match="BeginString FIX"):
        version_of("FIX.4.3")
