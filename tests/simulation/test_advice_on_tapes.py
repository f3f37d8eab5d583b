"""The next child on recorded markets: what is unusual moves it, in its direction, by a reason."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from schemas.messages.core import AdjustmentReason, BookState, Cause, MarketEstimate, Tactic
from services.venues.assumptions import LIT_SHARES
from services.venues.frames import Frame
from services.venues.scenario import Scenario, plan_day
from services.venues.tapes import open_tape
from streams.strategy import STRATEGY
from tests.support.builders import MINUTE, OPEN_NS, SECOND, TICK
from tests.support.estimates import position_of, reasons_of, slice_of
from tests.support.given import given
from tests.support.parents import begin, filled, forecast, market, wake
from tests.support.shared import shared
from tests.support.tape_market import TapeMarket, moments
from tests.support.vwap import CURVE, OPENED, position

Reason = AdjustmentReason
SECOND_BIN = OPEN_NS + MINUTE
REST = forecast(2_000, 3_000, 4_000, bin_start_ns=SECOND_BIN)
DONE = (
    *OPENED,
    *given(STRATEGY, *OPENED).when(begin(forecast=CURVE)).events(),
    filled(100),
    position(Cause.FILL, 100, SECOND_BIN, filled_quantity=100),
)
# What the estimate would be without what the reason saw, and whether the rest ends sooner for it.
NEUTRAL: dict[AdjustmentReason, tuple[str, str, bool]] = {
    Reason.VOLUME_BURST: ("volume_per_s_e9", "volume_usual_per_s_e9", True),
    Reason.DRY_SPELL: ("volume_per_s_e9", "volume_usual_per_s_e9", False),
    Reason.VOLATILITY_UP: ("volatility_bps_e9", "volatility_usual_bps_e9", True),
    Reason.VOLATILITY_DOWN: ("volatility_bps_e9", "volatility_usual_bps_e9", False),
    Reason.SPREAD_WIDE: ("spread_now_bps_e9", "spread_bps_e9", False),
    Reason.SPREAD_TIGHT: ("spread_now_bps_e9", "spread_bps_e9", True),
}


def second_bin(estimate: MarketEstimate) -> tuple[Any, ...]:
    """Return what a VWAP parent that stands on its plan does in that market."""
    command = wake(SECOND_BIN, forecast=REST, market=market(1_000, estimate=estimate))
    return given(STRATEGY, *DONE).when(command).events()


def without(estimate: MarketEstimate, reason: AdjustmentReason) -> MarketEstimate:
    name, usual, _ = NEUTRAL[reason]
    return msgspec.structs.replace(estimate, **{name: getattr(estimate, usual)})


def rest_ns(events: tuple[Any, ...]) -> int:
    return position_of(events).next_due_ns - SECOND_BIN


def quantity(events: tuple[Any, ...]) -> int:
    found = slice_of(events)
    return 0 if found is None else found.quantity


def watch(found: Counter[str], estimate: MarketEstimate) -> None:
    """Compare the child with the one of the same market less what each reason saw."""
    events = second_bin(estimate)
    for reason, told in reasons_of(events).items():
        found[reason] += 1
        if reason not in NEUTRAL:
            continue
        name, usual, is_sooner = NEUTRAL[reason]
        assert (told.value_e9, told.reference_e9) == (
            getattr(estimate, name),
            getattr(estimate, usual),
        )
        calm = second_bin(without(estimate, reason))
        assert reason not in reasons_of(calm)
        if is_sooner:
            assert rest_ns(events) <= rest_ns(calm)
            assert quantity(events) >= quantity(calm)
        else:
            assert rest_ns(events) >= rest_ns(calm) or quantity(events) < quantity(calm)
        found[f"{reason} moved"] += rest_ns(events) != rest_ns(calm)
        found[f"{reason} cut"] += quantity(events) < quantity(calm)


def tape(name: str, instrument: int = 0) -> tuple[TapeMarket, Any, int]:
    opened = open_tape(shared("data") / name, 7)
    defined = opened.instruments(opened.start_ns + opened.seconds * SECOND)[instrument]
    venues = tuple(each.venue_id for each in opened.venues)
    source = opened.source(7, SECOND, opened.seconds)
    return TapeMarket(defined, venues), source, opened.start_ns


def test_an_hour_of_amazon_moves_every_child_that_should_move() -> None:
    seen, source, start_ns = tape("lobster")
    found: Counter[str] = Counter()
    for _, estimate in moments(seen, source, start_ns, 3_600):
        watch(found, estimate)
    for reason in NEUTRAL.keys() - {Reason.VOLATILITY_UP}:  # after the open it only sinks
        assert found[reason] >= 5, found
        assert found[f"{reason} moved"] + found[f"{reason} cut"] > 0, found
    assert found[Reason.SIGNAL_ADVERSE] > 5
    assert found[Reason.SIGNAL_FAVORABLE] > 5


def test_minutes_of_bitcoin_move_them_too() -> None:
    seen, source, start_ns = tape("binance")
    found: Counter[str] = Counter()
    for _, estimate in moments(seen, source, start_ns, 200):
        watch(found, estimate)
    # Five minutes have no usual volatility yet; who is eager at the touch is known at once.
    assert found[Reason.SIGNAL_ADVERSE] >= 3
    assert found[Reason.SIGNAL_FAVORABLE] >= 3


def busier(frame: Frame, factor: int) -> Frame:
    trades = [each._replace(quantity=each.quantity * factor) for each in frame.trades]
    return frame._replace(trades=tuple(trades) if factor else ())


def wilder(frame: Frame, step: int) -> Frame:
    """Return the same books, up and down by half a per cent every five seconds."""
    away = 1 if step // 5 % 2 else -1

    def moved(levels: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return tuple((price + away * (price // 200 // TICK * TICK), size) for price, size in levels)

    targets = [
        each._replace(bids=moved(each.bids), asks=moved(each.asks)) for each in frame.targets
    ]
    return frame._replace(targets=tuple(targets))


@pytest.mark.parametrize(
    ("reason", "factor", "is_wild", "is_sooner"),
    [
        (Reason.VOLUME_BURST, 8, False, True),
        (Reason.DRY_SPELL, 0, False, False),
        (Reason.VOLATILITY_UP, 1, True, True),
    ],
)
def test_a_child_after_a_burst_a_dry_spell_and_a_wild_minute(
    reason: AdjustmentReason, factor: int, is_wild: bool, is_sooner: bool
) -> None:
    """Two markets that are the same for ten minutes, and one of them unusual for two more."""
    day = plan_day(Scenario(seed=7, minutes=20, orders=0))
    defined = day.terms.instruments["ALDER"]
    same, other = (TapeMarket(defined, tuple(LIT_SHARES)) for _ in range(2))
    for step in range(720):
        frame, at_ns = day.source.frame(step), day.terms.start_ns + step * SECOND
        same.see(frame, at_ns)
        if step >= 600:
            frame = busier(frame, factor)
            frame = wilder(frame, step) if is_wild else frame
        other.see(frame, at_ns)
    usual, unusual = (second_bin(_known(each, at_ns)) for each in (same, other))
    assert reason not in reasons_of(usual)
    told = reasons_of(unusual)[reason]
    if is_sooner:
        assert told.value_e9 > told.reference_e9
        assert rest_ns(unusual) < rest_ns(usual)
        assert quantity(unusual) == quantity(usual)
    else:
        assert told.value_e9 < told.reference_e9
        assert 0 < quantity(unusual) < quantity(usual)


def test_after_a_halt_in_amazon_the_child_is_smaller_and_takes_nothing() -> None:
    seen, source, start_ns = tape("lobster")
    for step in range(600):
        halted = BookState.HALTED if 400 <= step < 520 else None
        seen.see(source.frame(step), start_ns + step * SECOND, state=halted)
        if step == 399:
            before = second_bin(_known(seen, start_ns + step * SECOND))
        if step == 525:
            after = second_bin(_known(seen, start_ns + step * SECOND))
    told = reasons_of(after)[Reason.HALT_ENDED]
    assert told.value_e9 == 5 * SECOND
    assert quantity(after) < quantity(before)
    assert position_of(after).tactic is Tactic.JOIN
    late = second_bin(_known(seen, start_ns + 600 * SECOND))
    assert Reason.HALT_ENDED not in reasons_of(late)


def _known(seen: TapeMarket, at_ns: int) -> MarketEstimate:
    estimate = seen.estimate(at_ns)
    assert estimate is not None
    return estimate
