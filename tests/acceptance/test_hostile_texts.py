"""Texts that are no names: empty, endless, invisible, misleading. None of them gets into a state.

name -> what is changed in a good order, reason, field, value as told, bound as told (None: any)
"""

from collections.abc import Iterator

import pytest

from schemas.messages.core import RejectReason as R
from schemas.messages.intake import OrderAccepted
from tests.support.builders import account_defined, new_order
from tests.support.hostile import HostileShard, OrderRow

LONG = 65
WORLD = (
    account_defined("x" * LONG, tenant="T1"),
    account_defined("T" * 60, tenant="T" * 64),
    account_defined("A\n1"),
)
IDS = ("source", "client_order_id", "desk_id")
EMPTY: dict[str, OrderRow] = {
    f"an empty {name}": ({name: ""}, R.FIELD_EMPTY, name, "", "1 to 64 characters") for name in IDS
}
ENDLESS: dict[str, OrderRow] = {
    f"{text[:1]!a} of {len(text)} characters as {name}": (
        {name: text},
        R.FIELD_TOO_LONG,
        name,
        str(len(text)),
        "at most 64",
    )
    for name in (*IDS, "basket_id")
    for text in ("z" * LONG, "é" * LONG, "a" + "\u0301" * 5_000)
}
# Shown as the ASCII of its characters, so that a terminal obeys none of them.
UNSEEN = {
    "a zero byte": "x\0y",
    "a line break": "x\r\ny",
    "an escape": "\x1b[2J",
    "a bidi override": "\u202egnp.exe",
    "a bidi isolate": "\u2067x\u2069",
    "a zero width space": "x\u200by",
    "a zero width joiner": "x\u200dy",
    "a byte order mark": "\ufeffx",
    "a tag character": "x\U000e0041",
    "a private character": "\ue000",
    "no character at all": "\uffff",
    "a line separator": "x\u2028y",
    "a hard space": "x\u00a0y",
    "a C1 control": "x\x9by",
}
UNPRINTABLE: dict[str, OrderRow] = {
    f"{what} in {name}": (
        {name: text},
        R.TEXT_NOT_PRINTABLE,
        name,
        ascii(text)[1:-1],
        "printable",
    )
    for what, text in UNSEEN.items()
    for name in (IDS if what in ("a zero byte", "a bidi override") else IDS[1:2])
}
OTHERS: dict[str, OrderRow] = {
    "a currency of another case": (
        {"currency": "eur"},
        R.CURRENCY_MISMATCH,
        "currency",
        "eur",
        "EUR",
    ),
    "another currency": ({"currency": "USD"}, R.CURRENCY_MISMATCH, "currency", "USD", "EUR"),
    "a currency with a zero byte": (
        {"currency": "EUR\0"},
        R.CURRENCY_MISMATCH,
        "currency",
        "EUR\\x00",
        "EUR",
    ),
    "an endless currency": (
        {"currency": "E" * 10**5},
        R.FIELD_TOO_LONG,
        "currency",
        "100000",
        None,
    ),
    "a locate of 65": ({"locate_id": "L" * LONG}, R.FIELD_TOO_LONG, "locate_id", "65", None),
    "an account of 65": (
        {"account_id": "x" * LONG},
        R.UNKNOWN_ACCOUNT,
        "account_id",
        "x" * LONG,
        None,
    ),
    "a line break in an account": (
        {"account_id": "A\n1"},
        R.TEXT_NOT_PRINTABLE,
        "account_id",
        "A\\n1",
        "printable",
    ),
    "a tenant with a zero byte": ({"tenant": "T1\0"}, R.UNKNOWN_ACCOUNT, "account_id", "A1", None),
    "a basket with a line break": (
        {"basket_id": "B\n1"},
        R.TEXT_NOT_PRINTABLE,
        "basket_id",
        "B\\n1",
        None,
    ),
    "letters that look like others": (
        {"account_id": "\u0410" + "1"},
        R.UNKNOWN_ACCOUNT,
        "account_id",
        "\u0410" + "1",
        None,
    ),
}
ROWS = EMPTY | ENDLESS | UNPRINTABLE | OTHERS


@pytest.fixture(scope="module")
def shard() -> Iterator[HostileShard]:
    shard = HostileShard(*WORLD)
    yield shard
    shard.prove()


@pytest.mark.parametrize("name", ROWS)
def test_it_is_refused_for_that_and_nothing_else(shard: HostileShard, name: str) -> None:
    shard.refuses_order(name, ROWS[name])


@pytest.mark.parametrize(
    "text",
    ["x", "z" * 64, "é" * 64, "a" + "\u0301" * 63, "发单-1", "'; DROP TABLE", "../../x", "{}"],
)
def test_a_printable_name_of_at_most_64_characters_is_taken(shard: HostileShard, text: str) -> None:
    (accepted,) = shard.ask(new_order(text, start_ns=0)).said
    assert isinstance(accepted, OrderAccepted)
    assert accepted.client_order_id == text
