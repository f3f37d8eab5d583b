"""LOBSTER days: a message file and the five best levels after each message, from one zip."""

import io
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile
from zoneinfo import ZoneInfo

from schemas.messages.core import BookState, Side
from services.venues.frames import PriceLevel

__all__ = ["LobsterDay", "LobsterRow", "LobsterStep", "read_rows", "read_steps"]

E9_PER_PRICE = 100_000  # prices are in 1e-4 dollars
EMPTY_PRICE = 9_999_999_999  # of a level that nobody occupies, negative for a bid
SECOND_NS = 1_000_000_000
SUBMITTED, PARTLY_CANCELED, DELETED, EXECUTED, EXECUTED_HIDDEN, HALT = 1, 2, 3, 4, 5, 7
NEW_YORK = ZoneInfo("America/New_York")


class LobsterDay(NamedTuple):
    """What the name of a file says."""

    path: Path
    ticker: str
    trade_date: int  # yyyymmdd
    midnight_ns: int  # of New York, UTC ns
    open_ns: int
    close_ns: int
    messages: str  # names inside the zip
    books: str

    @staticmethod
    def of(path: Path) -> "LobsterDay":
        """Read the names in the archive. Raises OSError, ValueError."""
        with ZipFile(path) as archive:
            names = archive.namelist()
        pattern = r"([A-Z.]+)_(\d{4})-(\d\d)-(\d\d)_(\d+)_(\d+)_message_\d+\.csv"
        for name in names:
            match = re.fullmatch(pattern, name)
            if match:
                year, month, day, opens_ms, closes_ms = (int(part) for part in match.groups()[1:])
                midnight = datetime(year, month, day, tzinfo=NEW_YORK)
                midnight_ns = int(midnight.timestamp()) * SECOND_NS
                return LobsterDay(
                    path,
                    match[1],
                    year * 10_000 + month * 100 + day,
                    midnight_ns,
                    midnight_ns + opens_ms * 1_000_000,
                    midnight_ns + closes_ms * 1_000_000,
                    name,
                    name.replace("_message_", "_orderbook_"),
                )
        raise ValueError(f"{path}: no message file in it")


class LobsterRow(NamedTuple):
    """One message. `side` is that of the resting order."""

    at_ns: int
    kind: int
    quantity: int
    price_e9: int
    side: Side
    order_id: int


class LobsterStep(NamedTuple):
    """A step: its executions and halts in order, and the book at its end."""

    executions: tuple[LobsterRow, ...]
    state: BookState
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


def read_rows(day: LobsterDay) -> Iterator[LobsterRow]:
    """Yield every message of the day."""
    with ZipFile(day.path) as archive, archive.open(day.messages) as file:
        for line in io.TextIOWrapper(file, encoding="ascii"):
            yield _row(day, line.split(","))


def read_steps(day: LobsterDay, step_ns: int) -> Iterator[LobsterStep]:
    """Yield step 0 (the book before the first message is not recorded: the first one) and on.

    Only executions, halts and the last book of each step are parsed.
    """
    with (
        ZipFile(day.path) as archive,
        archive.open(day.messages) as message_file,
        archive.open(day.books) as book_file,
    ):
        end_ns = day.open_ns
        state = BookState.OPEN
        executions: list[LobsterRow] = []
        last_line = b""
        for line, book_line in zip(message_file, book_file, strict=True):
            parts = line.split(b",")
            at_ns = day.midnight_ns + _seconds_ns(parts[0])
            last_line = last_line or book_line  # stands in for the book at the open
            while at_ns > end_ns:
                bids, asks = _book(last_line)
                yield LobsterStep(tuple(executions), state, bids, asks)
                executions = []
                end_ns += step_ns
            last_line = book_line
            kind = int(parts[1])
            if kind in (EXECUTED, EXECUTED_HIDDEN):
                executions.append(_row(day, [part.decode() for part in parts]))
            elif kind == HALT:
                # Price 1 says that trading goes on; 0 that quoting does, which is no trading yet.
                state = BookState.OPEN if int(parts[4]) == 1 else BookState.HALTED
        bids, asks = _book(last_line)
        yield LobsterStep(tuple(executions), state, bids, asks)


def _row(day: LobsterDay, parts: list[str]) -> LobsterRow:
    return LobsterRow(
        at_ns=day.midnight_ns + _seconds_ns(parts[0].encode()),
        kind=int(parts[1]),
        order_id=int(parts[2]),
        quantity=int(parts[3]),
        price_e9=int(parts[4]) * E9_PER_PRICE,
        side=Side.BUY if int(parts[5]) == 1 else Side.SELL,
    )


def _seconds_ns(text: bytes) -> int:
    """Return decimal seconds in ns, exactly: a float would lose the last digits."""
    whole, _, fraction = text.partition(b".")
    return int(whole) * SECOND_NS + int(fraction.ljust(9, b"0")[:9] or b"0")


def _book(line: bytes) -> tuple[tuple[PriceLevel, ...], tuple[PriceLevel, ...]]:
    """Return bids and asks; columns are ask price, ask size, bid price, bid size by level."""
    numbers = [int(part) for part in line.split(b",")]
    asks = [
        (price * E9_PER_PRICE, size)
        for price, size in zip(numbers[0::4], numbers[1::4], strict=True)
        if price != EMPTY_PRICE and size > 0
    ]
    bids = [
        (price * E9_PER_PRICE, size)
        for price, size in zip(numbers[2::4], numbers[3::4], strict=True)
        if price != -EMPTY_PRICE and size > 0
    ]
    return tuple(bids), tuple(asks)
