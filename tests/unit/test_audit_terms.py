"""The checker knows which terms were in force: bands, calendars, instants, refused definitions."""

from typing import Any

import msgspec
import pytest

from schemas.messages import core as c
from schemas.messages.control import CalendarDefined, InstrumentDefined
from schemas.messages.intake import NewOrder, OrderAccepted
from schemas.messages.netting import CrossExecuted
from schemas.messages.routing import ChildPlaced
from services.audit import check_records
from services.audit.definitions import Calendars, is_sound
from streams.core import topics
from tests.support.audit_day import acme
from tests.support.audit_log import Batch, make, written
from tests.support.builders import instrument_defined, venue_defined
from tests.support.calendars import (
    FRIDAY,
    HOUR,
    MIDNIGHT_NS,
    MONDAY,
    calendar_defined,
    whole_day,
)
from tests.unit.test_reference_checks import BAD

TEN_NS = MIDNIGHT_NS + 10 * HOUR
CENT = 10_000_000


def on_x(**fields: Any) -> Any:
    return acme(**{"calendar_id": "X", **fields})


def findings(*definitions: Any, at_ns: int = TEN_NS, sent_ns: int = 1, **order: Any) -> list[str]:
    """Return what is found when definitions are read, and an order is accepted at `at_ns`."""
    fields = {
        "order_id": "O1",
        "instrument_id": "ACME",
        "quantity": 100,
        "trade_date": FRIDAY,
        "accepted_ns": at_ns,
        **order,
    }
    inputs = [(topics.CONTROL_COMMANDS, definition) for definition in definitions]
    first = Batch(inputs=inputs, now_ns=sent_ns, times=[(sent_ns, sent_ns)] * len(inputs))
    second = Batch(
        inputs=[(topics.ORDERS_COMMANDS, make(NewOrder))],
        outputs=[(topics.ORDERS_EVENTS, make(OrderAccepted, **fields))],
        now_ns=at_ns,
    )
    report = check_records(written([first, second]))
    assert all(finding.code == "TERMS" for finding in report.findings)
    return [finding.text for finding in report.findings]


def bands(*pairs: tuple[int, int]) -> tuple[c.TickBand, ...]:
    return tuple(c.TickBand(from_price_e9=price, tick_e9=tick) for price, tick in pairs)


def test_an_order_that_keeps_the_terms_is_no_finding() -> None:
    assert findings(calendar_defined(), on_x()) == []
    assert findings(acme(), trade_date=0, limit_price_e9=100 * CENT) == []


# definitions, the order, what is said
BREACHES: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "off the tick": ((on_x(),), {"limit_price_e9": CENT + 1}, "tick 10000000"),
    "off the tick of its band": (
        (on_x(tick_bands=bands((100 * CENT, 5 * CENT))),),
        {"limit_price_e9": 101 * CENT},
        "tick 50000000",
    ),
    "off the lot": ((on_x(lot=10),), {"quantity": 101}, "lot 10"),
    "too large": ((on_x(maximum_quantity=99),), {}, "at most 99"),
    "another trade date": ((on_x(),), {"trade_date": MONDAY}, f"session {FRIDAY}"),
    "before entry": ((on_x(),), {"at_ns": MIDNIGHT_NS + 3 * HOUR}, "entry from"),
    "after the close": ((on_x(),), {"at_ns": MIDNIGHT_NS + 19 * HOUR}, "entry from"),
    "on a holiday": (
        (calendar_defined(whole_day(MONDAY, 72), first_date=FRIDAY), on_x()),
        {},
        f"session {MONDAY}",
    ),
    "a tick of later": (
        (on_x(tick_e9=2 * CENT, effective_ns=TEN_NS), on_x()),
        {"limit_price_e9": CENT},
        "tick 20000000",
    ),
    "not defined": ((), {}, "not defined"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_an_order_that_breaks_the_terms_is_found(name: str) -> None:
    definitions, order, expected = BREACHES[name]
    assert expected in " ".join(findings(calendar_defined(), *definitions, **order))


def test_terms_hold_from_their_instant_on_and_not_before() -> None:
    later = on_x(tick_e9=2 * CENT, effective_ns=TEN_NS + 1)
    assert findings(calendar_defined(), on_x(), later, limit_price_e9=CENT) == []


def test_of_two_definitions_the_one_of_the_later_instant_holds() -> None:
    """Read together and late: the second was sent before the first came into force."""
    first, second = on_x(tick_e9=2 * CENT, effective_ns=50), on_x()
    told = findings(calendar_defined(), first, second, limit_price_e9=CENT, sent_ns=60)
    assert told == [], "sent at 60, so it holds"
    stale = on_x(effective_ns=40)
    told = findings(calendar_defined(), first, stale, limit_price_e9=CENT, sent_ns=60)
    assert "tick 20000000" in told[0]


@pytest.mark.parametrize(("definition", "reason", "field"), BAD)
def test_what_an_engine_refuses_the_checker_does_not_use(
    definition: Any, reason: Any, field: str
) -> None:
    """The same table as the engine's own test, read by code that shares nothing with it."""
    calendars, units = Calendars(), {"ACME": ("EUR", 1)}
    calendars.read(_told(calendar_defined(whole_day(FRIDAY, 0))), 0, MIDNIGHT_NS)
    assert is_sound(_told(instrument_defined()), units, calendars)
    if isinstance(definition, InstrumentDefined):
        assert not is_sound(_told(definition), units, calendars)
    elif isinstance(definition, CalendarDefined):
        before = calendars.session(definition.calendar_id, MIDNIGHT_NS)
        calendars.read(_told(definition), MIDNIGHT_NS, MIDNIGHT_NS)
        assert calendars.session(definition.calendar_id, MIDNIGHT_NS) == before
        assert not calendars.is_known("Y" if definition.calendar_id else "")


def _told(message: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(message)
    return told


def test_a_child_at_a_disabled_venue_is_found() -> None:
    for is_enabled in (True, False):
        batch = Batch(
            inputs=[(topics.CONTROL_COMMANDS, venue_defined("V1", is_enabled=is_enabled))],
            outputs=[(topics.CHILDREN_EVENTS, make(ChildPlaced, child_id="P.1.1", venue_id="V1"))],
        )
        found = [f.text for f in check_records(written([batch])).findings if f.code == "TERMS"]
        assert found == ([] if is_enabled else ["is sent to V1, which is disabled"])


def test_a_cross_in_the_lunch_break_is_found() -> None:
    for hour, is_found in ((10, False), (12.5, True), (16.1, True)):
        at_ns = MIDNIGHT_NS + int(hour * HOUR)
        inputs = [(topics.CONTROL_COMMANDS, m) for m in (calendar_defined(), on_x())]
        cross = make(
            CrossExecuted,
            cross_id="X1",
            instrument_id="ACME",
            crossed_ns=at_ns,
            evidence=make(c.QuoteEvidence),
        )
        batch = Batch(
            inputs=inputs,
            outputs=[(topics.AGGREGATIONS_EVENTS, cross)],
            now_ns=at_ns,
            times=[(1, 1)] * 2,
        )
        report = check_records(written([batch]))
        assert any(f.code == "TERMS" for f in report.findings) == is_found
