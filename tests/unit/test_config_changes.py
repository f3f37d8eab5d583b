"""What a folder would change in a log, each definition at its own instant."""

from pathlib import Path
from typing import Any

import pytest

from schemas.messages.core import Envelope
from services.config.changes import Comparison, compare
from services.config.files import read
from services.config.inforce import InForce
from services.config.problems import ConfigError
from services.config.publish import loaded
from streams.core.envelope import outside_envelope
from tests.support.builders import SECOND, account_defined, venue_defined
from tests.support.calendars import FRIDAY, MONDAY, calendar_defined, whole_day
from tests.unit.test_config_files import ACCOUNT, CALENDAR, INSTRUMENT, REFERENCE, folder

NOW_NS = 1_795_500_000 * SECOND  # after the session of INSTRUMENT
DECEMBER_NS = 1_796_083_200 * SECOND  # 2026-12-01T00:00:00Z
CHANGED = INSTRUMENT.replace('"0.01"', '"0.02"')
LATER = CHANGED + "effective = 2026-12-01T00:00:00Z\n"


def sent(at_ns: int) -> Envelope:
    return outside_envelope(at_ns.to_bytes(16, "big"), at_ns, "test")


class Log:
    """What was published, and when."""

    def __init__(self) -> None:
        self.records: list[tuple[int, Any]] = []

    def in_force(self) -> InForce:
        found = InForce()
        for at_ns, message in self.records:
            found.add(sent(at_ns), message)
        return found

    def diff(self, path: Path, now_ns: int = NOW_NS, effective_ns: int = 0) -> Comparison:
        return compare(read(path), self.in_force(), now_ns, effective_ns)

    def load(self, path: Path, now_ns: int = NOW_NS, effective_ns: int = 0) -> list[str]:
        """Publish what differs; return its labels."""
        changes = self.diff(path, now_ns, effective_ns).changes
        self.records += [(now_ns, change.message) for change in changes]
        return [change.label for change in changes]


def test_loading_the_samples_again_publishes_nothing() -> None:
    log = Log()
    labels = log.load(REFERENCE)
    assert len(labels) == len(set(labels)) + 1, "ACME stands there twice, the second time later"
    assert log.in_force().refused == 0
    for now_ns in (NOW_NS, NOW_NS + SECOND, NOW_NS + 365 * 86_400 * SECOND):
        assert log.load(REFERENCE, now_ns) == []
    assert log.diff(REFERENCE) == Comparison((), (), ())


def test_they_are_published_in_the_order_in_which_they_depend_on_another() -> None:
    log = Log()
    kinds = [label.split()[0] for label in log.load(REFERENCE)]
    order = list(dict.fromkeys(kinds))
    assert order == [
        "SettingsLoaded",
        "CalendarDefined",
        "VenueDefined",
        "ClientDefined",
        "DeskDefined",
        "AccountDefined",
        "InstrumentDefined",
        "CrossingDeclared",
        "PairRestricted",
    ]


def test_only_what_differs_is_published_and_its_fields_are_named(tmp_path: Path) -> None:
    log = Log()
    log.load(folder(tmp_path, instruments=INSTRUMENT, accounts=ACCOUNT))
    folder(tmp_path, instruments=CHANGED)
    (change,) = log.diff(tmp_path).changes
    assert (change.label, change.is_new) == ("InstrumentDefined ACME", False)
    assert [tuple(field) for field in change.fields] == [("tick_e9", 10_000_000, 20_000_000)]
    assert " ".join(change.place) == "instruments.toml instrument 1 ACME"


def test_a_row_with_a_later_instant_waits_and_is_not_loaded_twice(tmp_path: Path) -> None:
    log = Log()
    folder(tmp_path, instruments=INSTRUMENT + LATER)
    assert len(log.load(tmp_path)) == 2
    assert log.load(tmp_path) == []
    assert log.load(tmp_path, DECEMBER_NS) == [], "what came into force is what the files say"
    view = log.in_force().view
    view.advance(DECEMBER_NS - 1)
    assert view.instruments["ACME"].tick_e9 == 10_000_000
    view.advance(DECEMBER_NS)
    assert view.instruments["ACME"].tick_e9 == 20_000_000


def test_of_rows_that_are_due_only_the_newest_is_loaded(tmp_path: Path) -> None:
    log = Log()
    log.load(folder(tmp_path, instruments=INSTRUMENT + LATER), DECEMBER_NS + SECOND)
    (record,) = log.records
    assert (record[1].tick_e9, record[1].effective_ns) == (20_000_000, 0)


