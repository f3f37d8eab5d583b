"""For any definitions and instants: what is in force is what a naive reading of the log says."""

from typing import Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.control import CalendarDefined, InstrumentDefined
from schemas.messages.core import PhaseKind, Session, SessionPhase
from streams.core.errors import DecodeError
from streams.core.market import Instrument
from streams.shard.reference import ReferenceView
from tests.support.builders import instrument_defined

DAY = 100  # of these tests, ns; trade date d lies about d * DAY
FIRST_DATE = 20240101
DATES = 12
ENDS_NS = DAY * (DATES + 2)


class Read(NamedTuple):
    """A definition as the log has it, and when this engine read it."""

    message: Any
    sent_ns: int
    at_ns: int


def _session(day: int, offset: int, cuts: list[int]) -> Session:
    """Return a session of day `day`, apart from those of other days whatever its offset."""
    bounds = [day * DAY + 1 + offset + cut for cut in cuts]
    kinds = (PhaseKind.PRE_OPEN, PhaseKind.CONTINUOUS, PhaseKind.LUNCH, PhaseKind.CONTINUOUS)
    phases = [
        SessionPhase(kind=kind, start_ns=start, end_ns=end)
        for kind, start, end in zip(kinds, bounds, bounds[1:], strict=False)
    ]
    return Session(trade_date=FIRST_DATE + day, phases=tuple(phases))


@st.composite
def chunks(draw: st.DrawFn) -> CalendarDefined:
    first = draw(st.integers(0, DATES - 1))
    last = draw(st.integers(first, min(DATES - 1, first + 3)))
    sessions = [
        _session(day, draw(st.integers(0, 40)), sorted(draw(cuts)))
        for day in range(first, last + 1)
        if draw(st.booleans())
    ]
    return CalendarDefined(
        calendar_id=draw(st.sampled_from(["X", "Y"])),
        first_date=FIRST_DATE + first,
        last_date=FIRST_DATE + last,
        sessions=tuple(sessions),
        effective_ns=draw(instants),
    )


