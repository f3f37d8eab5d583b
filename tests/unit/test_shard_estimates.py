"""What quotes and prints say of an instrument: integers, rebuilt by whoever sees them again."""

from math import atan, pi
from typing import Any

import msgspec
import pytest

from schemas.messages.core import BookState, Envelope, Level, PrintKind, Side, TradingStatus
from schemas.messages.market import TradePrinted
from streams.core.envelope import outside_envelope
from streams.shard import wide
from streams.shard.estimates import (
    Estimator,
    Estimators,
    Hazards,
    touch_imbalance_e9,
    up_probability_e9,
)
from streams.shard.market import MarketView
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    quote,
    venue,
)
from tests.support.calendars import status_changed

E9 = 1_000_000_000
HAZARDS = Hazards(50_000_000, 60_000_000)
VENUES = {name: venue(name) for name in ("V1", "V2")}
DAY_NS = 23_400 * SECOND


def envelope(at_ns: int) -> Envelope:
    return outside_envelope(bytes(16), at_ns, "test")


def estimate(known: Estimator, **changes: Any) -> Any:
    fields = {"quote": quote(), "at_ns": OPEN_NS, "session_ns": DAY_NS, "imbalance_e9": 0}
    return known.estimate(hazards=HAZARDS, **{**fields, **changes})


def walk(*moves: int, volume: int = 100, step: int = 5) -> Estimator:
    """Return what is known after a mid that moved by so many ticks of 0.01 from 100.00."""
    known, middle, traded = Estimator(), 10_000, 0
    for n, move in enumerate(moves):
        middle += move
        traded += volume
        at_ns = OPEN_NS + n * step * SECOND
        known.sample(quote(bid=middle - 1, ask=middle + 1), traded, at_ns)
    return known


def test_a_mid_that_moves_a_tick_each_time_has_that_volatility() -> None:
    known = walk(*[1, -1] * 30)
    # One basis point in five seconds, 4,680 of them in a day: sqrt(4680) = 68.4 basis points.
    assert estimate(known).volatility_bps_e9 / E9 == pytest.approx(68.4, rel=0.01)
    assert estimate(known).volatility_usual_bps_e9 / E9 == pytest.approx(68.4, rel=0.01)
    assert estimate(known, session_ns=DAY_NS // 4).volatility_bps_e9 / E9 == pytest.approx(
        34.2, rel=0.01
    )


def test_a_wild_minute_stands_out_from_what_is_usual() -> None:
    calm = walk(*[1, -1] * 60)
    wild = walk(*[1, -1] * 60, *[5, -5] * 8)
    seen = estimate(wild)
    assert estimate(calm).volatility_bps_e9 < seen.volatility_usual_bps_e9
    assert seen.volatility_bps_e9 > 2 * seen.volatility_usual_bps_e9


def test_volume_is_a_rate_and_a_burst_and_a_dry_spell_stand_out() -> None:
    known = walk(*[0] * 60, volume=500)
    assert estimate(known).volume_per_s_e9 == 100 * E9
    at_ns, total = OPEN_NS + 60 * 5 * SECOND, 60 * 500
    for n in range(12):
        known.sample(quote(), total + (n + 1) * 3_000, at_ns + n * 5 * SECOND)
    burst = estimate(known)
    assert burst.volume_per_s_e9 > 2 * burst.volume_usual_per_s_e9 > 200 * E9
    for n in range(36):
        known.sample(quote(), total + 36_000, at_ns + (12 + n) * 5 * SECOND)
    dry = estimate(known)
    assert dry.volume_per_s_e9 < dry.volume_usual_per_s_e9 // 5


def test_the_usual_spread_is_a_median_of_the_last_five_minutes() -> None:
    known = Estimator()
    for n in range(100):
        ask = 10_050 if n % 10 == 0 else 10_002  # one sample in ten is wide
        known.sample(quote(bid=9_998, ask=ask), 0, OPEN_NS + n * 5 * SECOND)
    seen = estimate(known, quote=quote(bid=9_998, ask=10_002))
    assert seen.spread_bps_e9 == seen.spread_now_bps_e9 == 4 * E9
    assert estimate(known, quote=None).spread_now_bps_e9 == 0


def test_little_is_said_before_there_are_samples() -> None:
    seen = estimate(walk(1, -1, 1))
    assert (seen.volatility_bps_e9, seen.volume_per_s_e9) == (0, 0)
    assert seen.fill_hazard_e9 == HAZARDS.join_e9
    assert seen.improve_hazard_e9 == HAZARDS.improve_e9


