"""The checker's laws of the error account: each planted breach of a hedge is found."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.messages.control import SettingsLoaded
from schemas.messages.core import Side, Urgency
from schemas.messages.intake import OrderAccepted
from schemas.messages.routing import ErrorHedged
from tests.support.audit_host import checked, recorded
from tests.support.audit_log import Batch
from tests.support.builders import account_defined
from tests.support.scenario import Desk

ROUTING = {"overfill_bps": 3_000, "error_tenant": "FIRM", "error_account_id": "ERR"}
Change = Callable[[Any], Any]


def hedged_day() -> list[Batch]:
    """A buyer's slice is over-filled by 1,140, and a house order sells them."""
    desk = Desk()
    settings = SettingsLoaded(context="routing", content=json.dumps(ROUTING), sha256="")
    desk.act("define", settings)
    desk.act("define", account_defined("ERR", tenant="FIRM"))
    desk.act("buy", "c1", 6_000, {"urgency": Urgency.URGENT})
    first, second, third = desk.children
    desk.act("fill", 2_400, first)
    desk.act("fill", 2_400, second)
    desk.act("fill", 2_340, third)
    return recorded(desk.host)


def changed(kind: type[Any], change: Change) -> list[Batch]:
    """Return the day with every event of a kind changed; None leaves it out."""
    batches = hedged_day()
    for batch in batches:
        found = []
        for topic, message in batch.outputs:
            is_meant = isinstance(message, kind) and getattr(
                message, "source", "error-account"
            ) == ("error-account")
            written = change(message) if is_meant else message
            if written is not None:
                found.append((topic, written))
        if len(found) != len(batch.outputs):
            batch.causes.pop()
        batch.outputs[:] = found
    return batches


def hedges_found(batches: list[Batch]) -> list[str]:
    return [found.text for found in checked(batches).findings if found.code == "HEDGE"]


def test_a_hedge_of_what_is_held_breaks_no_law() -> None:
    assert not checked(hedged_day()).findings


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: replace(m, quantity=1_200), "SELL 1200 against 1140 held"),
        (lambda m: replace(m, side=Side.BUY), "BUY 1140 against 1140 held"),
        (lambda m: replace(m, quantity=0), "SELL 0 against 1140 held"),
        (lambda m: replace(m, account_id="A1"), "for FIRM A1, the settings name ('FIRM', 'ERR')"),
    ],
)
def test_a_hedge_beyond_against_or_for_another_account_is_found(change: Change, text: str) -> None:
    assert hedges_found(changed(ErrorHedged, change))[0] == text


def test_a_house_order_that_no_hedge_asked_for_is_found() -> None:
    found = hedges_found(changed(ErrorHedged, lambda _: None))
    assert found == ["is a house order that hedges nothing"]


def test_a_house_order_of_other_terms_than_its_hedge_is_found() -> None:
    found = hedges_found(changed(OrderAccepted, lambda m: replace(m, quantity=2_000)))
    assert found == ["entered as ['FIRM', 'ERR', 'ACME', 'SELL', 2000]"]


def test_a_hedge_that_nobody_entered_is_found() -> None:
    assert "was entered by nobody" in hedges_found(changed(OrderAccepted, lambda _: None))


def test_a_hedge_of_the_same_name_is_found() -> None:
    batches = hedged_day()
    for batch in batches:
        twice = [each for each in batch.outputs if isinstance(each[1], ErrorHedged)]
        batch.outputs += twice
        batch.causes += batch.causes[-1:] * len(twice)
    found = hedges_found(batches)
    assert found[:2] == ["is entered twice", "SELL 1140 against 0 held"]