def test_an_instant_of_the_load_is_that_of_every_row_without_one(tmp_path: Path) -> None:
    log = Log()
    folder(tmp_path, instruments=INSTRUMENT, accounts=ACCOUNT)
    log.load(tmp_path, effective_ns=NOW_NS + SECOND)
    assert [message.effective_ns for _, message in log.records] == [NOW_NS + SECOND] * 2
    assert log.load(tmp_path, effective_ns=NOW_NS + SECOND) == []
    assert log.load(tmp_path, NOW_NS + 2 * SECOND) == []


def test_what_holds_at_once_cannot_be_loaded_for_later(tmp_path: Path) -> None:
    folder(tmp_path, settings="[engine]\nwindow_ns = 5\n")
    with pytest.raises(ConfigError, match=r"load it apart \[NOT_DATED\]"):
        Log().diff(tmp_path, effective_ns=NOW_NS + SECOND)


def test_what_is_in_no_file_stays_and_is_named(tmp_path: Path) -> None:
    log = Log()
    log.records = [(1, account_defined("A9")), (1, venue_defined()), (1, calendar_defined())]
    comparison = log.diff(folder(tmp_path, accounts=ACCOUNT, calendars=CALENDAR))
    absent = comparison.absent
    assert absent == ("AccountDefined A9",), "of venues there is no file, and X is in one"


def test_what_waits_in_the_log_and_is_not_wanted_is_named(tmp_path: Path) -> None:
    log = Log()
    log.load(folder(tmp_path, instruments=INSTRUMENT + LATER))
    folder(tmp_path, instruments=INSTRUMENT)
    assert log.diff(tmp_path).waiting == (("InstrumentDefined ACME", DECEMBER_NS),)


def test_a_calendar_is_compared_by_its_dates_whatever_its_chunks(tmp_path: Path) -> None:
    folder(tmp_path, calendars=CALENDAR)
    log = Log()
    (label,) = log.load(tmp_path)
    assert label == "CalendarDefined X/20260306..20260309"
    folder(tmp_path, calendars=CALENDAR.replace("16:00", "13:00", 1))
    (change,) = log.diff(tmp_path).changes
    assert [field.name for field in change.fields] == ["session 20260306", "session 20260309"]
    folder(tmp_path, calendars=CALENDAR.replace("last_date = 2026-03-09", "last_date = 2026-03-12"))
    assert log.load(tmp_path) == ["CalendarDefined X/20260311..20260312"]
    assert log.load(tmp_path) == []


def test_a_change_that_an_engine_would_refuse_is_not_published(tmp_path: Path) -> None:
    log = Log()
    log.load(folder(tmp_path, instruments=INSTRUMENT))
    folder(tmp_path, instruments=INSTRUMENT.replace("USD", "EUR"))
    with pytest.raises(ConfigError) as refused:
        log.diff(tmp_path)
    (problem,) = refused.value.problems
    assert (problem.code, problem.field) == ("CURRENCY_MISMATCH", "currency")
    assert (problem.value, problem.bound) == ("EUR", "USD")


def test_a_refused_record_of_the_log_is_not_in_force() -> None:
    log = Log()
    overlaps = calendar_defined(whole_day(MONDAY, 0))
    log.records = [(1, calendar_defined(whole_day(FRIDAY, 0))), (2, overlaps)]
    log.records.append((3, account_defined("")))
    found = log.in_force()
    assert found.refused == 2
    assert [message.first_date for message in found.messages()] == [FRIDAY]


def test_the_event_of_a_load_holds_every_hash(tmp_path: Path) -> None:
    path = folder(tmp_path, instruments=INSTRUMENT, accounts=ACCOUNT)
    configuration = read(path)
    changes = compare(configuration, InForce(), NOW_NS).changes
    event = loaded(configuration, [change.message for change in changes], 7)
    assert (event.content_count, event.effective_ns) == (2, 7)
    assert [(d.kind, d.subject) for d in event.definitions] == [
        ("AccountDefined", "A1"),
        ("InstrumentDefined", "ACME"),
    ]
    folder(tmp_path, accounts=ACCOUNT + "is_house = true\n")
    other = loaded(read(path), [], 7)
    assert other.content_sha256 != event.content_sha256
