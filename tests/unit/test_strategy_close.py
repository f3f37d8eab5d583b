"""Auctions in given, when, then: CLOSE and its pre-close, AT_OPEN, AT_CLOSE, parts of others."""

from typing import Any

from schemas.messages.core import (
    Cause,
    PhaseKind,
    Side,
    StrategyKind,
    StrategyParameters,
    Tactic,
    TimeInForce,
)
from schemas.messages.strategy import (
    ParentEnded,
    ParentRecalibrated,
    ScheduleSet,
    SliceReleased,
    VolumeForecast,
)
from streams.core.market import AUCTION_REPORTS_NS, Auction
from streams.parameters import resolved
from streams.strategy import STRATEGY, StrategyState
from streams.strategy.auctions import kept
from streams.strategy.situation import Situation
from tests.support.builders import ACME, CLOSE_NS, MINUTE, OPEN_NS, SECOND, instrument
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    epoch_opened,
    filled,
    market,
    parent_opened,
    recalibrate,
    returned,
    wake,
)

CUTOFF = CLOSE_NS - 2 * MINUTE
AUCTION_END = CLOSE_NS + 5 * MINUTE
TERMS = instrument(
    opening_auction_start_ns=OPEN_NS - 10 * MINUTE,
    open_cutoff_ns=OPEN_NS - MINUTE,
    close_cutoff_ns=CUTOFF,
    closing_auction_end_ns=AUCTION_END,
)
HALF = StrategyParameters(closing_auction_bps=5_000, pre_close_ns=10 * MINUTE)
PRE_CLOSE = CLOSE_NS - 10 * MINUTE
RELEASE = CUTOFF - MINUTE


def opened(kind: StrategyKind = StrategyKind.CLOSE, **changes: Any) -> tuple[Any, ...]:
    terms = {"end_ns": CLOSE_NS, "parameters": HALF, **changes}
    return parent_opened(kind, **terms), epoch_opened()


def seen(**changes: Any) -> Any:
    return market(**{"instrument": TERMS, **changes})


def expected(at_ns: int, closing: int = 0, opening: int = 0) -> VolumeForecast:
    return VolumeForecast(
        instrument_id=ACME,
        parent_id=PARENT,
        model="test",
        bin_start_ns=at_ns,
        bin_ns=MINUTE,
        volumes=(1_000,) * 60,
        closing_auction_volume=closing,
        opening_auction_volume=opening,
    )


class Day:
    """A parent that is woken whenever it wants to be; nobody fills anything unless told."""

    def __init__(self, history: tuple[Any, ...], at_ns: int, **terms: Any) -> None:
        self.state: StrategyState = STRATEGY.fold(history)
        self.terms = terms
        self.events: list[tuple[int, Any]] = []
        self._decide(at_ns, begin(at_ns, market=seen(**terms)))

    @property
    def parent(self) -> Any:
        return self.state.parents[PARENT]

    def until(self, at_ns: int, *, is_filled: bool = True) -> None:
        while not self.parent.is_ended and self.parent.next_due_ns <= at_ns:
            due_ns = self.parent.next_due_ns
            self._give_back(due_ns)
            self._decide(due_ns, wake(due_ns, market=seen(**self.terms)), is_filled=is_filled)

    def slices(self, auction: PhaseKind) -> list[tuple[int, SliceReleased]]:
        found = [each for each in self.events if isinstance(each[1], SliceReleased)]
        return [each for each in found if each[1].auction is auction]

    def fill(self, slice_id: str, quantity: int) -> None:
        ordinal = int(slice_id.rsplit(".", 1)[1])
        STRATEGY.fold((filled(quantity, slice_ordinal=ordinal),), self.state)

    def _give_back(self, at_ns: int) -> None:
        for slice_id, part in list(self.parent.slices.items()):
            if part.deadline_ns <= at_ns:
                ordinal = int(slice_id.rsplit(".", 1)[1])
                STRATEGY.fold((returned(part.quantity, slice_ordinal=ordinal),), self.state)

    def _decide(self, at_ns: int, command: Any, *, is_filled: bool = True) -> None:
        for event in STRATEGY.decide(self.state, command):
            self.events.append((at_ns, event))
            STRATEGY.evolve(self.state, event)
            if not isinstance(event, SliceReleased) or event.auction is not PhaseKind.UNKNOWN:
                continue
            if is_filled:
                self.fill(event.slice_id, event.quantity)


def test_the_close_waits_for_its_pre_close() -> None:
    (seen_,) = given(STRATEGY, *opened()).when(begin(market=seen())).events()
    assert isinstance(seen_, ParentRecalibrated)
    assert (seen_.bin, seen_.next_due_ns) == (-1, PRE_CLOSE)


