"""Two recorded venues at once: Binance spot and its USD-M futures, each with its own book."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.messages.control import InstrumentDefined, VenueDefined
from schemas.messages.core import BookState, Side
from services.venues.assumptions import TICK_E9, crypto_venues
from services.venues.binance import BinanceFeed
from services.venues.frames import UNMOVED, BookTarget, Frame, MarketTrade, Moved

__all__ = ["BinanceTape", "open_binance"]

SECOND_NS = 1_000_000_000
CURRENCY = "USDT"
# Decimals of the smallest unit; tick * lot is a whole and even number of cash units with each.
DECIMALS = {"BTCUSDT": 5, "ETHUSDT": 4}
UNIT = 500  # smallest units of a small order: 0.005 BTC, 0.05 ETH
MAXIMUM_UNITS = 10_000_000
FOLDERS = {"binance_spot": "BINANCE_SPOT", "binance_usdm": "BINANCE_USDM"}


class Recorded(NamedTuple):
    """One file: which venue's book of which instrument."""

    venue_id: str
    instrument_id: str
    path: Path

    def feed(self) -> BinanceFeed:
        return BinanceFeed(self.path, DECIMALS[self.instrument_id])


class BinanceTape:
    """Implements scenario.Tape.

    Instruments have the finer venue's grid (tick 0.01, lot 1e-5 BTC); the futures' own coarser grid
    (0.1, 0.001 BTC) is that of its recorded book, and is not asked of our orders.
    """

    def __init__(self, files: Sequence[Recorded]) -> None:
        self._files = files
        feeds = [each.feed() for each in files]
        for feed in feeds:  # until every book is whole
            while not feed.is_synced and (next_ns := feed.next_ns()) is not None:
                feed.advance(next_ns)
        begin_ns = max(feed.next_ns() or 0 for feed in feeds)
        self.start_ns = -(-begin_ns // SECOND_NS) * SECOND_NS
        self.seconds = (min(feed.last_ns() for feed in feeds) - self.start_ns) // SECOND_NS
        self.trade_date = int(files[0].path.name.split(".")[0].split("_")[1])
        venues = {each.venue_id for each in files}
        self.venues: Sequence[VenueDefined] = [
            venue for venue in crypto_venues() if venue.venue_id in venues
        ]
        self._symbols = sorted({each.instrument_id for each in files})
        books = ", ".join(f"{each.instrument_id} at {each.venue_id}" for each in files)
        self.name = f"Binance {self.trade_date}; recorded books as they are: {books}"
        self.prices_e9: Sequence[int] = [self._first_price(symbol) for symbol in self._symbols]
        self.units: Sequence[int] = [UNIT for _ in self._symbols]

    def instruments(self, close_ns: int) -> tuple[InstrumentDefined, ...]:
        """Return the instruments, open until `close_ns`."""
        return tuple(
            InstrumentDefined(
                instrument_id=symbol,
                symbol=symbol,
                currency=CURRENCY,
                tick_e9=TICK_E9,
                lot=1,
                quantity_scale=10 ** DECIMALS[symbol],
                maximum_quantity=MAXIMUM_UNITS,
                session_open_ns=self.start_ns,
                session_close_ns=close_ns,
                trade_date=self.trade_date,
            )
            for symbol in self._symbols
        )

    def volumes(self, minutes: int) -> tuple[str, list[list[int]]]:
        """Return the tape's mean volume for each minute: six minutes have no shape to learn."""
        totals = dict.fromkeys(self._symbols, 0)
        end_ns = self.start_ns + self.seconds * SECOND_NS
        for each in self._files:
            for trade in each.feed().trades():
                if self.start_ns < trade.at_ns <= end_ns:
                    totals[each.instrument_id] += trade.quantity
        rows = [[totals[each] * 60 // self.seconds] * minutes for each in self._symbols]
        return "own-tape/flat", rows

    def source(self, seed: int, step_ns: int, open_steps: int) -> "BinanceMarket":
        return BinanceMarket(self._files, self.start_ns, step_ns, open_steps)

    def _first_price(self, symbol: str) -> int:
        feed = next(each for each in self._files if each.instrument_id == symbol).feed()
        feed.advance(self.start_ns)
        middle_e9 = (feed.bids()[0][0] + feed.asks()[0][0]) // 2
        return middle_e9 - middle_e9 % TICK_E9


class BinanceMarket:
    """Implements frames.MarketSource; reads on as steps are asked for."""

    def __init__(
        self, files: Sequence[Recorded], start_ns: int, step_ns: int, open_steps: int
    ) -> None:
        self._files = files
        self._start_ns = start_ns
        self._step_ns = step_ns
        self._open_steps = open_steps
        self._feeds: list[BinanceFeed] = []
        self._next = 0
        self._last = Frame((), (), ())

    def frame(self, step: int, moved: Moved = UNMOVED) -> Frame:
        """Return the step; an earlier one again costs a new reading of the files."""
        if step > self._open_steps:
            closed = [each._replace(state=BookState.CLOSED) for each in self._last.targets]
            return Frame(tuple(closed), (), ())
        if step < self._next - 1 or self._next == 0:
            self._feeds = [each.feed() for each in self._files]
            for feed in self._feeds:
                feed.advance(self._start_ns - 1)
            self._next = 0
        while self._next <= step:
            is_asked = self._next == step
            self._last = self._read(self._next, is_asked=is_asked)
            self._next += 1
        return self._last

    def _read(self, step: int, *, is_asked: bool) -> Frame:
        """Read one step; books are not put together for steps that are only passed over."""
        until_ns = self._start_ns + step * self._step_ns
        state = BookState.OPEN if step < self._open_steps else BookState.CLOSED
        trades: list[MarketTrade] = []
        targets: list[BookTarget] = []
        for each, feed in zip(self._files, self._feeds, strict=True):
            trades.extend(
                MarketTrade(
                    trade.at_ns,
                    each.venue_id,
                    each.instrument_id,
                    Side.SELL if trade.is_sell else Side.BUY,
                    trade.quantity,
                    trade.price_e9,
                )
                for trade in feed.advance(until_ns)
                if step
            )
            if is_asked:
                targets.append(
                    BookTarget(each.venue_id, each.instrument_id, state, feed.bids(), feed.asks())
                )
        trades.sort(key=lambda trade: trade.at_ns)
        return Frame(tuple(targets), tuple(trades), ())


def open_binance(folder: Path) -> BinanceTape:
    """Open every recording in the folder, spot first."""
    return BinanceTape(
        [
            Recorded(venue_id, path.name.split("_")[0].upper(), path)
            for name, venue_id in FOLDERS.items()
            for path in sorted((folder / name).glob("*.gz"))
        ]
    )
