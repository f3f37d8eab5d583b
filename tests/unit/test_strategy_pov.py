"""POV in given, when, then: vector 05 through the decider, single prints, cap, blocks, the end."""

from typing import Any

import pytest

from schemas.messages.core import (
    AdjustmentReason,
    Cause,
    RoutingLogic,
    StrategyKind,
    StrategyParameters,
    Tactic,
)
from schemas.messages.strategy import ParentEnded, ParentRecalibrated, ScheduleSet, SliceReleased
from streams.strategy import STRATEGY, StrategyState
from tests.support.builders import MINUTE, OPEN_NS, SECOND, instrument
from tests.support.estimates import E9, calm, position_of, reasons_of, slice_of
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
from tests.support.vectors import vectors

BAND: Any = vectors("05_pov_twap.json")["pov_band_catchup"]
WINDOW = 15 * SECOND
RATE = StrategyParameters(participation_rate_bps=1_000, participation_floor_bps=500)


def pov(quantity: int = 1_000, **changes: Any) -> tuple[Any, ...]:
    terms = {"parameters": RATE, "quantity": quantity, **changes}
    return parent_opened(StrategyKind.POV, **terms), epoch_opened(quantity)


def seen(others: int, prints: int = 0, **changes: Any) -> Any:
    """Return a market in which others traded so much in so many prints, none of them a block."""
    made = prints or others // 10
    return market(others, steady_quantity=others, prints=made, **changes)


class Desk:
    """A parent whose slices fill at once as far as there is somebody to trade with."""

    def __init__(self, opened: tuple[Any, ...], lot: int = 1) -> None:
        self.state: StrategyState = STRATEGY.fold(opened)
        self.terms = instrument(lot=lot)
        self.others = 0
        self.windows = 0
        self._decide(begin(market=seen(0, instrument=self.terms)))

    @property
    def parent(self) -> Any:
        return self.state.parents[PARENT]

    def window(self, volume: int, available: int = 1 << 60) -> int:
        """Let others trade in the next window; return what the parent then releases."""
        self.others += volume
        at_ns = self.parent.first_start_ns + WINDOW * (self.windows + 1)
        self.windows += 1
        self._return(at_ns)
        events = self._decide(wake(at_ns, market=seen(self.others, instrument=self.terms)))
        slices = [event for event in events if isinstance(event, SliceReleased)]
        if slices:
            self._fill(slices[0], min(slices[0].quantity, available))
        return sum(each.quantity for each in slices)

    def _return(self, at_ns: int) -> None:
        """What nobody took comes back at the end of its window."""
        for slice_id, part in list(self.parent.slices.items()):
            if part.deadline_ns <= at_ns:
                ordinal = int(slice_id.rsplit(".", 1)[1])
                STRATEGY.fold((returned(part.quantity, slice_ordinal=ordinal),), self.state)

    def _fill(self, released: SliceReleased, quantity: int) -> None:
        ordinal = int(released.slice_id.rsplit(".", 1)[1])
        STRATEGY.fold((filled(quantity, slice_ordinal=ordinal),), self.state)

    def _decide(self, command: Any) -> tuple[Any, ...]:
        events = STRATEGY.decide(self.state, command)
        STRATEGY.fold(events, self.state)
        return events


def test_the_band_and_the_catching_up_are_those_of_the_vector() -> None:
    assert (BAND["p"], BAND["p_lo"], BAND["p_hi"]) == (0.10, 0.05, 0.20)
    desk = Desk(pov(BAND["X"]), lot=BAND["lot"])
    own = 0
    for volume, available, row in zip(
        BAND["other_volume"], BAND["available"], BAND["rows"], strict=True
    ):
        assert desk.window(volume, int(available)) == row["target"]
        own = desk.parent.filled_quantity
        assert own == row["cum"]
        assert own / (own + desk.others) == pytest.approx(row["realised_pov"], abs=1e-12)
    assert own == BAND["X"]


def test_a_rate_is_of_the_whole_market_own_part_included() -> None:
    """SPEC 5: p others would only make p / (1 + p); own prints never count as others."""
    for row in vectors("05_pov_twap.json")["pov_identity"]:
        rate_bps = round(row["p"] * 10_000)
        terms = StrategyParameters(participation_rate_bps=rate_bps)
        desk = Desk(pov(100_000, parameters=terms))
        assert desk.window(row["other"]) == int(row["own"])


def test_nothing_is_sent_before_others_have_traded() -> None:
    events = given(STRATEGY, *pov()).when(begin(market=seen(500))).events()
    assert [type(event) for event in events] == [ScheduleSet, ParentRecalibrated]
    assert (events[0].anchor_market_quantity, events[1].bin) == (500, -1)
    assert events[1].next_due_ns == OPEN_NS + WINDOW


def test_one_print_is_no_reason_to_trade_and_is_not_forgotten() -> None:
    history = (*pov(), *given(STRATEGY, *pov()).when(begin(market=seen(0))).events())
    lone = wake(OPEN_NS + WINDOW, market=seen(900, prints=1))
    waiting = given(STRATEGY, *history).when(lone).events()
    assert [type(event) for event in waiting] == [ParentRecalibrated]
    both = wake(OPEN_NS + 2 * WINDOW, market=seen(1_800, prints=2))
    events = given(STRATEGY, *history, *waiting).when(both).events()
    assert events[-1].quantity == 200