def test_half_is_worked_before_the_auction_and_half_is_in_it() -> None:
    day = Day(opened(), OPEN_NS)
    day.until(CLOSE_NS)
    worked = day.slices(PhaseKind.UNKNOWN)
    assert sum(each.quantity for _, each in worked) == 500
    assert all(PRE_CLOSE <= at_ns < CLOSE_NS for at_ns, _ in worked)
    ((at_ns, auctioned),) = day.slices(PhaseKind.CLOSING_AUCTION)
    assert (at_ns, auctioned.quantity, auctioned.tactic) == (RELEASE, 500, Tactic.AUCTION)
    assert auctioned.deadline_ns == AUCTION_END + AUCTION_REPORTS_NS
    plan = next(event for _, event in day.events if isinstance(event, ScheduleSet))
    assert (plan.closing_quantity, plan.targets[-1]) == (500, 500)


def test_the_parent_waits_for_the_outcome_of_its_auction() -> None:
    day = Day(opened(), OPEN_NS)
    day.until(CLOSE_NS + MINUTE)
    assert not day.parent.is_ended
    assert day.parent.next_due_ns == AUCTION_END + AUCTION_REPORTS_NS
    day.fill(day.slices(PhaseKind.CLOSING_AUCTION)[0][1].slice_id, 500)
    assert (day.parent.filled_quantity, day.parent.open_quantity) == (1_000, 0)
    over = seen(instrument=instrument(session_close_ns=CLOSE_NS + 24 * 60 * MINUTE))
    # The calendar has gone on to the next session; the parent has not.
    events = STRATEGY.decide(day.state, wake(AUCTION_END + AUCTION_REPORTS_NS, market=over))
    assert [type(event) for event in events] == [ParentEnded]


def test_without_an_auction_the_last_minutes_are_worked_instead() -> None:
    day = Day(opened(), OPEN_NS, instrument=instrument())
    day.until(CLOSE_NS - SECOND)
    assert day.slices(PhaseKind.CLOSING_AUCTION) == []
    worked = day.slices(PhaseKind.UNKNOWN)
    assert sum(each.quantity for _, each in worked) == 1_000
    assert worked[0][0] >= PRE_CLOSE


def test_what_no_venue_takes_for_its_auction_is_worked_before_the_close() -> None:
    day = Day(opened(), OPEN_NS)
    day.until(RELEASE)
    slice_id = day.slices(PhaseKind.CLOSING_AUCTION)[0][1].slice_id
    ordinal = int(slice_id.rsplit(".", 1)[1])
    STRATEGY.fold((returned(500, slice_ordinal=ordinal, cause=Cause.AUCTION),), day.state)
    day.until(CLOSE_NS - SECOND)
    assert len(day.slices(PhaseKind.CLOSING_AUCTION)) == 1
    assert day.parent.filled_quantity == 1_000


def test_the_auctions_part_keeps_the_cap_on_what_it_will_trade() -> None:
    terms = opened(participation_cap_bps=2_000)
    command = begin(PRE_CLOSE, market=seen(), forecast=expected(PRE_CLOSE, closing=800))
    events = given(STRATEGY, *terms).when(command).events()
    # 20 % of all: a quarter of the 800 that others bring; the rest is worked before.
    assert (events[0].closing_quantity, events[0].targets[-1]) == (200, 800)


def test_an_order_at_the_close_is_for_the_auction_alone() -> None:
    terms = {"time_in_force": TimeInForce.AT_CLOSE, "parameters": None, "start_ns": CUTOFF}
    day = Day(opened(StrategyKind.IMMEDIATE, **terms), OPEN_NS)
    day.until(CLOSE_NS)
    assert day.slices(PhaseKind.UNKNOWN) == []
    ((at_ns, auctioned),) = day.slices(PhaseKind.CLOSING_AUCTION)
    assert (at_ns, auctioned.quantity) == (RELEASE, 1_000)


def test_an_order_at_the_open_is_in_the_auction_and_then_over() -> None:
    terms = {"time_in_force": TimeInForce.AT_OPEN, "parameters": None}
    history = opened(StrategyKind.IMMEDIATE, **terms)
    day = Day(history, OPEN_NS - 20 * MINUTE, is_open=False)
    day.until(OPEN_NS - SECOND)
    ((at_ns, auctioned),) = day.slices(PhaseKind.OPENING_AUCTION)
    assert (at_ns, auctioned.quantity) == (OPEN_NS - 2 * MINUTE, 1_000)
    day.fill(auctioned.slice_id, 700)
    day.terms = {}
    day.until(OPEN_NS + AUCTION_REPORTS_NS + SECOND)
    STRATEGY.fold((returned(300),), day.state)
    back = recalibrate(Cause.RETURNED, OPEN_NS + AUCTION_REPORTS_NS + SECOND, market=seen())
    events = STRATEGY.decide(day.state, back)
    assert events == (ParentEnded(parent_id=PARENT, cause=Cause.COMPLETED),)


def test_without_an_auction_an_order_at_the_open_sweeps_the_first_books() -> None:
    terms = {"time_in_force": TimeInForce.AT_OPEN, "parameters": None}
    history = opened(StrategyKind.IMMEDIATE, **terms)
    plain = market(instrument=instrument())
    events = given(STRATEGY, *history).when(begin(market=plain)).events()
    assert events[-1].quantity == 1_000
    assert events[-1].auction is PhaseKind.UNKNOWN


