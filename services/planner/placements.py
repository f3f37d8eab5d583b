"""Solve ahead how slices of the sizes that are asked for split into taking and resting."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from schemas.messages.control import InstrumentDefined, SettingsLoaded, VenueDefined
from schemas.messages.core import BookState, OrderKind, PlacementLeg, Side, VenueKind
from schemas.messages.market import BookUpdated, TradePrinted
from schemas.messages.plans import PlacementSolved
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.scorecard import VenueScored
from schemas.messages.strategy import SliceReleased
from services.planner.frames import Frames
from services.planner.outflows import Market, Outflows
from services.planner.volumes import OwnVolumes
from streams.core.topics import (
    CONTROL_COMMANDS,
    DECISIONS_EVENTS,
    FILLS_EVENTS,
    MARKET_DATA,
    STRATEGIES_EVENTS,
)
from streams.models.placement import MODEL, Terms, solve
from streams.runtime.ports import Codec, Log, Record, TopicPartition

__all__ = ["Placements", "Wanted"]

READ: Final = (
    CONTROL_COMMANDS,
    MARKET_DATA,
    STRATEGIES_EVENTS,
    DECISIONS_EVENTS,
    FILLS_EVENTS,
)
KINDS: Final = (
    BookUpdated,
    TradePrinted,
    SliceReleased,
    FillBooked,
    FillBusted,
    FillCorrected,
    VenueScored,
    VenueDefined,
    InstrumentDefined,
    SettingsLoaded,
)
RECORDS: Final = 5_000
WINDOWS_MIN: Final = 20  # fewer say nothing of a queue
HALF_LIFE: Final = 60  # windows
WANTED_NS: Final = 300_000_000_000  # a size is solved for as long after it was asked for
VALID_NS: Final = 30_000_000_000
IMPACT_DIVISOR: Final = 40  # of the half spread, per unit; SPEC section 1 has .0005 of .02
UNDER_TIMES: Final = 2.0  # what is left over costs as often as taking it would have
E9: Final = 1_000_000_000
BPS: Final = 10_000


class Wanted(NamedTuple):
    """A size that slices have."""

    instrument_id: str
    side: Side
    bucket: int


class Placements:
    """Watches the market and the slices; solves again as soon as market time has gone on."""

    def __init__(self, log: Log, codec: Codec, *, every_ns: int) -> None:
        self._log = log
        self._codec = codec
        self._frames = Frames(KINDS)
        self._every_ns = every_ns
        self._outflows = Outflows()
        self._wanted: dict[Wanted, int] = {}  # when it was last asked for
        self._venues: dict[str, VenueDefined] = {}
        self._lots: dict[str, int] = {}
        self._adverse: dict[tuple[str, Side], int] = {}  # by venue, 1e-9 basis points
        self._volumes = OwnVolumes()
        self._overfill_bps = 0
        self._solved_ns = 0
        self._places = [
            TopicPartition(topic, number)
            for topic in READ
            for number in range(log.partitions(topic))
        ]
        self._reader = log.reader()
        self._reader.assign({place: log.start_offset(place) for place in self._places})

    def turn(self) -> list[PlacementSolved]:
        """Read what is there; return new placements when it is time, and nothing else waits."""
        for record in self._reader.poll(RECORDS, 0):
            self._read(record)
        at_ns = self._outflows.at_ns
        if at_ns - self._solved_ns < self._every_ns or not self.is_read():
            return []
        self._solved_ns = at_ns
        return list(self.solved())

    def is_read(self) -> bool:
        """Return whether all that is committed has been read."""
        return all(
            self._reader.position(place) >= self._log.stable_offset(place) for place in self._places
        )

    def close(self) -> None:
        self._reader.close()

    def see(self, message: Any, at_ns: int) -> None:
        """Fold one message at its time."""
        match message:
            case BookUpdated() | TradePrinted():
                self._outflows.see(message, at_ns)
            case FillBooked() | FillBusted() | FillCorrected():
                self._volumes.see(message, at_ns)
            case SliceReleased():
                lot = self._lots.get(message.instrument_id, 1)
                bucket = max(0, (message.quantity // lot).bit_length() - 1)
                self._wanted[Wanted(message.instrument_id, message.side, bucket)] = at_ns
            case VenueScored() if message.kind is OrderKind.PASSIVE:
                adverse = message.realized.mean_e9 - message.effective.mean_e9
                self._adverse[message.venue_id, message.side] = max(0, adverse)
            case VenueDefined():
                self._venues[message.venue_id] = message
            case InstrumentDefined():
                self._lots[message.instrument_id] = message.lot
            case SettingsLoaded() if message.context == "routing":
                self._overfill_bps = _overfill_bps(message.content, self._overfill_bps)
            case _:
                pass

    def solved(self) -> Iterator[PlacementSolved]:
        """Yield a placement for each size that was asked for lately and whose queues are known."""
        at_ns = self._outflows.at_ns
        for wanted, asked_ns in list(self._wanted.items()):
            if at_ns - asked_ns > WANTED_NS:
                del self._wanted[wanted]
                continue
            market = self._outflows.markets.get(wanted.instrument_id)
            found = None if market is None else self._solve(wanted, market, at_ns)
            if found is not None:
                yield found

    def _read(self, record: Record) -> None:
        if self._frames.is_one(record.value):
            envelope, message = self._codec.decode(record.value)
            self.see(message, envelope.source_ns or envelope.at_ns)

    def _solve(self, wanted: Wanted, market: Market, at_ns: int) -> PlacementSolved | None:
        windows = market.windows[wanted.side]
        books = [book for book in self._usable(market) if _near(book, wanted.side)]
        if len(windows) < WINDOWS_MIN or not books:
            return None
        bid_e9 = max((book.bids[0].price_e9 for book in books if book.bids), default=0)
        ask_e9 = min((book.asks[0].price_e9 for book in books if book.asks), default=0)
        if not bid_e9 < ask_e9:
            return None
        lot = self._lots.get(wanted.instrument_id, 1)
        lots = max(1, 3 * (1 << wanted.bucket) // 2)
        mid_e9 = (bid_e9 + ask_e9) // 2
        touch_e9 = bid_e9 if wanted.side is Side.BUY else ask_e9
        ahead = [_at(book, wanted.side, touch_e9) for book in books]
        outflows = np.array(
            [[each.get(book.venue_id, 0) / lot for book in books] for each in windows], dtype=float
        )
        ages = np.arange(len(windows) - 1, -1, -1)
        terms = self._terms(books, wanted.side, (ask_e9 - bid_e9) / 2, mid_e9)
        found = solve(
            lots,
            terms,
            [each / lot for each in ahead],
            outflows,
            weights=0.5 ** (ages / HALF_LIFE),
            beyond=lots * self._overfill_bps // BPS,
        )
        scale = E9 * BPS / mid_e9 / lots  # of money per lot to 1e-9 basis points of the whole
        return PlacementSolved(
            instrument_id=wanted.instrument_id,
            side=wanted.side,
            size_bucket=wanted.bucket,
            quantity=lots * lot,
            model=MODEL,
            solved_ns=at_ns,
            valid_ns=VALID_NS,
            market_quantity=found.market * lot,
            legs=tuple(
                PlacementLeg(venue_id=book.venue_id, quantity=part * lot, ahead_quantity=queue)
                for book, part, queue in zip(books, found.limits, ahead, strict=True)
            ),
            cost_bps_e9=round(found.cost * scale),
            bound_bps_e9=round(found.bound * scale),
            gap_bps_e9=round(found.cost * scale) - round(found.bound * scale),
            scenarios=len(windows),
            midpoint_e9=mid_e9,
            spread_e9=ask_e9 - bid_e9,
        )

    def _usable(self, market: Market) -> Iterator[BookUpdated]:
        for venue_id, book in sorted(market.books.items()):
            venue = self._venues.get(venue_id)
            if venue is None or not venue.is_enabled or venue.kind is VenueKind.DARK:
                continue
            if book.state is BookState.OPEN:
                yield book

    def _terms(self, books: list[BookUpdated], side: Side, half: float, mid_e9: int) -> Terms:
        """Return costs in 1e-9 currency units per whole unit."""
        venues = [self._volumes.terms(self._venues[book.venue_id]) for book in books]
        taker = min(each.taker_fee_e9 + mid_e9 * each.taker_fee_ppm / 1e6 for each in venues)
        rebates = tuple(
            -each.maker_fee_e9
            - mid_e9 * each.maker_fee_ppm / 1e6
            - self._adverse.get((each.venue_id, side), 0) * mid_e9 / E9 / BPS
            for each in venues
        )
        under = UNDER_TIMES * max(half + taker, half / 2)
        return Terms(half, taker, rebates, half / IMPACT_DIVISOR, under, over=2 * half + taker)


def _near(book: BookUpdated, side: Side) -> bool:
    return bool(book.bids if side is Side.BUY else book.asks)


def _at(book: BookUpdated, side: Side, price_e9: int) -> int:
    """Return what stands before somebody who joins at the price, better prices included."""
    sign = 1 if side is Side.BUY else -1
    levels = book.bids if side is Side.BUY else book.asks
    return sum(level.quantity for level in levels if (level.price_e9 - price_e9) * sign >= 0)


def _overfill_bps(content: str, before: int) -> int:
    try:
        return int(json.loads(content).get("overfill_bps", 0))
    except (ValueError, AttributeError):
        return before
