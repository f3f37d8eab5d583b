"""Files of configuration: exact numbers, and every problem with its place, field and bound."""

from decimal import Decimal
from pathlib import Path

import pytest

from schemas.messages.control import (
    AccountDefined,
    CalendarDefined,
    InstrumentDefined,
    SettingsLoaded,
    VenueDefined,
)
from services.config.canonical import canonical, hash_of
from services.config.changes import check
from services.config.decimals import E9, number_of, units
from services.config.files import Configuration, read
from services.config.problems import ConfigError, Problem
from streams.core.errors import OffGridError
from streams.shard.reference import ReferenceView

REFERENCE = Path(__file__).parents[2] / "infra" / "reference"
INSTRUMENT = """
[[instrument]]
instrument_id = "ACME"
currency = "USD"
tick = "0.01"
lot = "1"
maximum_quantity = "1000"
session_open = 2026-11-23T14:30:00Z
session_close = 2026-11-23T21:00:00Z
trade_date = 20261123
"""
ACCOUNT = '[[account]]\naccount_id = "A1"\nclient_id = "C1"\ntenant = "T1"\n'
CALENDAR = """
[[calendar]]
calendar_id = "X"
time_zone = "America/New_York"
first_date = 2026-03-06
last_date = 2026-03-09
[[calendar.pattern]]
trade_dates = [2026-03-06, 2026-03-09]
[[calendar.pattern.phase]]
kind = "CONTINUOUS"
start = 09:30:00
end = 16:00:00
"""


def folder(path: Path, **files: str) -> Path:
    """Write files by name; `_csv` at the end of a name stands for the suffix."""
    for name, text in files.items():
        stem, _, suffix = name.partition("_")
        (path / f"{stem}.{suffix or 'toml'}").write_text(text)
    return path


def messages(configuration: Configuration) -> list[object]:
    return [definition.message for definition in configuration.definitions]


def problems(path: Path, **files: str) -> list[Problem]:
    with pytest.raises(ConfigError) as refused:
        check(read(folder(path, **files)))
    return refused.value.problems


def test_the_samples_add_up() -> None:
    configuration = read(REFERENCE)
    check(configuration)
    kinds = {type(message).__name__ for message in messages(configuration)}
    assert kinds >= {
        "AccountDefined",
        "CalendarDefined",
        "ClientDefined",
        "CrossingDeclared",
        "DeskDefined",
        "InstrumentDefined",
        "PairRestricted",
        "SettingsLoaded",
        "VenueDefined",
    }


