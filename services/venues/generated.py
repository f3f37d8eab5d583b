"""A generated market: seeded walks, books round them, and other people's orders. Integers only."""

from collections.abc import Sequence
from math import isqrt
from random import Random

from schemas.messages.core import BookState, Side
from services.venues import pools
from services.venues.assumptions import DARK, LIT_SHARES, TICK_E9, Share
from services.venues.chances import stream
from services.venues.frames import (
    UNMOVED,
    BookTarget,
    ContraInterest,
    Frame,
    HiddenOrder,
    MarketTrade,
    Moved,
)

__all__ = ["GeneratedMarket"]

SESSION_SECONDS = 390 * 60
SECOND_NS = 1_000_000_000
SUB_TICKS = 1_000_000  # of a tick: the walk is finer than the grid
LEAST = 100 * SUB_TICKS  # no price falls lower
LEVELS = 6
HIDDEN_PER_CENT = 60  # of books that hold a hidden order at the touch
HIDDEN_STEPS = 4  # it is drawn anew that often
SIZE_STEPS = 16  # displayed sizes are drawn anew that often
INTEREST_PER_CENT = 8  # of steps in which somebody comes to the dark venue
INTEREST_STEPS = 10  # and waits that long
BURSTS = (0, 1, 1, 1, 2)  # trades come in bursts; mean 1
SIZES = (25, 50, 50, 100, 100, 100, 275)  # per cent of the mean trade size; mean 100


