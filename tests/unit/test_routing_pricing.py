"""Where a child rests by its tactic: on the grid, within the limit, never into the other side."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from schemas.messages.core import BookState, Level, Side, Tactic, TickBand, VenueKind
from streams.routing.pricing import others_quote, passive_price, shown_quantity, tighter
from tests.support.builders import TICK, instrument, quote, venue, venue_book

TERMS = instrument()
RESTING = (Tactic.UNKNOWN, Tactic.JOIN, Tactic.PEG, Tactic.IMPROVE, Tactic.MIDPOINT, Tactic.CROSS)


@pytest.mark.parametrize(
    ("tactic", "buy", "sell"),
    [
        (Tactic.JOIN, 9_990, 10_000),
        (Tactic.PEG, 9_990, 10_000),
        (Tactic.CROSS, 9_990, 10_000),  # a slice that may not take rests as if it joined
        (Tactic.IMPROVE, 9_991, 9_999),
        (Tactic.MIDPOINT, 9_995, 9_995),
    ],
)
def test_each_tactic_has_its_price_in_a_wide_market(tactic: Tactic, buy: int, sell: int) -> None:
    wide = quote(bid=9_990, ask=10_000)
    assert passive_price(tactic, Side.BUY, wide, TERMS) == buy * TICK
    assert passive_price(tactic, Side.SELL, wide, TERMS) == sell * TICK


def test_a_midpoint_between_two_ticks_rests_on_our_side_of_it() -> None:
    odd = quote(bid=9_990, ask=9_993)
    assert passive_price(Tactic.MIDPOINT, Side.BUY, odd, TERMS) == 9_991 * TICK
    assert passive_price(Tactic.MIDPOINT, Side.SELL, odd, TERMS) == 9_992 * TICK


@pytest.mark.parametrize("tactic", RESTING)
def test_nothing_is_improved_within_one_tick(tactic: Tactic) -> None:
    tight = quote(bid=9_999, ask=10_000)
    assert passive_price(tactic, Side.BUY, tight, TERMS) == 9_999 * TICK
    assert passive_price(tactic, Side.SELL, tight, TERMS) == 10_000 * TICK


@for_all(
    tactic=st.sampled_from(RESTING),
    side=st.sampled_from([Side.BUY, Side.SELL]),
    bid=st.integers(200, 20_000),
    spread=st.integers(-3, 40),
    limit=st.none() | st.integers(100 * TICK, 21_000 * TICK),
)
def test_no_tactic_crosses_passes_the_limit_or_leaves_the_grid(
    tactic: Tactic, side: Side, bid: int, spread: int, limit: int | None
) -> None:
    bands = instrument(
        tick_bands=(
            TickBand(from_price_e9=0, tick_e9=TICK),
            TickBand(from_price_e9=10_000 * TICK, tick_e9=5 * TICK),
        )
    )
    # A locked or crossed market too: its own side of the grid, as it is.
    on_grid = quote(bid=bid, ask=bid + spread)
    low, high = bands.floor_to_tick(on_grid.bid_e9), bands.ceil_to_tick(on_grid.ask_e9)
    found = passive_price(tactic, side, quote(bid=low // TICK, ask=high // TICK), bands, limit)
    assert found % bands.tick_at(found) == 0
    if side is Side.BUY:
        assert found < high
        assert limit is None or found <= limit
    else:
        assert found > low
        assert limit is None or found >= limit


def test_the_tighter_limit_is_the_one_that_allows_less() -> None:
    assert tighter(Side.BUY, 5, 7) == 5
    assert tighter(Side.SELL, 5, 7) == 7
    assert tighter(Side.BUY, None, 7) == 7
    assert tighter(Side.SELL, 5, None) == 5
    assert tighter(Side.BUY, None, None) is None


def levels(*steps: tuple[int, int]) -> tuple[Level, ...]:
    return tuple(Level(price_e9=price * TICK, quantity=size) for price, size in steps)


def test_our_own_quantity_does_not_lead_us() -> None:
    """Two of our children would otherwise outbid each other up to the offer."""
    books = (
        venue_book("V1", bids=levels((9_995, 100), (9_990, 500))),
        venue_book("V2", bids=levels((9_990, 200))),
    )
    best = quote(bid=9_995, ask=10_000)
    seen = others_quote(best, books, Side.BUY, {("V1", 9_995 * TICK): 100})
    assert (seen.bid_e9, seen.ask_e9) == (9_990 * TICK, 10_000 * TICK)
    # Somebody stands there with us: it is a price of the market.
    seen = others_quote(best, books, Side.BUY, {("V1", 9_995 * TICK): 60})
    assert seen.bid_e9 == 9_995 * TICK
    assert others_quote(best, books, Side.BUY, {}) is best


def test_a_side_that_is_all_ours_stays_as_it_is() -> None:
    books = (venue_book("V1", bids=levels((9_995, 100))),)
    best = quote(bid=9_995, ask=10_000)
    assert others_quote(best, books, Side.BUY, {("V1", 9_995 * TICK): 100}) is best


def test_dark_and_closed_books_lead_nobody() -> None:
    books = (
        venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=levels((9_999, 9))),
        venue_book("V1", state=BookState.HALTED, bids=levels((9_998, 9))),
        venue_book("V2", bids=levels((9_995, 100), (9_990, 500))),
    )
    own = {("V2", 9_995 * TICK): 100}
    assert others_quote(quote(bid=9_995), books, Side.BUY, own).bid_e9 == 9_990 * TICK


@pytest.mark.parametrize(
    ("display", "share_bps", "shown"),
    [
        (0, 0, 0),  # all of it
        (200, 0, 200),
        (250, 0, 200),  # whole lots
        (0, 2_500, 200),  # a quarter of 900 in lots
        (100, 2_500, 100),  # the smaller bound holds
        (500, 2_500, 200),
        (0, 100, 100),  # less than a lot cannot rest
        (2_000, 0, 0),
    ],
)
def test_what_is_shown_is_bounded_by_the_owner_and_by_the_book(
    display: int, share_bps: int, shown: int
) -> None:
    assert shown_quantity(1_000, display, share_bps, levels((9_999, 900)), 100) == shown


def test_an_empty_book_bounds_nothing() -> None:
    assert shown_quantity(1_000, 0, 2_500, (), 100) == 0
