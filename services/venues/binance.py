"""Binance's raw streams: order books kept from diffs, with the gap check, and trades."""

import gzip
from collections.abc import Iterator
from heapq import nlargest, nsmallest
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from services.venues.frames import PriceLevel
from streams.core.errors import Error

__all__ = ["BinanceFeed", "BinanceTrade", "TapeGapError"]

LEVELS = 5
MARKET = "MARKET"
RUN_NS = 100_000_000
E9 = 9  # decimals of prices


class TapeGapError(Error):
    """A diff does not follow the one before it."""

    def __init__(self, path: Path, first: int, last: int) -> None:
        super().__init__(f"{path}: update {first} does not follow {last}")
        self.path = path
        self.first = first
        self.last = last


class Data(msgspec.Struct, gc=False):
    """The fields used of depthUpdate, bookTicker and trade."""

    bids: Any = msgspec.field(name="b", default="")  # of a ticker: the best bid's price
    asks: Any = msgspec.field(name="a", default="")
    bid_quantity: str = msgspec.field(name="B", default="")
    ask_quantity: str = msgspec.field(name="A", default="")
    first_id: int = msgspec.field(name="U", default=0)
    last_id: int = msgspec.field(name="u", default=0)
    previous_id: int = msgspec.field(name="pu", default=-1)  # futures only
    price: str = msgspec.field(name="p", default="")
    quantity: str = msgspec.field(name="q", default="")
    is_buyer_resting: bool = msgspec.field(name="m", default=False)
    kind: str = msgspec.field(name="X", default=MARKET)  # futures print insurance trades too


class Line(msgspec.Struct, gc=False):
    """One line: a stream message, or the REST snapshot."""

    stream: str = ""
    data: Data = msgspec.field(default_factory=Data)
    snapshot_id: int = msgspec.field(name="lastUpdateId", default=0)
    bids: Any = ()
    asks: Any = ()


class BinanceTrade(NamedTuple):
    """One print. Quantity in the instrument's smallest units."""

    at_ns: int
    price_e9: int
    quantity: int
    is_sell: bool  # whether the seller took