class GeneratedMarket:
    """Implements frames.MarketSource for the invented shares.

    The walk itself does not depend on our trading: how far that has moved prices comes from outside
    (impact.py), and what we take out of the books is missing there until it is replenished
    (matching.refresh).
    """

    def __init__(
        self,
        seed: int,
        shares: Sequence[Share],
        volumes: Sequence[Sequence[int]],
        *,
        start_ns: int,
        step_ns: int,
        open_steps: int,
        is_wide: bool = False,
    ) -> None:
        """`volumes`: expected shares by minute, one row per share. `is_wide`: see pools.py."""
        self._seed = seed
        self._shares = tuple(shares)
        self._volumes = tuple(tuple(row) for row in volumes)
        self._start_ns = start_ns
        self._step_ns = step_ns
        self._open_steps = open_steps
        self._is_wide = is_wide
        self._horizon = max(pools.HORIZON_NS // step_ns, 1)
        self._walks = [[share.price_ticks * SUB_TICKS for share in self._shares]]
        # Standard deviation of one step's move in sub-ticks.
        self._moves = [
            share.price_ticks * SUB_TICKS // 10_000 * share.volatility_bps
            // isqrt(SESSION_SECONDS * SECOND_NS // step_ns)
            for share in self._shares
        ]  # fmt: skip

    def frame(self, step: int, moved: Moved = UNMOVED) -> Frame:
        """Return the step's books, trades and dark interest."""
        middles = self._middles(step)
        if moved:
            middles = [
                max(middle + moved.get(share.instrument_id, 0) * SUB_TICKS // TICK_E9, LEAST)
                for middle, share in zip(middles, self._shares, strict=True)
            ]
        random = stream(self._seed, "market", step)
        state = BookState.OPEN if step < self._open_steps else BookState.CLOSED
        targets: list[BookTarget] = []
        trades: list[MarketTrade] = []
        interest: list[ContraInterest] = []
        start_ns = self._start_ns + (step - 1) * self._step_ns
        for ordinal, share in enumerate(self._shares):
            targets.extend(self._targets(ordinal, middles[ordinal], step, state))
            if 1 <= step <= self._open_steps:
                trades.extend(self._trades(random, ordinal, step, start_ns))
                if random.randrange(100) < INTEREST_PER_CENT:
                    interest.append(self._interest(random, share, start_ns))
        if self._is_wide and 1 <= step <= self._open_steps:
            trades = self._widen(step, start_ns, trades, interest)
        trades.sort(key=lambda trade: trade.at_ns)
        interest.sort(key=lambda each: each.at_ns)
        return Frame(tuple(targets), tuple(trades), tuple(interest))

    def _middles(self, step: int) -> list[int]:
        while len(self._walks) <= step:
            random = stream(self._seed, "walk", len(self._walks))
            # The ones among 64 fair bits: mean 32, standard deviation 4, nearly normal.
            moves = [(random.getrandbits(64).bit_count() - 32) * move // 4 for move in self._moves]
            last = self._walks[-1]
            self._walks.append(
                [max(middle + move, LEAST) for middle, move in zip(last, moves, strict=True)]
            )
        return self._walks[step]

    def _targets(self, ordinal: int, middle: int, step: int, state: BookState) -> list[BookTarget]:
        share = self._shares[ordinal]
        bid = (middle - share.spread_ticks * SUB_TICKS // 2) // SUB_TICKS
        ask = bid + share.spread_ticks
        targets = []
        for number, (venue_id, weight) in enumerate(LIT_SHARES.items()):
            key = self._seed * 31 + ordinal * 7 + number * 1_009
            phase = (step + 5 * number) // SIZE_STEPS
            # A smaller venue is a tick behind at times.
            behind = _mix(key + phase * 13) % 100 < 30 - weight // 2
            depth = share.depth * weight // 100
            bids = _levels(bid - behind, -1, depth, key + phase)
            asks = _levels(ask + behind, 1, depth, key + phase + 500_009)
            hidden_key = (step + number) // HIDDEN_STEPS
            hidden = _mix(key * 3 + hidden_key)
            inside = 1 if share.spread_ticks > 1 and not behind else 0
            size = depth if hidden % 100 < HIDDEN_PER_CENT else 0
            is_bid = bool(hidden & 128)
            targets.append(
                BookTarget(
                    venue_id,
                    share.instrument_id,
                    state,
                    bids,
                    asks,
                    HiddenOrder(hidden_key, bids[0][0] + inside * TICK_E9, size * is_bid),
                    HiddenOrder(hidden_key, asks[0][0] - inside * TICK_E9, size * (not is_bid)),
                )
            )
        targets.append(BookTarget(DARK, share.instrument_id, state, (), ()))
        if self._is_wide:
            targets.append(pools.ats_target(self._seed, share, step, state, bid=bid, ask=ask))
            targets.extend(
                BookTarget(pool.venue_id, share.instrument_id, state, (), ())
                for pool in pools.POOLS
            )
        return targets

    def _widen(
        self,
        step: int,
        start_ns: int,
        trades: Sequence[MarketTrade],
        interest: list[ContraInterest],
    ) -> list[MarketTrade]:
        """Return the trades with those of the informed; add who comes to the other pools."""
        random = stream(self._seed, "wide", step)
        now, then = self._middles(step), self._middles(step + self._horizon)
        found: list[MarketTrade] = []
        for ordinal, share in enumerate(self._shares):
            drift = then[ordinal] - now[ordinal]
            own = [trade for trade in trades if trade.instrument_id == share.instrument_id]
            found += pools.redirect(random, own, drift)
            for pool in pools.POOLS:
                comes = pools.interest(random, pool, share, start_ns, self._step_ns, drift=drift)
                if comes is not None:
                    interest.append(comes)
        return found

    def _trades(self, random: Random, ordinal: int, step: int, start_ns: int) -> list[MarketTrade]:
        share = self._shares[ordinal]
        row = self._volumes[ordinal]
        minute = min((step - 1) * self._step_ns // (60 * SECOND_NS), len(row) - 1)
        # Expected trades of this step in millionths; the fraction comes by chance.
        expected = row[minute] * self._step_ns // (60_000 * share.trade_size)
        count, fraction = divmod(expected * BURSTS[random.randrange(5)], 1_000_000)
        count += random.randrange(1_000_000) < fraction
        trades = []
        for _ in range(count):
            venue_id = _weighted(random.randrange(100))
            side = Side.BUY if random.getrandbits(1) else Side.SELL
            size = max(1, share.trade_size * SIZES[random.randrange(7)] // 100)
            at_ns = start_ns + 1 + random.randrange(self._step_ns - 1)
            trades.append(MarketTrade(at_ns, venue_id, share.instrument_id, side, size, None))
        return trades

    def _interest(self, random: Random, share: Share, start_ns: int) -> ContraInterest:
        at_ns = start_ns + 1 + random.randrange(self._step_ns - 1)
        return ContraInterest(
            at_ns,
            DARK,
            share.instrument_id,
            Side.BUY if random.getrandbits(1) else Side.SELL,
            share.trade_size * (1 + random.randrange(6)),
            at_ns + INTEREST_STEPS * self._step_ns,
        )


def _levels(best: int, away: int, depth: int, key: int) -> tuple[tuple[int, int], ...]:
    """Return levels from `best` ticks on; sizes from a half to one and a half of the depth."""
    return tuple(
        [
            ((best + away * i) * TICK_E9, max(1, depth * (50 + _mix(key + best + i) % 101) // 100))
            for i in range(LEVELS)
        ]
    )


def _mix(number: int) -> int:
    """Return 32 well mixed bits; a draw by hash would cost ten times as much here."""
    number = (number ^ number >> 16) * 0x45D9F3B & 0xFFFFFFFF
    number = (number ^ number >> 16) * 0x45D9F3B & 0xFFFFFFFF
    return number ^ number >> 16


def _weighted(part: int) -> str:
    for venue_id, weight in LIT_SHARES.items():
        if part < weight:
            return venue_id
        part -= weight
    raise AssertionError("weights do not sum to 100")
