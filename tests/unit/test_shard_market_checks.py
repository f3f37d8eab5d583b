"""A book or a trade that no market can have said is kept as a dead letter and not believed."""

from typing import Any

import pytest

from schemas.messages.core import BookState, Level, Side
from schemas.messages.core import RejectReason as R
from schemas.messages.market import TradePrinted
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from streams.core.errors import DecodeError
from streams.shard.market import MarketView
from streams.shard.market_checks import AHEAD_MAX_NS, check_market
from tests.support.builders import ACME, OPEN_NS, SECOND, TICK, book_updated, volume_curve
from tests.support.hostile import HostileShard, framed, outside


def levels(*pairs: tuple[int, int]) -> tuple[Level, ...]:
    return tuple(Level(price_e9=price * TICK, quantity=quantity) for price, quantity in pairs)


def printed(**changes: Any) -> TradePrinted:
    return TradePrinted(
        **{
            "venue_id": "V1",
            "instrument_id": ACME,
            "price_e9": 10_000 * TICK,
            "quantity": 100,
            "own_quantity": 0,
            "aggressor": Side.BUY,
            "is_hidden": False,
            **changes,
        }
    )


# what is said, the reason, the field
@pytest.mark.parametrize(
    ("message", "reason", "field"),
    [
        (book_updated(bids=levels((0, 100))), R.PRICE_NOT_POSITIVE, "bids.price_e9"),
        (book_updated(asks=levels((-5, 100))), R.PRICE_NOT_POSITIVE, "asks.price_e9"),
        (book_updated(bids=levels((9_999, 0))), R.QUANTITY_NOT_POSITIVE, "bids.quantity"),
        (book_updated(asks=levels((10_001, -1))), R.QUANTITY_NOT_POSITIVE, "asks.quantity"),
        (book_updated(bids=levels((9_998, 1), (9_999, 1))), R.BOOK_NOT_ORDERED, "bids.price_e9"),
        (book_updated(asks=levels((10_001, 1), (10_001, 1))), R.BOOK_NOT_ORDERED, "asks.price_e9"),
        (printed(price_e9=0), R.PRICE_NOT_POSITIVE, "price_e9"),
        (printed(quantity=0), R.QUANTITY_NOT_POSITIVE, "quantity"),
        (printed(own_quantity=101), R.VALUE_OUT_OF_RANGE, "own_quantity"),
        (printed(own_quantity=-1), R.VALUE_OUT_OF_RANGE, "own_quantity"),
    ],
)
def test_it_is_named(message: Any, reason: R, field: str) -> None:
    with pytest.raises(DecodeError) as caught:
        check_market(outside(1), message, OPEN_NS)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_a_clock_ahead_is_named_and_a_slightly_fast_one_passes() -> None:
    check_market(outside(1, OPEN_NS + AHEAD_MAX_NS), book_updated(), OPEN_NS)
    with pytest.raises(DecodeError) as caught:
        check_market(outside(1, OPEN_NS + AHEAD_MAX_NS + 1), book_updated(), OPEN_NS)
    assert (caught.value.reason, caught.value.field) == (R.VALUE_OUT_OF_RANGE, "source_ns")


@pytest.mark.parametrize(
    "message",
    [
        book_updated(bids=(), asks=(), state=BookState.CLOSED),
        book_updated(bids=levels((10_002, 5)), asks=levels((10_001, 5))),  # crossed: it happens
        printed(own_quantity=100),
    ],
)
def test_what_markets_do_passes(message: Any) -> None:
    check_market(outside(1), message, OPEN_NS)


def test_a_poisoned_book_is_kept_and_the_quote_stays() -> None:
    shard = HostileShard()
    view = shard.application.state.market.instruments[ACME].books["V1"]
    bad = framed(book_updated("V1", bids=levels((-1, 5))))
    shard.put(topics.MARKET_DATA, bad)
    shard.clock.at_ns += SECOND
    (letter,) = shard.send(topics.MARKET_DATA, framed(book_updated("V2", asks=levels((0, 1)))))[-1:]
    assert isinstance(letter, DeadLetter)
    assert letter.reason is R.PRICE_NOT_POSITIVE
    assert shard.application.state.market.instruments[ACME].books["V1"] == view


def test_volume_beyond_any_record_is_counted_up_to_what_one_holds() -> None:
    view = MarketView()
    for ordinal in range(3):
        trade = printed(quantity=2**63 - 1)
        view.apply_trade(outside(ordinal), trade, volume_curve(first_bin_ns=OPEN_NS))
    assert view.others_quantity(ACME) == 2**62
    assert view.prints(ACME).observed(1, view.prints(ACME).first_bin_ns) == (2**62,)
