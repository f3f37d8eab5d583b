"""A LOBSTER day as a market: one recorded book split over three venues by a seeded rule."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.messages.control import InstrumentDefined, VenueDefined
from schemas.messages.core import BookState, Side
from services.venues.assumptions import DARK, LIT_SHARES, TICK_E9, share_venues
from services.venues.chances import draw
from services.venues.frames import (
    UNMOVED,
    BookTarget,
    ContraInterest,
    Frame,
    HiddenOrder,
    MarketTrade,
    Moved,
    PriceLevel,
)
from services.venues.lobster import (
    EXECUTED_HIDDEN,
    LobsterDay,
    LobsterRow,
    LobsterStep,
    read_rows,
    read_steps,
)
from services.venues.terms import opposite

__all__ = ["LobsterTape", "open_lobster", "split_level"]

EXECUTIONS = (4, 5)
SECOND_NS = 1_000_000_000
MAXIMUM_QUANTITY = 100_000
UNIT = 4  # shares of a small order
PREFETCHED_PER_CENT = 60  # of steps in which hidden interest is there, as in the generated market
INTEREST_PER_CENT = 5  # of steps in which somebody comes to the dark venue
INTEREST_STEPS = 10
INTEREST_SIZE = 100


class LobsterTape:
    """Implements scenario.Tape."""

    def __init__(self, day: LobsterDay, seed: int) -> None:
        self._day = day
        self._weights = split_weights(seed)
        first = next(read_steps(day, SECOND_NS))
        middle_e9 = (first.bids[0][0] + first.asks[0][0]) // 2
        shares = ", ".join(f"{name} {weight} %" for name, weight in self._weights.items())
        self.name = (
            f"LOBSTER {day.ticker} {day.trade_date}; one recorded book split by seed {seed}: "
            f"{shares} of each level, each print at one venue by the same odds"
        )
        self.start_ns = day.open_ns
        self.seconds = (day.close_ns - day.open_ns) // SECOND_NS
        self.venues: Sequence[VenueDefined] = share_venues()
        self.prices_e9: Sequence[int] = [middle_e9 - middle_e9 % TICK_E9]
        self.units: Sequence[int] = [UNIT]

    def instruments(self, close_ns: int) -> tuple[InstrumentDefined, ...]:
        """Return the one share, open until `close_ns`."""
        return (
            InstrumentDefined(
                instrument_id=self._day.ticker,
                symbol=self._day.ticker,
                currency="USD",
                tick_e9=TICK_E9,
                lot=1,
                quantity_scale=1,
                maximum_quantity=MAXIMUM_QUANTITY,
                session_open_ns=self._day.open_ns,
                session_close_ns=close_ns,
                trade_date=self._day.trade_date,
            ),
        )

    def volumes(self, minutes: int) -> tuple[str, list[list[int]]]:
        """Return the tape's own volume by five minutes, spread over their minutes.

        It stands in for the average of earlier days, which the tape has not: it looks ahead, so
        the strategies' curve is better here than it would be in life.
        """
        bins = [0] * (-(-minutes // 5))
        for row in read_rows(self._day):
            which = (row.at_ns - self._day.open_ns) // (300 * SECOND_NS)
            if which >= len(bins):
                break
            if row.kind in EXECUTIONS:
                bins[which] += row.quantity
        return "own-tape/5min", [[bins[minute // 5] // 5 for minute in range(minutes)]]

    def source(self, seed: int, step_ns: int, open_steps: int) -> "LobsterMarket":
        return LobsterMarket(self._day, seed, self._weights, step_ns, open_steps)


class LobsterMarket:
    """Implements frames.MarketSource; reads on as steps are asked for."""

    def __init__(
        self, day: LobsterDay, seed: int, weights: dict[str, int], step_ns: int, open_steps: int
    ) -> None:
        self._day = day
        self._seed = seed
        self._weights = weights
        self._step_ns = step_ns
        self._open_steps = open_steps
        self._steps: Iterator[LobsterStep] = iter(())
        self._next = 0
        self._last = LobsterStep((), BookState.CLOSED, (), ())

    def frame(self, step: int, moved: Moved = UNMOVED) -> Frame:
        """Return the step; the one before again costs a new reading of the file."""
        recorded = self._recorded(step) if step <= self._open_steps else self._last
        is_open = step < self._open_steps
        state = recorded.state if is_open else BookState.CLOSED
        trades = [] if step > self._open_steps else self._trades(recorded)
        interest = self._interest(step) if 1 <= step < self._open_steps else ()
        return Frame(tuple(self._targets(recorded, state, step)), tuple(trades), interest)

    def _recorded(self, step: int) -> LobsterStep:
        if step < self._next - 1 or self._next == 0:
            self._steps = read_steps(self._day, self._step_ns)
            self._next = 0
        while self._next <= step:
            self._last = next(self._steps, self._last._replace(executions=()))
            self._next += 1
        return self._last

    def _targets(self, recorded: LobsterStep, state: BookState, step: int) -> list[BookTarget]:
        ticker = self._day.ticker
        bids = {venue_id: list[PriceLevel]() for venue_id in self._weights}
        asks = {venue_id: list[PriceLevel]() for venue_id in self._weights}
        for recorded_levels, by_venue in ((recorded.bids, bids), (recorded.asks, asks)):
            for price_e9, size in recorded_levels:
                for venue_id, part in split_level(self._weights, price_e9, size):
                    by_venue[venue_id].append((price_e9, part))
        targets = []
        for number, venue_id in enumerate(self._weights):
            bits = draw(self._seed, f"hidden/{venue_id}", step // 4)
            hidden = [HiddenOrder(step // 4 * 8 + number, 0, 0)] * 2
            own = (bids, asks)[bits & 1][venue_id]
            if own and (bits >> 8) % 100 < PREFETCHED_PER_CENT:
                hidden[bits & 1] = HiddenOrder(step // 4 * 8 + number, own[0][0], own[0][1])
            targets.append(
                BookTarget(
                    venue_id,
                    ticker,
                    state,
                    tuple(bids[venue_id]),
                    tuple(asks[venue_id]),
                    hidden[0],
                    hidden[1],
                )
            )
        targets.append(BookTarget(DARK, ticker, state, (), ()))
        return targets

    def _trades(self, recorded: LobsterStep) -> list[MarketTrade]:
        return [self._trade(row, ordinal) for ordinal, row in enumerate(recorded.executions)]

    def _trade(self, row: LobsterRow, ordinal: int) -> MarketTrade:
        part = draw(self._seed, "print", f"{row.at_ns}/{ordinal}") % 100
        venue_id = ""
        for venue_id, weight in self._weights.items():  # noqa: B007 - the last one stays
            if part < weight:
                break
            part -= weight
        return MarketTrade(
            row.at_ns,
            venue_id,
            self._day.ticker,
            opposite(row.side),
            row.quantity,
            row.price_e9,
            row.kind == EXECUTED_HIDDEN,
        )

    def _interest(self, step: int) -> tuple[ContraInterest, ...]:
        bits = draw(self._seed, "interest", step)
        if bits % 100 >= INTEREST_PER_CENT:
            return ()
        at_ns = self._day.open_ns + (step - 1) * self._step_ns + 1 + (bits >> 16) % self._step_ns
        return (
            ContraInterest(
                at_ns,
                DARK,
                self._day.ticker,
                Side.BUY if bits >> 8 & 1 else Side.SELL,
                INTEREST_SIZE * (1 + (bits >> 9) % 5),
                at_ns + INTEREST_STEPS * self._step_ns,
            ),
        )


def split_weights(seed: int) -> dict[str, int]:
    """Return each lit venue's part in per cent: the usual ones in an order drawn by the seed."""
    weights = sorted(LIT_SHARES.values(), key=lambda weight: draw(seed, "split", weight))
    return dict(zip(LIT_SHARES, weights, strict=True))


def split_level(weights: dict[str, int], price_e9: int, size: int) -> list[tuple[str, int]]:
    """Return the parts of a level by venue, empty ones left out; they sum to `size`.

    Rounds: down; what is left goes to a venue that the price picks, so that small levels are not
            all at the same one.
    """
    parts = {venue_id: size * weight // 100 for venue_id, weight in weights.items()}
    names = [*parts]
    parts[names[price_e9 // TICK_E9 % len(names)]] += size - sum(parts.values())
    assert sum(parts.values()) == size
    return [(venue_id, part) for venue_id, part in parts.items() if part]


def open_lobster(path: Path, seed: int) -> LobsterTape:
    return LobsterTape(LobsterDay.of(path), seed)