def test_a_part_for_both_auctions_leaves_the_rest_to_the_day() -> None:
    both = StrategyParameters(opening_auction_bps=1_000, closing_auction_bps=3_000)
    day = Day(opened(StrategyKind.TWAP, parameters=both), OPEN_NS - 20 * MINUTE)
    day.until(OPEN_NS - SECOND)
    ((_, early),) = day.slices(PhaseKind.OPENING_AUCTION)
    assert early.quantity == 100
    day.fill(early.slice_id, 60)  # 40 did not trade; they come back and are worked
    day.until(CLOSE_NS)
    ((_, late),) = day.slices(PhaseKind.CLOSING_AUCTION)
    assert late.quantity == 300
    assert sum(each.quantity for _, each in day.slices(PhaseKind.UNKNOWN)) == 640
    assert day.parent.filled_quantity + day.parent.open_quantity == 1_000


def test_auction_quantity_does_not_count_against_the_cap_of_the_day() -> None:
    opening = StrategyParameters(opening_auction_bps=5_000)
    terms = {"parameters": opening, "participation_cap_bps": 1_000}
    day = Day(opened(StrategyKind.TWAP, **terms), OPEN_NS - 20 * MINUTE)
    day.until(OPEN_NS - SECOND)
    day.fill(day.slices(PhaseKind.OPENING_AUCTION)[0][1].slice_id, 500)
    day.until(OPEN_NS + MINUTE)
    day.terms = {"others_quantity": 900}
    day.until(OPEN_NS + 20 * MINUTE)
    assert sum(each.quantity for _, each in day.slices(PhaseKind.UNKNOWN)) == 100


def test_a_parent_that_ends_before_the_close_stays_out_of_its_auction() -> None:
    part = StrategyParameters(closing_auction_bps=5_000)
    day = Day(opened(StrategyKind.VWAP, parameters=part, end_ns=CLOSE_NS - MINUTE), OPEN_NS)
    day.until(CLOSE_NS - MINUTE - SECOND)
    assert day.slices(PhaseKind.CLOSING_AUCTION) == []
    assert day.parent.filled_quantity == 1_000


def test_a_halt_through_the_cut_off_leaves_all_to_continuous_trading() -> None:
    halted = instrument(close_cutoff_ns=CUTOFF, closing_auction_end_ns=AUCTION_END, is_halted=True)
    day = Day(opened(), OPEN_NS, instrument=halted)
    day.until(CUTOFF)
    assert day.slices(PhaseKind.CLOSING_AUCTION) == []
    day.terms = {}
    day.until(CLOSE_NS - SECOND)
    assert day.parent.filled_quantity == 1_000


def test_what_venues_say_of_their_auctions_needs_no_calendar() -> None:
    told = Auction(
        venue_id="V1",
        kind=PhaseKind.CLOSING_AUCTION,
        price_e9=None,
        quantity=0,
        imbalance_quantity=0,
        imbalance_side=Side.UNKNOWN,
        cutoff_ns=CUTOFF,
        uncross_ns=CLOSE_NS,
        is_primary=True,
    )
    day = Day(opened(), OPEN_NS, instrument=instrument(), auctions=(told,))
    day.until(CLOSE_NS)
    ((at_ns, auctioned),) = day.slices(PhaseKind.CLOSING_AUCTION)
    assert (at_ns, auctioned.deadline_ns) == (RELEASE, CLOSE_NS + AUCTION_REPORTS_NS)


def test_nothing_goes_to_an_auction_while_the_kill_switch_stops_the_parent() -> None:
    history = (*opened(), *given(STRATEGY, *opened()).when(begin(RELEASE, market=seen())).events())
    assert isinstance(history[-1], SliceReleased)
    stopped = begin(RELEASE, market=seen(), is_stopped=True)
    events = given(STRATEGY, *opened()).when(stopped).events()
    assert SliceReleased not in [type(event) for event in events]


def test_what_the_closing_auction_is_to_do_is_kept_until_it_did_it() -> None:
    day = Day(opened(StrategyKind.VWAP), OPEN_NS)

    def kept_now(at_ns: int) -> int:
        parent = day.parent
        return kept(
            Situation(
                parent=parent,
                settings=day.state.settings,
                parameters=resolved(parent.strategy, parent.urgency, parent.parameters),
                cause=Cause.PLAN,
                at_ns=at_ns,
                end_ns=CLOSE_NS,
                entropy=b"",
                market=seen(),
                forecast=expected(at_ns),
            )
        )

    assert kept_now(OPEN_NS) == 500
    day.until(CLOSE_NS)
    assert kept_now(CLOSE_NS) == 500  # it is in the auction
    ((_, auctioned),) = day.slices(PhaseKind.CLOSING_AUCTION)
    day.fill(auctioned.slice_id, 300)
    assert kept_now(AUCTION_END) == 200
    day.fill(auctioned.slice_id, 200)
    assert kept_now(AUCTION_END) == 0