def test_a_night_is_no_return_and_no_dry_spell() -> None:
    known = walk(*[1, -1] * 20, volume=500)
    before = estimate(known)
    morning_ns = OPEN_NS + 20 * 3_600 * SECOND
    known.sample(quote(bid=12_000, ask=12_002), 99_000, morning_ns)
    assert estimate(known) == before
    known.sample(quote(bid=12_001, ask=12_003), 99_500, morning_ns + 5 * SECOND)
    assert estimate(known).volume_per_s_e9 == pytest.approx(100 * E9, rel=0.02)


def test_a_quote_that_is_missing_leaves_the_return_to_the_next() -> None:
    known = walk(*[0] * 20)
    known.sample(None, 2_000, OPEN_NS + 100 * SECOND)
    known.sample(quote(bid=10_099, ask=10_101), 2_000, OPEN_NS + 105 * SECOND)
    assert estimate(known).volatility_bps_e9 > 0


@pytest.mark.parametrize("bid", [1, 2, 3, 5, 10, 99, 1_000, 7_777])
@pytest.mark.parametrize("ask", [1, 2, 3, 5, 10, 99, 1_000, 7_777])
def test_the_chance_of_a_move_follows_the_arc_tangent(bid: int, ask: int) -> None:
    assert up_probability_e9(bid, ask) / E9 == pytest.approx(2 / pi * atan(bid / ask), abs=0.0012)
    assert up_probability_e9(bid, ask) + up_probability_e9(ask, bid) == E9


def levels(price: int, size: int) -> tuple[Level, ...]:
    return (Level(price_e9=price * TICK, quantity=size),)


def shown(*books: tuple[str, int, int]) -> MarketView:
    market = MarketView()
    for venue_id, bid, ask in books:
        update = book_updated(venue_id, bids=levels(9_999, bid), asks=levels(10_001, ask))
        market.apply_book(envelope(OPEN_NS), update)
    return market


def test_the_imbalance_is_that_of_others_over_all_venues() -> None:
    market = shown(("V1", 300, 100), ("V2", 100, 100))
    best = quote(bid=9_999, ask=10_001)
    assert touch_imbalance_e9(best, market, ACME) / E9 == pytest.approx(
        4 / pi * atan(2) - 1, abs=0.003
    )
    own = {("V1", 9_999 * TICK): 200}
    assert touch_imbalance_e9(best, market, ACME, own) == 0
    assert touch_imbalance_e9(best, shown(("V1", 100, 100)), ACME, {("V1", 9_999 * TICK): 100}) == 0


def see(known: Estimators, market: MarketView, at_ns: int, **changes: Any) -> None:
    message = book_updated("V1", **changes)
    market.apply_book(envelope(at_ns), message)
    known.apply_book(market, message, VENUES, at_ns, 60 * SECOND)


def test_a_halt_is_over_when_it_is_over_everywhere() -> None:
    known, market = Estimators(), MarketView()
    see(known, market, OPEN_NS)
    see(known, market, OPEN_NS + SECOND, state=BookState.HALTED)
    known.apply_status(status_changed(TradingStatus.HALTED), OPEN_NS + 2 * SECOND)
    see(known, market, OPEN_NS + 60 * SECOND)
    assert known.instruments[ACME].resumed_ns == 0
    known.apply_status(status_changed(TradingStatus.TRADING), OPEN_NS + 61 * SECOND)
    assert known.instruments[ACME].resumed_ns == OPEN_NS + 61 * SECOND
    seen = estimate(known.instruments[ACME], at_ns=OPEN_NS + 70 * SECOND)
    assert seen.halt_age_ns == 9 * SECOND


def test_a_sample_is_taken_every_five_seconds_at_most() -> None:
    known, market = Estimators(), MarketView()
    for n in range(11):
        see(known, market, OPEN_NS + n * SECOND)
    assert len(known.instruments[ACME].spreads) == 3


def printed(price: int, quantity: int, **changes: Any) -> TradePrinted:
    return TradePrinted(
        **{
            "venue_id": "V1",
            "instrument_id": ACME,
            "price_e9": price * TICK,
            "quantity": quantity,
            "own_quantity": 0,
            "aggressor": Side.BUY,
            "is_hidden": False,
            **changes,
        }
    )


def test_the_others_average_price_leaves_us_and_blocks_off_the_book_out() -> None:
    known = Estimators()
    known.apply_trade(printed(10_000, 100))
    known.apply_trade(printed(10_010, 300, own_quantity=200))
    known.apply_trade(printed(20_000, 900, kind=PrintKind.OFF_BOOK))
    assert known.instruments[ACME].others_price_e9 == 10_005 * TICK


def test_a_snapshot_keeps_every_bit() -> None:
    known = walk(*[3, -1] * 50)
    known.add_print(10_000 * TICK, 10**18)  # beyond 64 bits
    again = wide.decode(wide.encode(Estimators({ACME: known})), Estimators)
    assert again == Estimators({ACME: known})
    assert msgspec.structs.astuple(again.instruments[ACME]) == msgspec.structs.astuple(known)
