"""The session in force: several a day, over midnight, half-days, lunch, auctions, none known."""

from typing import Any

import pytest

from schemas.messages.core import PhaseKind as K
from streams.core.calendar import NEVER_NS, Calendar
from streams.core.market import Instrument
from streams.shard.reference import ReferenceView
from tests.support.builders import ACME, instrument_defined
from tests.support.calendars import (
    FRIDAY,
    HOUR,
    MIDNIGHT_NS,
    MONDAY,
    TUESDAY,
    calendar_defined,
    phase,
    session,
    whole_day,
)


def at(view: ReferenceView, hour: float) -> Instrument:
    terms, _ = view.instrument(ACME, MIDNIGHT_NS + int(hour * HOUR))
    assert terms is not None
    return terms


def view_of(*definitions: Any) -> ReferenceView:
    view = ReferenceView()
    for definition in definitions:
        view.apply(definition, 0, 0)
    view.apply(instrument_defined(calendar_id="X"), 0, 0)
    return view


def hours(*instants_ns: int) -> list[float]:
    return [(instant - MIDNIGHT_NS) / HOUR if instant else 0 for instant in instants_ns]


# hour, phase, trade date, is it an auction, is trading continuous
DAY = [
    (3, K.UNKNOWN, FRIDAY, False, False),
    (4, K.PRE_OPEN, FRIDAY, False, False),
    (9, K.OPENING_AUCTION, FRIDAY, True, False),
    (9.5, K.CONTINUOUS, FRIDAY, False, True),
    (12, K.LUNCH, FRIDAY, False, False),
    (13, K.CONTINUOUS, FRIDAY, False, True),
    (16, K.CLOSING_AUCTION, FRIDAY, True, False),
    (16.25, K.POST, FRIDAY, False, False),
    (20, K.UNKNOWN, MONDAY, False, False),
    (48, K.UNKNOWN, MONDAY, False, False),
    (81.5, K.CONTINUOUS, MONDAY, False, True),
]


@pytest.mark.parametrize(("hour", "kind", "trade_date", "is_auction", "is_continuous"), DAY)
def test_the_phase_follows_the_clock(
    hour: float, kind: K, trade_date: int, is_auction: bool, is_continuous: bool
) -> None:
    terms = at(view_of(calendar_defined()), hour)
    assert (terms.phase, terms.trade_date) == (kind, trade_date)
    assert (terms.is_auction, terms.is_continuous) == (is_auction, is_continuous)


def test_open_close_and_cutoffs_come_from_the_phases() -> None:
    terms = at(view_of(calendar_defined()), 10)
    assert hours(terms.session_open_ns, terms.session_close_ns) == [9.5, 16]
    assert hours(terms.entry_open_ns, terms.next_open_ns) == [4, 81.5]
    assert hours(terms.open_cutoff_ns, terms.close_cutoff_ns) == [9.25, 16.25]
    assert hours(terms.closing_auction_end_ns) == [16.25]
    assert not terms.is_half_day


def test_a_half_day_closes_early_and_after_the_last_one_nothing_is_known() -> None:
    view = view_of(calendar_defined())
    monday = at(view, 72 + 10)
    assert monday.is_half_day
    assert hours(monday.session_close_ns, monday.next_open_ns) == [72 + 14, 0]
    nothing = at(view, 72 + 20)
    assert (nothing.session_open_ns, nothing.session_close_ns, nothing.trade_date) == (0, 0, 0)
    assert not nothing.is_continuous


def test_a_night_session_is_dated_the_next_day() -> None:
    night = session(MONDAY, phase(K.CONTINUOUS, 21, 28), name="night")
    day = session(MONDAY, phase(K.CONTINUOUS, 72 + 4, 72 + 20), name="day")
    view = view_of(calendar_defined(night, day))
    assert [at(view, hour).trade_date for hour in (22, 26, 30, 72 + 5)] == [MONDAY] * 4
    assert [at(view, hour).is_continuous for hour in (22, 26, 30, 72 + 5)] == [
        True, True, False, True,
    ]  # fmt: skip
    first = at(view, 23.5)
    assert hours(first.session_open_ns, first.session_close_ns, first.next_open_ns) == [21, 28, 76]


def test_terms_hold_until_the_next_boundary() -> None:
    view = view_of(calendar_defined())
    bounds = [4, 9, 9.5, 12, 13, 16, 16.25, 20]
    for start, end in zip([3, *bounds], bounds, strict=False):
        _, until_ns = view.instrument(ACME, MIDNIGHT_NS + int(start * HOUR))
        assert hours(until_ns) == [end]
    assert view.instrument(ACME, MIDNIGHT_NS + 200 * HOUR)[1] == NEVER_NS


def test_a_later_chunk_replaces_its_trade_dates_only() -> None:
    whole = calendar_defined(whole_day(MONDAY, 72))
    view = view_of(calendar_defined(), whole)
    assert not at(view, 72 + 10).is_half_day
    assert at(view, 10).trade_date == FRIDAY


def test_of_two_chunks_of_one_instant_the_later_is_on_top() -> None:
    half = calendar_defined(whole_day(FRIDAY, 0, close=14), effective_ns=10)
    whole = calendar_defined(whole_day(FRIDAY, 0), whole_day(MONDAY, 72), effective_ns=10)
    for first, second, is_half_day in ((half, whole, False), (whole, half, True)):
        view = ReferenceView()
        for definition in (first, second, instrument_defined(calendar_id="X")):
            view.apply(definition, 30, 30)
        assert at(view, 10).is_half_day == is_half_day


def test_an_ad_hoc_closure_takes_a_session_away() -> None:
    closure = calendar_defined(
        first_date=FRIDAY, last_date=FRIDAY, sessions=(), settlement_dates=()
    )
    assert at(view_of(calendar_defined(), closure), 10).trade_date == MONDAY


def test_a_calendar_word_of_a_later_instant_stays_on_top_whenever_it_was_read() -> None:
    half = calendar_defined(whole_day(FRIDAY, 0, close=14), effective_ns=20)
    whole = calendar_defined(whole_day(FRIDAY, 0), effective_ns=10)
    views = [ReferenceView(), ReferenceView()]
    for view, order in zip(views, ([half, whole], [whole, half]), strict=True):
        for definition in order:
            view.apply(definition, 30, 30)
        view.apply(instrument_defined(calendar_id="X"), 30, 30)
    assert [at(view, 10).is_half_day for view in views] == [True, True]


def test_settlement_counts_business_days() -> None:
    calendar = Calendar()
    calendar.put(calendar_defined(settlement_dates=(FRIDAY, MONDAY, TUESDAY)), 0)
    dates = [calendar.settlement_date(FRIDAY, days) for days in range(4)]
    assert dates == [FRIDAY, MONDAY, TUESDAY, None]
    assert calendar.settlement_date(20241005, 0) == MONDAY
    assert calendar.settlement_date(20241005, 1) == TUESDAY
    assert calendar.settlement_date(20241001, 1) is None


def test_an_instrument_without_a_calendar_keeps_its_own_session() -> None:
    view = ReferenceView()
    view.apply(instrument_defined(), 0, 0)
    terms, until_ns = view.instrument(ACME, 0)
    assert terms is not None
    defined = instrument_defined()
    assert terms.session_open_ns == defined.session_open_ns
    assert terms.trade_date == defined.trade_date
    assert (terms.is_continuous, until_ns) == (True, NEVER_NS)
