"""From prints to days to a curve: bins, auctions, half days, the archive, and refusals."""

from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas.messages.core import Envelope, PrintKind
from schemas.messages.market import TradePrinted
from services.volumemodel.archive import ArchiveError, read, write
from services.volumemodel.days import Day, History, merged
from services.volumemodel.fitting import FittingError, fit, shape_of
from services.volumemodel.sessions import Session, Sessions
from streams.core.envelope import outside_envelope
from streams.models.volume import forecast_day
from tests.support.builders import (
    ACME,
    CLOSE_NS,
    MINUTE,
    OPEN_NS,
    SECOND,
    TRADE_DATE,
    instrument_defined,
)
from tests.support.prints import printed
from tests.support.shared import shared

BIN = 10 * MINUTE
PHI = (0.6, -0.1, -0.3, -0.3, -0.1, 0.2)
NEXT = Session(0, OPEN_NS, CLOSE_NS, 0, TRADE_DATE + 1)


def envelope(at_ns: int) -> Envelope:
    return outside_envelope(bytes(16), at_ns, "feed")


def at(at_ns: int, message: TradePrinted) -> tuple[Any, TradePrinted]:
    return envelope(at_ns), message


def counted(*prints: tuple[Any, TradePrinted]) -> list[Day]:
    history = History(Sessions([(envelope(0), instrument_defined())]), BIN)
    for print_envelope, message in prints:
        history.add(print_envelope, message)
    return history.days()


def simulated(days: int, seed: int = 4, **changes: Any) -> list[Day]:
    random, level, found = Random(seed), 12.0, []
    for number in range(days):
        level += random.gauss(0, 0.15)
        volumes = [round(exp(level + phi + random.gauss(0, 0.2))) for phi in PHI]
        closing = round(exp(level - 0.5 + random.gauss(0, 0.1)))
        found.append(Day(ACME, TRADE_DATE - days + number, BIN, tuple(volumes), 0, closing))
    return [day._replace(**changes) for day in found]


def test_prints_are_counted_by_bin_and_auctions_apart() -> None:
    (day,) = counted(
        at(OPEN_NS - SECOND, printed(900, kind=PrintKind.AUCTION)),
        at(OPEN_NS + SECOND, printed(100, own_quantity=40)),
        at(OPEN_NS + BIN, printed(50, kind=PrintKind.REGULAR)),
        at(OPEN_NS + BIN, printed(70, kind=PrintKind.OFF_BOOK)),
        at(CLOSE_NS + MINUTE, printed(800, kind=PrintKind.AUCTION)),
        at(CLOSE_NS + MINUTE, printed(5)),
    )
    assert (day.trade_date, day.volumes) == (TRADE_DATE, (60, 50, 0, 0, 0, 0))
    assert (day.opening, day.closing) == (900, 800)


def test_what_is_outside_every_session_is_of_no_day() -> None:
    assert counted(at(OPEN_NS - 5 * 60 * MINUTE, printed(900))) == []
    assert counted(at(OPEN_NS, printed(900, instrument_id="OTHER"))) == []


def test_the_archive_keeps_days_and_takes_the_newer_count(tmp_path: Path) -> None:
    days = simulated(3)
    write(tmp_path, days)
    other = days[1]._replace(instrument_id="OTHER")
    more = days[1]._replace(volumes=(9, 9, 9, 9, 9, 9))
    files = write(tmp_path, [other, more])
    assert [path.name for path in files] == [f"{days[1].trade_date}.volumes.json"]
    assert merged(read(tmp_path)) == merged([*days, other, more])


@pytest.mark.parametrize("text", ["{", '{"instruments": [{"a": 1}]}', '{"instruments": [1]}', "[]"])
def test_a_file_that_is_no_day_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "20260101.volumes.json").write_text(text)
    with pytest.raises(ArchiveError, match="20260101"):
        read(tmp_path)


def test_the_curve_of_the_next_session_stands_at_the_level_of_the_last_days() -> None:
    days = simulated(40)
    curve = fit(days, NEXT).curve
    assert (curve.first_bin_ns, curve.bin_ns, curve.days) == (OPEN_NS, BIN, 40)
    assert curve.model == f"em-log-volume/1 {days[0].trade_date}-{days[-1].trade_date}"
    recent = sum(sum(day.volumes) for day in days[-3:]) / 3
    expected = forecast_day(curve, (), 0)
    assert sum(expected.volumes) == pytest.approx(recent, rel=0.35)
    assert expected.closing == pytest.approx(sum(d.closing for d in days[-3:]) / 3, rel=0.35)
    assert curve.opening_log_volume_e9 is None and expected.opening == 0
    shape = [value / 1e9 - curve.log_volume_e9[0] / 1e9 for value in curve.log_volume_e9]
    assert shape == pytest.approx([phi - PHI[0] for phi in PHI], abs=0.15)


def test_a_fit_is_worth_more_than_the_average_curve() -> None:
    found = fit(simulated(40), NEXT)
    assert found.error < found.static_error


def test_half_days_are_left_out() -> None:
    days = simulated(10)
    short = days[4]._replace(volumes=days[4].volumes[:3], is_half_day=True)
    curve = fit([*days[:4], short, *days[5:]], NEXT).curve
    assert curve.days == 9


@pytest.mark.parametrize("days", [[], simulated(1), [Day(ACME, 1, BIN, (0,) * 6)] * 3])
def test_too_few_days_are_refused(days: Sequence[Day]) -> None:
    with pytest.raises(FittingError, match="at least 2"):
        fit(days, NEXT)


def test_days_of_different_bins_are_refused() -> None:
    days = simulated(4)
    with pytest.raises(FittingError, match="different bins"):
        fit([*days[:3], days[3]._replace(bin_ns=MINUTE)], NEXT)


def test_one_day_takes_its_shape_from_measured_curves() -> None:
    facts = shared("facts/us_equity_volume_curves.json")
    shape = shape_of(facts, "IBM", 6)
    assert sum(exp(part) for part in shape) == pytest.approx(1, abs=1e-3)
    curve = fit(simulated(1), NEXT, shape).curve
    steps = [value / 1e9 - curve.log_volume_e9[0] / 1e9 for value in curve.log_volume_e9]
    assert steps == pytest.approx([part - shape[0] for part in shape], abs=1e-6)
    with pytest.raises(FittingError, match="no curve of NOSUCH"):
        shape_of(facts, "NOSUCH", 6)


def test_a_shape_is_resampled_to_any_number_of_bins() -> None:
    facts = shared("facts/us_equity_volume_curves.json")
    whole = {bins: sum(exp(part) for part in shape_of(facts, "IBM", bins)) for bins in (5, 78, 390)}
    assert list(whole.values()) == pytest.approx([whole[78]] * 3)
    assert log(whole[78]) == pytest.approx(0, abs=1e-3)


def test_the_next_session_is_the_calendars() -> None:
    later = instrument_defined(
        session_open_ns=OPEN_NS + 24 * 60 * MINUTE,
        session_close_ns=CLOSE_NS + 24 * 60 * MINUTE,
        trade_date=TRADE_DATE + 1,
    )
    sessions = Sessions([(envelope(0), instrument_defined()), (envelope(1), later)])
    following = sessions.after(ACME, TRADE_DATE)
    assert following is not None and following.trade_date == TRADE_DATE + 1
    assert sessions.after(ACME, TRADE_DATE + 5) == following
    assert sessions.after("OTHER", TRADE_DATE) is None
