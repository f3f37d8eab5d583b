"""What venues say of their auctions is kept, newest word first, and told to routing."""

from typing import Any

import pytest

from schemas.messages.core import PhaseKind, ReferencePrice
from schemas.messages.core import RejectReason as R
from streams.core import topics
from streams.core.errors import DecodeError
from streams.core.market import Auction
from streams.shard.auctions import keep_auction, likely_price
from streams.shard.limits import reference_price
from streams.shard.market import MarketView
from streams.shard.market_checks import QUANTITY_MAX, check_market
from tests.support.auctions import CUTOFF_NS, UNCROSS_NS, auction_indicated
from tests.support.builders import ACME, OPEN_NS, SECOND, TICK, instrument_defined
from tests.support.hostile import outside
from tests.support.shard_host import trading_host

FINAL: dict[str, Any] = {"is_final": True, "price_e9": 5, "quantity": 300}


def kept(*messages: Any) -> list[tuple[str, int, bool, int]]:
    view = MarketView()
    for message in messages:
        view.apply_auction(outside(1), message)
    return [
        (each.venue_id, each.quantity, each.is_final, each.traded_quantity)
        for each in view.auctions(ACME)
    ]


def test_the_newest_word_of_each_venue_holds_until_the_outcome() -> None:
    first, grown = auction_indicated(), auction_indicated(quantity=100)
    assert kept(first, auction_indicated("V2"), grown) == [
        ("V1", 100, False, 0),
        ("V2", 0, False, 0),
    ]
    assert kept(grown, auction_indicated(**FINAL), grown) == [("V1", 300, True, 300)]


def test_the_next_auction_follows_and_what_an_earlier_one_said_late_is_passed_over() -> None:
    final = auction_indicated(**FINAL)
    later = auction_indicated(uncross_ns=UNCROSS_NS + SECOND, quantity=7)
    assert kept(final, later, auction_indicated(quantity=9)) == [("V1", 7, False, 300)]


def test_opening_and_closing_auctions_of_a_venue_are_two() -> None:
    opening = auction_indicated(auction=PhaseKind.OPENING_AUCTION)
    assert len(kept(opening, auction_indicated())) == 2


# what is said, the field
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_e9": 0}, "price_e9"),
        ({"reference_price_e9": -1}, "reference_price_e9"),
        ({"quantity": -1}, "quantity"),
        ({"imbalance_quantity": QUANTITY_MAX + 1}, "imbalance_quantity"),
        ({"auction": PhaseKind.LUNCH}, "auction"),
        ({"auction": PhaseKind.UNKNOWN}, "auction"),
        ({"cutoff_ns": UNCROSS_NS + 1}, "cutoff_ns"),
        ({"cutoff_ns": 0}, "cutoff_ns"),
    ],
)
def test_what_no_venue_can_have_said_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(DecodeError) as caught:
        check_market(outside(1), auction_indicated(**changes), OPEN_NS)
    reasons = {"price_e9": R.PRICE_NOT_POSITIVE, "reference_price_e9": R.PRICE_NOT_POSITIVE}
    assert caught.value.field == field
    assert caught.value.reason is reasons.get(field, R.VALUE_OUT_OF_RANGE)


def test_routing_is_told_and_a_restored_shard_knows_the_same() -> None:
    host = trading_host()
    host.send(topics.MARKET_DATA, auction_indicated())
    books = host.app._knows.books(ACME)
    assert books is not None
    (told,) = books.auctions
    assert (told.venue_id, told.cutoff_ns, told.is_primary) == ("V1", CUTOFF_NS, True)
    host.recover()  # raises unless folding the log ends where deciding did


def test_without_a_quote_or_a_trade_the_limits_go_by_the_auction() -> None:
    host = trading_host(instrument_defined(instrument_id="BOLT"))
    knows = host.app._knows
    assert reference_price(knows, "BOLT").kind is ReferencePrice.NONE
    others = auction_indicated("V2", instrument_id="BOLT", price_e9=7)
    host.send(topics.MARKET_DATA, others, auction_indicated(instrument_id="BOLT"))
    found = reference_price(knows, "BOLT")
    assert (found.kind, found.price_e9) == (ReferencePrice.LAST_QUOTE, 10_000 * TICK)
    newer = auction_indicated(instrument_id="BOLT", price_e9=10_005 * TICK)
    host.send(topics.MARKET_DATA, newer)
    assert reference_price(knows, "BOLT").price_e9 == 10_005 * TICK


def test_an_old_word_names_no_price() -> None:
    known: dict[str, Auction] = {}
    keep_auction(known, outside(1), auction_indicated())
    at_ns = known["CLOSING_AUCTION/V1"].at_ns
    assert likely_price(known, at_ns + SECOND, SECOND) is known["CLOSING_AUCTION/V1"]
    assert likely_price(known, at_ns + SECOND + 1, SECOND) is None