def test_the_sample_of_a_night_session_is_dated_the_next_day() -> None:
    """New York is five hours behind: the night of Monday is from Monday 02:00 to 09:00 UTC."""
    view = ReferenceView()
    for message in messages(read(REFERENCE)):
        view.apply(message, 1, 1)
    hour_ns, midnight_ns = 3_600 * E9, 1_795_996_800 * E9  # of Monday 2026-11-30, UTC
    found = []
    for hour in (-30, 1, 2, 8, 9, 24, 26):
        terms, _ = view.instrument("GLOBEX", midnight_ns + hour * hour_ns)
        assert terms is not None
        is_open = terms.session_open_ns <= midnight_ns + hour * hour_ns
        found.append((terms.trade_date, is_open, (terms.session_open_ns - midnight_ns) // hour_ns))
    assert found == [
        (20261130, False, 2),  # on the weekend the next is Monday's night
        (20261130, False, 2),
        (20261130, True, 2),
        (20261130, True, 2),
        (20261130, True, 9),  # its day session
        (20261130, True, 9),
        (20261201, True, 26),  # and the night of Tuesday
    ]
    exchange = view.calendars["XNYS"]
    assert exchange.settlement_date(20261125, 1) == 20261127, "over Thanksgiving"


def test_decimals_become_integers_exactly(tmp_path: Path) -> None:
    coin = INSTRUMENT.replace('tick = "0.01"', 'tick = "0.000002"').replace(
        'lot = "1"', 'lot = "0.00001"\nquantity_scale = 100000'
    )
    (found,) = messages(read(folder(tmp_path, instruments=coin.replace("0.000002", "0.0002"))))
    assert isinstance(found, InstrumentDefined)
    assert (found.tick_e9, found.lot, found.maximum_quantity) == (200_000, 1, 100_000_000)
    assert found.session_open_ns == 1_795_444_200 * E9


# value, scale, units; None where there is no whole number of them
@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        ("0.01", E9, 10_000_000),
        ("-0.0006", E9, -600_000),
        ("0.000000001", E9, 1),
        ("1e-9", E9, 1),
        ("12345678901234567890.123456789", E9, 12345678901234567890123456789),
        ("0.0000000001", E9, None),
        ("0.5", 1, None),
        ("NaN", E9, None),
        ("Infinity", E9, None),
        ("1.0000000000000000000000000000000000000000000000000000000000001", E9, None),
    ],
)
def test_units_are_exact_or_off_grid(value: str, scale: int, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(OffGridError):
            units("tick", Decimal(value), scale)
        return
    assert units("tick", Decimal(value), scale) == expected
    assert Decimal(number_of(expected, scale)) == Decimal(value)


def test_csv_says_the_same_as_toml(tmp_path: Path) -> None:
    head = "instrument_id,currency,tick,lot,maximum_quantity,session_open,session_close,trade_date"
    times = "2026-11-23T14:30:00Z,2026-11-23T21:00:00Z,20261123"
    lines = f"{head},tick_bands,effective\nACME,USD,0.01,1,1000,{times},,\n"
    (tmp_path / "toml").mkdir()
    (tmp_path / "csv").mkdir()
    (by_csv,) = messages(read(folder(tmp_path / "csv", instruments_csv=lines)))
    (by_toml,) = messages(read(folder(tmp_path / "toml", instruments=INSTRUMENT)))
    assert by_csv == by_toml
    assert hash_of(by_csv) == hash_of(by_toml)


def test_cells_hold_lists(tmp_path: Path) -> None:
    found = messages(read(REFERENCE))
    hooli = next(m for m in found if isinstance(m, InstrumentDefined) and m.symbol == "Hooli")
    assert [(band.from_price_e9, band.tick_e9) for band in hooli.tick_bands] == [(E9, 10_000_000)]
    desks = [m.desk_ids for m in found if isinstance(m, AccountDefined)]
    assert desks == [("CASH",), ("CASH", "DIGITAL"), ("CASH",), ()]


def test_a_row_may_have_an_instant_of_its_own(tmp_path: Path) -> None:
    later = INSTRUMENT.replace('"0.01"', '"0.02"') + "effective = 2026-12-01T00:00:00Z\n"
    found = messages(read(folder(tmp_path, instruments=INSTRUMENT + later)))
    assert [m.effective_ns for m in found if isinstance(m, InstrumentDefined)] == [
        0,
        1_796_083_200 * E9,
    ]


def test_local_times_follow_the_clock_change(tmp_path: Path) -> None:
    """New York changes to summer time on 2026-03-08: the session starts an hour of UTC earlier."""
    found = [m for m in messages(read(folder(tmp_path, calendars=CALENDAR))) if m]
    sessions = [s for m in found if isinstance(m, CalendarDefined) for s in m.sessions]
    hours = [session.phases[0].start_ns // (3_600 * E9) % 24 for session in sessions]
    assert hours == [14, 13]


def test_a_calendar_is_cut_at_fixed_days_whatever_its_range(tmp_path: Path) -> None:
    text = CALENDAR.replace("first_date = 2026-03-06", "first_date = 2026-02-15").replace(
        "last_date = 2026-03-09", "last_date = 2026-03-24"
    )
    found = messages(read(folder(tmp_path, calendars=text)))
    ranges = [(m.first_date, m.last_date) for m in found if isinstance(m, CalendarDefined)]
    assert ranges == [
        (20260215, 20260220),
        (20260221, 20260228),
        (20260301, 20260310),
        (20260311, 20260320),
        (20260321, 20260324),
    ]


def test_settlement_days_are_the_sessions_but_for_bank_holidays(tmp_path: Path) -> None:
    text = CALENDAR.replace(
        "[[calendar.pattern]]\n", "no_settlement_dates = [2026-03-09]\n[[calendar.pattern]]\n"
    )
    (found,) = messages(read(folder(tmp_path, calendars=text)))
    assert isinstance(found, CalendarDefined)
    assert found.settlement_dates == (20260306,)


def test_the_canonical_text_leaves_the_instant_out() -> None:
    venue = next(m for m in messages(read(REFERENCE)) if isinstance(m, VenueDefined))
    assert canonical(venue).startswith('{"calendar_id":"","cancel_after_ns":0,"fee_tiers":[')
    assert "effective_ns" not in canonical(venue)


def test_settings_are_read_by_their_context(tmp_path: Path) -> None:
    (found,) = messages(read(folder(tmp_path, settings="[engine]\nwindow_ns = 5\n")))
    assert isinstance(found, SettingsLoaded)
    assert found.content == '{"window_ns":5}'


# what stands in which file; code, place, field, value, bound (a part of it)
BAD = {
    "a float": (
        {"instruments": INSTRUMENT.replace('"0.01"', "0.01")},
        ("VALUE_ERROR", "instruments.toml instrument 1 ACME", "tick", "0.01", "as text"),
    ),
    "off the grid": (
        {"instruments": INSTRUMENT.replace('"0.01"', '"0.0000000001"')},
        ("OFF_GRID", "instruments.toml instrument 1 ACME", "tick", "1E-10", "0.000000001"),
    ),
    "half a share": (
        {"instruments": INSTRUMENT.replace('lot = "1"', 'lot = "0.5"')},
        ("OFF_GRID", "instruments.toml instrument 1 ACME", "lot", "0.5", "a multiple of 1"),
    ),
    "an odd tick": (
        {"instruments": INSTRUMENT.replace('"0.01"', '"0.000000003"')},
        ("PRICE_OFF_TICK", "instruments.toml instrument 1 ACME", "tick_e9", "3", "even"),
    ),
    "bands in disorder": (
        {
            "instruments": INSTRUMENT.replace(
                'lot = "1"',
                'lot = "1"\ntick_bands = [{ from_price = "5", tick = "0.01" }, '
                '{ from_price = "1", tick = "0.02" }]',
            )
        },
        (
            "TICK_BANDS_NOT_ORDERED",
            "instruments.toml instrument 1 ACME",
            "tick_bands.from_price_e9",
            "1000000000",
            "above 5000000000",
        ),
    ),
    "a field that is missing": (
        {"accounts": '[[account]]\naccount_id = "A1"\ntenant = "T1"\n'},
        ("MISSING", "accounts.toml account 1 A1", "client_id", "", "Field required"),
    ),
    "a field too many": (
        {"accounts": ACCOUNT + "colour = 1\n"},
        ("EXTRA_FORBIDDEN", "accounts.toml account 1 A1", "colour", "1", "not permitted"),
    ),
    "no truth": (
        {"accounts": ACCOUNT + 'is_house = "perhaps"\n'},
        ("BOOL_PARSING", "accounts.toml account 1 A1", "is_house", "perhaps", "boolean"),
    ),
    "an empty id": (
        {"accounts": ACCOUNT.replace('"A1"', '""')},
        ("FIELD_EMPTY", "accounts.toml account 1", "account_id", "", "1 to 64 characters"),
    ),
    "an unknown kind of venue": (
        {"venues": '[[venue]]\nvenue_id = "V"\nkind = "GREY"\n'},
        ("LITERAL_ERROR", "venues.toml venue 1 V", "kind", "GREY", "'LIT', 'DARK' or 'ATS'"),
    ),
    "a session and a calendar": (
        {"instruments": INSTRUMENT + 'calendar_id = "X"\n'},
        ("VALUE_ERROR", "instruments.toml instrument 1 ACME", "", "", "either calendar_id or"),
    ),
    "no session": (
        {"instruments": INSTRUMENT.replace("trade_date = 20261123", "")},
        ("VALUE_ERROR", "instruments.toml instrument 1 ACME", "", "", "calendar_id, or"),
    ),
    "an unknown calendar": (
        {"instruments": INSTRUMENT + 'settlement_calendar_id = "Y"\n'},
        (
            "UNKNOWN_CALENDAR",
            "instruments.toml instrument 1 ACME",
            "settlement_calendar_id",
            "Y",
            "defined calendars",
        ),
    ),
    "a date without zone": (
        {"instruments": INSTRUMENT + "effective = 2026-12-01T00:00:00\n"},
        ("VALUE_ERROR", "instruments.toml instrument 1 ACME", "effective", "2026-12-01", "zone"),
    ),
    "twice the same": (
        {"accounts": ACCOUNT + ACCOUNT},
        (
            "DUPLICATE_SUBJECT",
            "accounts.toml account 2 A1",
            "AccountDefined A1",
            "",
            "accounts.toml account 1 A1",
        ),
    ),
    "a client that is not registered": (
        {"accounts": ACCOUNT, "clients": '[[client]]\nclient_id = "C2"\ntenant = "T1"\n'},
        ("UNKNOWN_CLIENT", "accounts.toml account 1 A1", "client_id", "C1", "tenant T1"),
    ),
    "a desk that is not registered": (
        {
            "accounts": ACCOUNT + 'desk_ids = ["D1"]\n',
            "desks": '[[desk]]\ndesk_id = "D2"\ntenant = "T1"\n',
        },
        ("UNKNOWN_DESK", "accounts.toml account 1 A1", "desk_ids", "D1", "tenant T1"),
    ),
    "no TOML": (
        {"accounts": "[[account"},
        ("NOT_READABLE", "accounts.toml", "", "", "Expected"),
    ),
    "another table": (
        {"accounts": '[[acount]]\naccount_id = "A1"\n'},
        ("UNKNOWN_TABLE", "accounts.toml", "", "", "[[account]]"),
    ),
    "one table": (
        {"accounts": '[account]\naccount_id = "A1"\n'},
        ("UNKNOWN_TABLE", "accounts.toml", "", "", "write [[account]]"),
    ),
    "another file": (
        {"acounts": ACCOUNT},
        ("UNKNOWN_FILE", "acounts.toml", "", "", "accounts"),
    ),
    "a file that may not be CSV": (
        {"venues_csv": "venue_id\nV\n"},
        ("UNKNOWN_FILE", "venues.csv", "", "", "not among"),
    ),
    "a line too long": (
        {"accounts_csv": "account_id,client_id,tenant\nA1,C1,T1,more\n"},
        ("EXTRA_FORBIDDEN", "accounts.csv line 2 A1", "", "", "not permitted"),
    ),
    "a cell off the grid": (
        {
            "instruments_csv": "instrument_id,currency,tick,lot,maximum_quantity,calendar_id\n"
            "ACME,USD,0.01,1.5,100,X\n"
        },
        ("OFF_GRID", "instruments.csv line 2 ACME", "lot", "1.5", "a multiple of 1"),
    ),
    "settings of nobody": (
        {"settings": "[engines]\nwindow_ns = 5\n"},
        ("VALUE_ERROR", "settings.toml engines", "", "", "settings of engine"),
    ),
    "settings that are none": (
        {"settings": "[engine]\nwindows = 5\n"},
        ("VALUE_ERROR", "settings.toml engine", "", "", "windows"),
    ),
    "a time zone of nowhere": (
        {"calendars": CALENDAR.replace("New_York", "Nowhere")},
        ("VALUE_ERROR", "calendars.toml calendar 1 X", "", "", "no time zone known here"),
    ),
    "a time that the clock skips": (
        {"calendars": CALENDAR.replace("2026-03-09]", "2026-03-08]").replace("09:30", "02:30")},
        ("VALUE_ERROR", "calendars.toml calendar 1 X", "", "", "does not exist"),
    ),
    "a date outside the range": (
        {"calendars": CALENDAR.replace("2026-03-09]", "2026-03-10]")},
        ("VALUE_ERROR", "calendars.toml calendar 1 X", "", "", "outside 2026-03-06..2026-03-09"),
    ),
    "sessions that overlap": (
        {"calendars": CALENDAR.replace("[2026-03-06, 2026-03-09]", "[2026-03-06, 2026-03-06]")},
        (
            "CALENDAR_NOT_ORDERED",
            "calendars.toml calendar 1 X",
            "session 20260306 CONTINUOUS start_ns",
            "",
            ">=",
        ),
    ),
    "nothing at all": ({}, ("NO_FILES", "", "", "", "none of")),
}


@pytest.mark.parametrize("name", BAD)
def test_a_problem_says_where_what_and_why(name: str, tmp_path: Path) -> None:
    files, (code, place, field, value, bound) = BAD[name]
    (found,) = problems(tmp_path, **files)
    assert found.code == code
    assert place in " ".join(found.place)
    assert (found.field, value in found.value, bound in found.bound) == (field, True, True)
    assert f"[{code}]" in str(found)


def test_every_problem_is_told_and_not_only_the_first(tmp_path: Path) -> None:
    wrong = INSTRUMENT.replace('"0.01"', "0.01").replace('"ACME"', '"B"')
    found = problems(tmp_path, instruments=INSTRUMENT + wrong, accounts="[[account]]\n")
    assert [problem.code for problem in found] == ["MISSING", "MISSING", "MISSING", "VALUE_ERROR"]
