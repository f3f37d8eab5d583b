"""A definition that does not add up is refused with its reason and leaves the one in force."""

from typing import Any

import pytest

from schemas.messages.core import PhaseKind as K
from schemas.messages.core import RejectReason as R
from schemas.messages.core import Session, TickBand, VenueKind
from streams.core import topics
from streams.core.errors import DecodeError
from streams.shard.reference import ReferenceView
from tests.support.builders import (
    ACME,
    OPEN_NS,
    TICK,
    account_defined,
    crossing_declared,
    instrument,
    instrument_defined,
    venue_defined,
    volume_curve,
)
from tests.support.calendars import (
    FRIDAY,
    MIDNIGHT_NS,
    MONDAY,
    calendar_defined,
    client_defined,
    desk_defined,
    phase,
    session,
    whole_day,
)
from tests.support.shard_host import trading_host


def bands(*pairs: tuple[int, int]) -> tuple[TickBand, ...]:
    return tuple(TickBand(from_price_e9=price, tick_e9=tick) for price, tick in pairs)


def continuous(start: float, end: float, cutoff: float = 0) -> Session:
    return session(FRIDAY, phase(K.CONTINUOUS, start, end, cutoff))


# definition, reason, field
BAD = [
    (instrument_defined(instrument_id=""), R.FIELD_EMPTY, "instrument_id"),
    (instrument_defined(instrument_id="A" * 65), R.FIELD_TOO_LONG, "instrument_id"),
    (instrument_defined(currency=""), R.FIELD_EMPTY, "currency"),
    (instrument_defined(tick_e9=0), R.PRICE_NOT_POSITIVE, "tick_e9"),
    (instrument_defined(tick_e9=3), R.PRICE_OFF_TICK, "tick_e9"),
    (instrument_defined(lot=0), R.QUANTITY_NOT_POSITIVE, "lot"),
    (instrument_defined(quantity_scale=0), R.QUANTITY_NOT_POSITIVE, "quantity_scale"),
    (instrument_defined(maximum_quantity=0), R.QUANTITY_NOT_POSITIVE, "maximum_quantity"),
    (instrument_defined(quantity_scale=3), R.QUANTITY_NOT_A_LOT_MULTIPLE, "lot"),
    (instrument_defined(session_close_ns=OPEN_NS), R.END_NOT_AFTER_START, "session_close_ns"),
    (
        instrument_defined(tick_bands=bands((0, 2))),
        R.TICK_BANDS_NOT_ORDERED,
        "tick_bands.from_price_e9",
    ),
    (
        instrument_defined(tick_bands=bands((TICK, 2), (TICK, 4))),
        R.TICK_BANDS_NOT_ORDERED,
        "tick_bands.from_price_e9",
    ),
    (instrument_defined(tick_bands=bands((TICK, 0))), R.PRICE_NOT_POSITIVE, "tick_bands.tick_e9"),
    (instrument_defined(tick_bands=bands((TICK, 5))), R.PRICE_OFF_TICK, "tick_bands.tick_e9"),
    (
        instrument_defined(tick_bands=bands((TICK, 16 * 3))),
        R.PRICE_OFF_TICK,
        "tick_bands.from_price_e9",
    ),
    (
        instrument_defined(tick_bands=bands((TICK // 2 * 201, TICK // 2))),
        R.PRICE_OFF_TICK,
        "tick_bands.from_price_e9",
    ),
    (
        instrument_defined(quantity_scale=100, tick_e9=100, tick_bands=bands((TICK, 10))),
        R.QUANTITY_NOT_A_LOT_MULTIPLE,
        "lot",
    ),
    (instrument_defined(settlement_days=11), R.PARAMETER_OUT_OF_RANGE, "settlement_days"),
    (instrument_defined(allocation_lot=-1), R.PARAMETER_OUT_OF_RANGE, "allocation_lot"),
    (instrument_defined(average_daily_volume=-1), R.PARAMETER_OUT_OF_RANGE, "average_daily_volume"),
    (instrument_defined(calendar_id="Y"), R.UNKNOWN_CALENDAR, "calendar_id"),
    (
        instrument_defined(settlement_calendar_id="Y"),
        R.UNKNOWN_CALENDAR,
        "settlement_calendar_id",
    ),
    (instrument_defined(currency="USD"), R.CURRENCY_MISMATCH, "currency"),
    (instrument_defined(quantity_scale=100), R.VALUE_OUT_OF_RANGE, "quantity_scale"),
    (venue_defined(venue_id=""), R.FIELD_EMPTY, "venue_id"),
    (venue_defined(kind=VenueKind.UNKNOWN), R.PARAMETER_OUT_OF_RANGE, "kind"),
    (venue_defined(latency_ns=-1), R.PARAMETER_OUT_OF_RANGE, "latency_ns"),
    (account_defined(account_id=""), R.FIELD_EMPTY, "account_id"),
    (account_defined(tenant=""), R.FIELD_EMPTY, "tenant"),
    (client_defined(client_id=""), R.FIELD_EMPTY, "client_id"),
    (desk_defined(desk_id=""), R.FIELD_EMPTY, "desk_id"),
    (crossing_declared(spread_max_bps=-1), R.PARAMETER_OUT_OF_RANGE, "spread_max_bps"),
    (calendar_defined(calendar_id=""), R.FIELD_EMPTY, "calendar_id"),
    (calendar_defined(first_date=20240230), R.CALENDAR_NOT_ORDERED, "first_date"),
    (calendar_defined(last_date=20241003), R.CALENDAR_NOT_ORDERED, "last_date"),
    (
        calendar_defined(settlement_dates=(FRIDAY, FRIDAY)),
        R.CALENDAR_NOT_ORDERED,
        "settlement_dates",
    ),
    (calendar_defined(settlement_dates=(20241009,)), R.CALENDAR_NOT_ORDERED, "settlement_dates"),
    (
        calendar_defined(whole_day(MONDAY, 0), whole_day(FRIDAY, 72)),
        R.CALENDAR_NOT_ORDERED,
        "trade_date",
    ),
    (
        calendar_defined(session(FRIDAY, phase(K.PRE_OPEN, 4, 9))),
        R.CALENDAR_NOT_ORDERED,
        f"session {FRIDAY} phases",
    ),
    (calendar_defined(session(FRIDAY)), R.CALENDAR_NOT_ORDERED, f"session {FRIDAY} phases"),
    (
        calendar_defined(continuous(10, 10)),
        R.CALENDAR_NOT_ORDERED,
        f"session {FRIDAY} CONTINUOUS end_ns",
    ),
    (
        calendar_defined(continuous(9, 12), continuous(11, 13)),
        R.CALENDAR_NOT_ORDERED,
        f"session {FRIDAY} CONTINUOUS start_ns",
    ),
    (
        calendar_defined(continuous(9, 12, cutoff=10)),
        R.CALENDAR_NOT_ORDERED,
        f"session {FRIDAY} CONTINUOUS cutoff_ns",
    ),
    (
        calendar_defined(session(FRIDAY, phase(K.UNKNOWN, 4, 9), phase(K.CONTINUOUS, 9, 10))),
        R.CALENDAR_NOT_ORDERED,
        f"session {FRIDAY} UNKNOWN kind",
    ),
]


@pytest.mark.parametrize(("definition", "reason", "field"), BAD)
def test_it_is_refused(definition: Any, reason: R, field: str) -> None:
    view = ReferenceView()
    view.apply(calendar_defined(whole_day(FRIDAY, 0)), 0, MIDNIGHT_NS)
    view.apply(instrument_defined(), 0, MIDNIGHT_NS)
    version = view.version
    for effective_ns in (0, 2 * MIDNIGHT_NS):
        changed = _effective(definition, effective_ns)
        with pytest.raises(DecodeError) as refused:
            view.apply(changed, 0, MIDNIGHT_NS)
        assert (refused.value.reason, refused.value.field) == (reason, field)
    assert view.version == version
    assert not view.dated.waiting


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"log_volume_e9": ()}, "log_volume_e9"),
        ({"log_volume_e9": (0, 100_000_000_001)}, "log_volume_e9"),
        ({"a_eta_e9": 1_000_000_001}, "a_eta_e9"),
        ({"a_mu_e9": -1_000_000_001}, "a_mu_e9"),
        ({"var_eta_e9": -1}, "var_eta_e9"),
        ({"var_mu_e9": 2**62}, "var_mu_e9"),
        ({"var_noise_e9": -1}, "var_noise_e9"),
        ({"auction_var_e9": -1}, "auction_var_e9"),
        ({"opening_log_volume_e9": 100_000_000_001}, "opening_log_volume_e9"),
        ({"closing_log_volume_e9": -100_000_000_001}, "closing_log_volume_e9"),
    ],
)
def test_a_volume_curve_whose_estimates_could_get_infinite_is_refused(
    changes: dict[str, Any], field: str
) -> None:
    view = ReferenceView()
    with pytest.raises(DecodeError) as refused:
        view.apply(volume_curve(**changes), 0, MIDNIGHT_NS)
    assert (refused.value.reason, refused.value.field) == (R.PARAMETER_OUT_OF_RANGE, field)
    assert not view.curves