cuts = st.lists(st.integers(0, 50), min_size=3, max_size=5, unique=True)
# Of a coarse grid, so that instants meet.
instants = st.just(0) | st.integers(1, ENDS_NS // 50).map(lambda step: 50 * step)
shares = st.builds(
    lambda name, tick, calendar, effective_ns: instrument_defined(
        instrument_id=name, tick_e9=2 * tick, calendar_id=calendar, effective_ns=effective_ns
    ),
    st.sampled_from(["A", "B"]),
    st.integers(1, 50),
    st.sampled_from(["", "X", "Y"]),
    instants,
)


@st.composite
def logs(draw: st.DrawFn) -> list[Read]:
    at_ns, found = 0, []
    for message in draw(st.lists(chunks() | shares, max_size=14)):
        at_ns += 25 * draw(st.integers(0, 4))
        sent_ns = max(0, at_ns - 25 * draw(st.integers(-8, 4)))
        found.append(Read(message, sent_ns, at_ns))
    return found


class Ranked(NamedTuple):
    rank_ns: int
    order: int
    is_stated: bool
    message: Any


class Naive:
    """Every definition ever read, in a list: each question looks at all of them."""

    def __init__(self) -> None:
        self.read: list[Ranked] = []
        self.at_once: dict[tuple[type[Any], str], int] = {}

    def add(self, read: Read) -> None:
        message = read.message
        rank_ns = message.effective_ns or min(read.sent_ns, read.at_ns)
        if not message.effective_ns:
            rank_ns = max(rank_ns, self._former_at_once(message, read.at_ns))
        is_stated = bool(message.effective_ns)
        self.read.append(Ranked(rank_ns, len(self.read), is_stated, message))

    def _former_at_once(self, message: Any, at_ns: int) -> int:
        if isinstance(message, CalendarDefined):
            same = [r for r in self._of(CalendarDefined, message.calendar_id) if not r.is_stated]
            return same[-1].rank_ns if same else 0
        newest = self._newest(message.instrument_id, at_ns)
        return 0 if newest is None or newest.is_stated else newest.rank_ns

    def _of(self, kind: type[Any], name: str) -> list[Ranked]:
        field = "calendar_id" if kind is CalendarDefined else "instrument_id"
        return [
            r
            for r in self.read
            if isinstance(r.message, kind) and getattr(r.message, field) == name
        ]

    def _newest(self, name: str, at_ns: int) -> Ranked | None:
        known = [r for r in self._of(InstrumentDefined, name) if r.rank_ns <= at_ns]
        return max(known, key=lambda r: r[:2], default=None)

    def is_calendar_known(self, calendar_id: str) -> bool:
        return not calendar_id or bool(self._of(CalendarDefined, calendar_id))

    def sessions(self, calendar_id: str, at_ns: int) -> list[Session]:
        found: list[Session] = []
        for day in range(DATES):
            date = FIRST_DATE + day
            over = [
                r
                for r in self._of(CalendarDefined, calendar_id)
                if r.rank_ns <= at_ns and r.message.first_date <= date <= r.message.last_date
            ]
            if over:
                top = max(over, key=lambda r: r[:2]).message
                found += [s for s in top.sessions if s.trade_date == date]
        return sorted(found, key=lambda s: s.phases[0].start_ns)

    def instrument(self, name: str, at_ns: int) -> dict[str, Any] | None:
        newest = self._newest(name, at_ns)
        if newest is None:
            return None
        terms: InstrumentDefined = newest.message
        told = {"tick_e9": terms.tick_e9, "open": terms.session_open_ns, "date": terms.trade_date}
        if not terms.calendar_id:
            return {**told, "phase": PhaseKind.UNKNOWN, "next": 0}
        ahead = [s for s in self.sessions(terms.calendar_id, at_ns) if s.phases[-1].end_ns > at_ns]
        if not ahead:
            return {**told, "open": 0, "date": 0, "phase": PhaseKind.UNKNOWN, "next": 0}
        phases = [p.kind for p in ahead[0].phases if p.start_ns <= at_ns < p.end_ns]
        return {
            "tick_e9": terms.tick_e9,
            "open": _open(ahead[0]),
            "date": ahead[0].trade_date,
            "phase": phases[0] if phases else PhaseKind.UNKNOWN,
            "next": _open(ahead[1]) if len(ahead) > 1 else 0,
        }


def _open(session: Session) -> int:
    return min(p.start_ns for p in session.phases if p.kind is PhaseKind.CONTINUOUS)


def _told(terms: Instrument | None) -> dict[str, Any] | None:
    if terms is None:
        return None
    return {
        "tick_e9": terms.tick_e9,
        "open": terms.session_open_ns,
        "date": terms.trade_date,
        "phase": terms.phase,
        "next": terms.next_open_ns,
    }


def _read(view: ReferenceView, naive: Naive, read: Read) -> None:
    """Let both read it; a stale one changes neither, an unknown calendar is no definition."""
    view.advance(read.at_ns)
    calendar_id = getattr(read.message, "calendar_id", "")
    is_wrong = isinstance(read.message, InstrumentDefined) and not naive.is_calendar_known(
        calendar_id
    )
    try:
        view.apply(read.message, read.sent_ns, read.at_ns)
    except DecodeError as error:
        if is_wrong:
            assert error.reason == "UNKNOWN_CALENDAR"
            return
        assert error.reason == "STALE_VERSION"
    else:
        assert not is_wrong
    naive.add(read)


@settings(max_examples=300)
@given(logs(), st.lists(st.integers(0, ENDS_NS), max_size=8))
def test_in_force_is_what_the_whole_log_says(log: list[Read], later: list[int]) -> None:
    view, naive = ReferenceView(), Naive()
    for read in log:
        _read(view, naive, read)
        _compare(view, naive, read.at_ns)
    last_ns = log[-1].at_ns if log else 0
    for at_ns in sorted(instant for instant in later if instant >= last_ns):
        view.advance(at_ns)
        _compare(view, naive, at_ns)


def _compare(view: ReferenceView, naive: Naive, at_ns: int) -> None:
    for name in ("A", "B"):
        terms, until_ns = view.instrument(name, at_ns)
        assert _told(terms) == naive.instrument(name, at_ns)
        assert until_ns > at_ns
        # Until then the answer is the same as long as nothing is read nor comes into force.
        assert view.instrument(name, min(until_ns, ENDS_NS + 1) - 1)[0] == terms


@settings(max_examples=100)
@given(logs(), st.integers(0, 14))
def test_a_view_that_is_saved_and_loaded_goes_on_as_the_live_one(log: list[Read], cut: int) -> None:
    live, naive = ReferenceView(), Naive()
    for read in log[:cut]:
        _read(live, naive, read)
    loaded = msgspec.msgpack.decode(msgspec.msgpack.encode(live), type=ReferenceView)
    other = Naive()
    other.read = list(naive.read)
    for read in log[cut:]:
        _read(live, naive, read)
        _read(loaded, other, read)
    live.advance(ENDS_NS)
    loaded.advance(ENDS_NS)
    assert loaded == live
    assert msgspec.msgpack.encode(loaded) == msgspec.msgpack.encode(live)
    assert loaded.instrument("A", ENDS_NS) == live.instrument("A", ENDS_NS)