class BinanceFeed:
    """One file, read on as far as it is asked to. `quantity_decimals`: of the smallest unit.

    Raises TapeGapError. Lines before the snapshot are kept and applied after it, as Binance's
    manual says.
    """

    def __init__(self, path: Path, quantity_decimals: int) -> None:
        self.path = path
        self._decimals = quantity_decimals
        self._lines = self._read()
        self._waiting: tuple[int, bytes] | None = next(self._lines, None)
        self._decode = msgspec.json.Decoder(Line).decode
        self._bids: dict[int, str] = {}
        self._asks: dict[int, str] = {}
        self._ticker: Data | None = None
        self._early: list[Data] = []
        self._last = 0  # update id that the book includes
        self._previous = 0  # of the last diff seen
        self.is_synced = False
        self.diffs = 0

    def advance(self, until_ns: int) -> list[BinanceTrade]:
        """Apply every line up to that time; return the trades among them.

        One taker's run at one price is one trade, as in Binance's own aggTrade stream.
        """
        trades: list[BinanceTrade] = []
        while self._waiting is not None and self._waiting[0] <= until_ns:
            at_ns, text = self._waiting
            line = self._decode(text)
            if line.snapshot_id:
                self._snapshot(line)
            elif line.stream.endswith("@trade"):
                if line.data.kind == MARKET:
                    _append(trades, self._trade(at_ns, line.data))
            elif line.stream.endswith("@bookTicker"):
                self._ticker = line.data
            else:
                self._diff(line.data)
            self._waiting = next(self._lines, None)
        return trades

    def next_ns(self) -> int | None:
        """Return the time of the next line, None at the end."""
        return None if self._waiting is None else self._waiting[0]

    def bids(self) -> tuple[PriceLevel, ...]:
        """Return the best bids, best first. Between diffs the best is what the ticker says."""
        prices = nlargest(2 * LEVELS, self._bids)
        return self._levels(prices, self._bids, is_bid=True)

    def asks(self) -> tuple[PriceLevel, ...]:
        """Return the best offers, best first."""
        prices = nsmallest(2 * LEVELS, self._asks)
        return self._levels(prices, self._asks, is_bid=False)

    def trades(self) -> Iterator[BinanceTrade]:
        """Yield the file's trades from its beginning, whatever was read so far."""
        for at_ns, text in self._read():
            if b'@trade"' in text[:64]:
                data = self._decode(text).data
                if data.kind == MARKET:
                    yield self._trade(at_ns, data)

    def last_ns(self) -> int:
        """Return the time of the last line."""
        return max(at_ns for at_ns, _ in self._read())

    def _read(self) -> Iterator[tuple[int, bytes]]:
        with gzip.open(self.path) as file:
            for line in file:
                stamp, _, text = line.partition(b" ")
                yield int(stamp), text

    def _snapshot(self, line: Line) -> None:
        self._bids = {_price(price): quantity for price, quantity in line.bids}
        self._asks = {_price(price): quantity for price, quantity in line.asks}
        self._last = line.snapshot_id
        self.is_synced = True
        early, self._early = self._early, []
        for data in early:
            self._apply(data)

    def _diff(self, data: Data) -> None:
        follows = (
            data.previous_id == self._previous
            if data.previous_id >= 0
            else data.first_id == self._previous + 1
        )
        if self._previous and not follows:
            raise TapeGapError(self.path, data.first_id, self._previous)
        self._previous = data.last_id
        self.diffs += 1
        if self.is_synced:
            self._apply(data)
        else:
            self._early.append(data)

    def _apply(self, data: Data) -> None:
        if data.last_id <= self._last:
            return
        is_first = data.first_id <= self._last + 1  # the first one straddles the snapshot
        if data.previous_id < 0 and not is_first:
            raise TapeGapError(self.path, data.first_id, self._last)
        self._last = data.last_id
        for book, levels in ((self._bids, data.bids), (self._asks, data.asks)):
            for price, quantity in levels:
                if quantity.strip("0."):
                    book[_price(price)] = quantity
                else:
                    book.pop(_price(price), None)

    def _levels(
        self, prices: list[int], book: dict[int, str], *, is_bid: bool
    ) -> tuple[PriceLevel, ...]:
        quantities = {price: book[price] for price in prices}
        ticker = self._ticker
        if ticker is not None and ticker.last_id >= self._last:
            best, quantity = (
                (ticker.bids, ticker.bid_quantity) if is_bid else (ticker.asks, ticker.ask_quantity)
            )
            best_e9 = _price(best)
            quantities = {
                price: text
                for price, text in quantities.items()
                if (price < best_e9 if is_bid else price > best_e9)
            }
            quantities[best_e9] = quantity
        found = []
        for price in sorted(quantities, reverse=is_bid):
            units = _scaled(quantities[price], self._decimals)
            if units:
                found.append((price, units))
        return tuple(found[:LEVELS])

    def _trade(self, at_ns: int, data: Data) -> BinanceTrade:
        return BinanceTrade(
            at_ns, _price(data.price), _scaled(data.quantity, self._decimals), data.is_buyer_resting
        )


def _append(trades: list[BinanceTrade], trade: BinanceTrade) -> None:
    last = trades[-1] if trades else None
    if (
        last is not None
        and (last.price_e9, last.is_sell) == (trade.price_e9, trade.is_sell)
        and trade.at_ns - last.at_ns < RUN_NS
    ):
        trades[-1] = last._replace(quantity=last.quantity + trade.quantity)
    else:
        trades.append(trade)


def _price(text: str) -> int:
    return _scaled(text, E9)


def _scaled(text: str, decimals: int) -> int:
    """Return a decimal text in units of 10 ** -decimals.

    Rounds: down; both venues' step sizes are whole units, so nothing is lost.
    """
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:decimals].ljust(decimals, "0"))