def test_sessions_that_overlap_known_ones_of_other_dates_are_refused() -> None:
    view = ReferenceView()
    view.apply(calendar_defined(whole_day(FRIDAY, 0)), 0, MIDNIGHT_NS)
    over = calendar_defined(session(MONDAY, phase(K.CONTINUOUS, 10, 30)))
    with pytest.raises(DecodeError) as refused:
        view.apply(over, 0, MIDNIGHT_NS)
    assert (refused.value.reason, refused.value.field) == (R.CALENDAR_NOT_ORDERED, "sessions")
    view.apply(calendar_defined(whole_day(FRIDAY, 0), whole_day(MONDAY, 72)), 0, MIDNIGHT_NS)


def _effective(definition: Any, effective_ns: int) -> Any:
    fields = {name: getattr(definition, name) for name in definition.__struct_fields__}
    return type(definition)(**{**fields, "effective_ns": effective_ns})


def test_the_engine_keeps_it_as_a_dead_letter_and_goes_on() -> None:
    host = trading_host()
    messages = host.send(
        topics.CONTROL_COMMANDS, instrument_defined(tick_bands=bands((TICK, 2), (TICK, 2)))
    )
    assert [m.reason for m in messages] == [R.TICK_BANDS_NOT_ORDERED]
    assert host.app.state.reference.instruments[ACME].tick_bands == ()


# price in ticks of 0.01, tick there
@pytest.mark.parametrize(
    ("price", "tick"), [(1, 2), (99, 2), (100, 4), (499, 4), (500, 8), (9999, 8)]
)
def test_the_tick_goes_by_the_price_band(price: int, tick: int) -> None:
    terms = instrument(tick_e9=2, tick_bands=bands((100, 4), (500, 8)))
    assert terms.tick_at(price) == tick


# price, the next on the grid downwards and upwards
@pytest.mark.parametrize(
    ("price", "down", "up"), [(99, 98, 100), (100, 100, 100), (495, 492, 496), (501, 496, 504)]
)
def test_prices_are_brought_to_the_grid(price: int, down: int, up: int) -> None:
    terms = instrument(tick_e9=2, tick_bands=bands((100, 4), (496, 8)))
    assert (terms.floor_to_tick(price), terms.ceil_to_tick(price)) == (down, up)