def test_a_block_is_followed_only_as_far_as_prints_are_usual() -> None:
    desk = Desk(pov(100_000))
    blocked = market(1_000_000, steady_quantity=9_000, prints=50)
    events: Any = STRATEGY.decide(desk.state, wake(OPEN_NS + WINDOW, market=blocked))
    assert events[-1].quantity == 1_000
    assert events[0].market_quantity == 9_000


def test_the_orders_cap_is_tighter_than_the_band() -> None:
    desk = Desk(pov(100_000, participation_cap_bps=1_200))
    assert desk.window(10_000, available=0) == 1_111
    assert desk.window(1_000) == 136  # 12 / 88 of the window: no more, whatever is missing


def test_ahead_of_its_rate_it_stays_present() -> None:
    desk = Desk(pov(100_000))
    desk.window(10_000)
    STRATEGY.fold((filled(900, slice_ordinal=99, late_quantity=900),), desk.state)
    assert desk.window(1_900) == 100  # 5 %: the floor of the band


def test_what_comes_back_within_the_window_goes_out_again_and_no_more() -> None:
    history = (*pov(), *given(STRATEGY, *pov()).when(begin(market=seen(0))).events())
    first = wake(OPEN_NS + WINDOW, market=seen(9_000))
    events = given(STRATEGY, *history).when(first).events()
    assert (events[-1].quantity, events[-1].logic) == (1_000, RoutingLogic.SEQUENTIAL)
    back = (filled(300), returned(700))
    at_ns = OPEN_NS + WINDOW + 4 * SECOND
    more = recalibrate(Cause.RETURNED, at_ns, market=seen(9_500))
    again = given(STRATEGY, *history, *events, *back).when(more).events()
    assert again[-1].quantity == 700


def test_the_last_odd_units_are_traded() -> None:
    desk = Desk(pov(1_050), lot=100)
    sent = [desk.window(4_000) for _ in range(4)]
    assert sum(sent) == desk.parent.filled_quantity == 1_050


def test_it_ends_with_what_the_volume_allowed() -> None:
    desk = Desk(pov(1_000))
    desk.window(900)
    ended = wake(OPEN_NS + 10 * MINUTE, market=seen(900))
    events = STRATEGY.decide(desk.state, ended)
    assert [type(event) for event in events] == [ParentEnded]
    assert desk.parent.filled_quantity == 100


# 100 a second are usual: a tenth of all makes 666 due in a minute.
PACE = 1_500


def known(windows: int, **changes: Any) -> Any:
    """Return a market of that pace after so many windows, whose estimate is known."""
    return seen(PACE * windows, estimate=calm(**changes))


def windows(count: int, opened: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the events until the last of `count` windows, and those of that one."""
    history, events = (*opened, *given(STRATEGY, *opened).when(begin(market=seen(0))).events()), ()
    for window in range(1, count + 1):
        history = (*history, *events)
        command = wake(OPEN_NS + window * WINDOW, market=known(window))
        events = given(STRATEGY, *history).when(command).events()
    return history, events


def test_what_a_window_makes_due_rests_for_a_bin_beside_that_of_earlier_ones() -> None:
    for count in range(1, 5):
        _, events = windows(count, pov(100_000))
        found = slice_of(events)
        assert found is not None
        assert found.quantity in (166, 167) and found.logic is RoutingLogic.SEQUENTIAL
        # It is back before the window that ends then: what comes back with one is bounded by it.
        assert found.deadline_ns == OPEN_NS + count * WINDOW + 54 * SECOND
        assert position_of(events).next_due_ns == OPEN_NS + (count + 1) * WINDOW


def test_out_of_its_band_a_rate_takes_at_once() -> None:
    history, events = windows(1, pov(100_000))
    burst = seen(PACE + 8_000, estimate=calm())
    command = wake(OPEN_NS + 2 * WINDOW, market=burst)
    after = given(STRATEGY, *history, *events).when(command).events()
    told = reasons_of(after)[AdjustmentReason.BEHIND]
    assert told.reference_e9 - told.value_e9 > 666
    found = slice_of(after)
    assert found is not None
    assert (found.tactic, found.logic) == (Tactic.CROSS, RoutingLogic.SWEEP)


def test_near_its_end_a_rate_takes_what_is_due() -> None:
    _, events = windows(1, pov(100_000, end_ns=OPEN_NS + WINDOW + 19 * SECOND))
    assert position_of(events).tactic is Tactic.CROSS


def test_a_rate_beyond_its_limit_rests_also_out_of_its_band() -> None:
    history, events = windows(1, pov(100_000, limit_price_e9=99 * E9))
    command = wake(OPEN_NS + 2 * WINDOW, market=seen(PACE + 8_000, estimate=calm()))
    after = given(STRATEGY, *history, *events).when(command).events()
    assert AdjustmentReason.BEHIND in reasons_of(after)
    assert position_of(after).tactic is not Tactic.CROSS
