"""Halts and volatility pauses of a day, seeded, each of which ends in a call and then trading."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from schemas.messages.core import BookState, LimitState, PhaseKind, TradingStatus
from schemas.messages.market import TradingStatusChanged
from services.venues.assumptions import AUCTION_SHARES, DARK_VENUES, LIT_SHARES
from services.venues.auctioned import call_target
from services.venues.chances import draw
from services.venues.frames import (
    UNMOVED,
    BookTarget,
    CallTarget,
    Frame,
    MarketSource,
    Moved,
    StatusChange,
    midpoint_of,
)

__all__ = ["Halt", "HaltTerms", "HaltingMarket", "plan_halts"]

SECOND_NS: Final = 1_000_000_000
# Assumed lengths: short enough that a day of half an hour shows what happens after.
HALTED_NS: Final = {TradingStatus.HALTED: 60 * SECOND_NS, TradingStatus.PAUSED: 30 * SECOND_NS}
CALLED_NS: Final = 20 * SECOND_NS
PART_MAX: Final = 10  # of the day, that no halt is longer than
FROM_PER_CENT, UNTIL_PER_CENT = 20, 75  # of the day, in which one begins
NEWS_BPS: Final = 60  # the price after the news, one way or the other
PAUSE_BPS: Final = 150  # so far from the price of the last minutes trading pauses
RAMP_STEPS: Final = 6  # in which the price runs there
REOPENING_PART: Final = 200  # of a day's volume trades when it reopens
BPS: Final = 10_000


class Halt(NamedTuple):
    """One stop of one instrument, in steps: halted, then called, then open again."""

    instrument_id: str
    venue_id: str  # empty: the whole market
    status: TradingStatus  # HALTED or PAUSED
    reason: str
    from_step: int
    call_step: int
    open_step: int
    shock_bps: int  # what the price moves by: during a halt, before a pause

    def state(self, step: int) -> TradingStatus | None:
        """Return the status at the end of a step; None when it trades."""
        if self.from_step <= step < self.call_step:
            return self.status
        return TradingStatus.AUCTION if self.call_step <= step < self.open_step else None


class HaltTerms(NamedTuple):
    """What an instrument that halts is like."""

    instrument_id: str
    tick_e9: int
    price_e9: int  # at the open
    daily_volume: int


def plan_halts(
    seed: int, count: int, instrument_ids: Sequence[str], steps: int, step_ns: int
) -> tuple[Halt, ...]:
    """Return the day's halts: of the whole market, of one venue, a pause, and so on in turn.

    No instrument has two. `steps`: of continuous trading.
    """
    ranked = sorted(instrument_ids, key=lambda name: draw(seed, "halted", name))
    found = []
    for number, instrument_id in enumerate(ranked[:count]):
        bits = draw(seed, "halt", instrument_id)
        from_step = steps * FROM_PER_CENT // 100
        from_step += bits % max(steps * (UNTIL_PER_CENT - FROM_PER_CENT) // 100, 1)
        sign = 1 if bits >> 32 & 1 else -1
        kind = number % 3
        status = TradingStatus.PAUSED if kind == 2 else TradingStatus.HALTED
        length = max(min(HALTED_NS[status] // step_ns, steps // PART_MAX), 1)
        called = max(min(CALLED_NS // step_ns, steps // PART_MAX), 1)
        venues = [*LIT_SHARES]
        found.append(
            Halt(
                instrument_id,
                venues[(bits >> 40) % len(venues)] if kind == 1 else "",
                status,
                ("news pending", "technical trouble", "price moved too fast")[kind],
                from_step,
                from_step + length,
                from_step + length + called,
                sign * (NEWS_BPS, 0, PAUSE_BPS)[kind],
            )
        )
    return tuple(found)


class HaltingMarket:
    """Implements frames.MarketSource round one that never stops."""

    def __init__(
        self,
        inner: MarketSource,
        halts: Sequence[Halt],
        terms: Sequence[HaltTerms],
        *,
        seed: int,
        start_ns: int,
        step_ns: int,
    ) -> None:
        self._inner = inner
        self._halts = {halt.instrument_id: halt for halt in halts}
        self._terms = {each.instrument_id: each for each in terms}
        self._seed = seed
        self._start_ns = start_ns
        self._step_ns = step_ns

    def frame(self, step: int, moved: Moved = UNMOVED) -> Frame:
        """Return the inner step with what is halted, called or opened again in it."""
        frame = self._inner.frame(step, self._shocked(step, moved))
        targets = tuple([self._target(target, step) for target in frame.targets])
        at_ns = self._start_ns + step * self._step_ns
        calls: list[CallTarget] = []
        statuses: list[StatusChange] = []
        for halt in self._halts.values():
            if halt.call_step <= step <= halt.open_step:
                calls += self._calls(halt, frame.targets, step)
            if step in (halt.from_step, halt.call_step, halt.open_step):
                statuses.append(StatusChange(at_ns, self._status(halt, step)))
        return frame._replace(
            targets=targets,
            calls=(*frame.calls, *calls),
            statuses=(*frame.statuses, *statuses),
        )

    def _shocked(self, step: int, moved: Moved) -> Mapping[str, int]:
        """Return how far prices are moved, by us and by what halted them."""
        found = dict(moved)
        for halt in self._halts.values():
            shock_e9 = self._shock_e9(halt, step)
            if shock_e9:
                found[halt.instrument_id] = found.get(halt.instrument_id, 0) + shock_e9
        return found

    def _shock_e9(self, halt: Halt, step: int) -> int:
        whole_e9 = self._terms[halt.instrument_id].price_e9 * halt.shock_bps // BPS
        if halt.status is TradingStatus.HALTED:  # nobody knows the news before it trades again
            return whole_e9 if step >= halt.from_step else 0
        passed = min(max(step - halt.from_step + RAMP_STEPS, 0), RAMP_STEPS)
        return whole_e9 * passed // RAMP_STEPS

    def _target(self, target: BookTarget, step: int) -> BookTarget:
        halt = self._halts.get(target.instrument_id)
        if halt is None or halt.venue_id not in ("", target.venue_id):
            return target
        status = halt.state(step)
        if status is None or target.state is not BookState.OPEN:
            return target
        if status is TradingStatus.AUCTION and target.venue_id not in _shares(halt):
            status = halt.status  # who calls nothing waits for those who do
        return target._replace(state=BookState(status.value))

    def _calls(self, halt: Halt, targets: Sequence[BookTarget], step: int) -> list[CallTarget]:
        terms = self._terms[halt.instrument_id]
        uncross_ns = self._start_ns + halt.open_step * self._step_ns
        template = CallTarget(
            "",
            halt.instrument_id,
            PhaseKind.CONTINUOUS,
            (),
            (),
            reference_e9=0,
            cutoff_ns=uncross_ns,
            uncross_ns=uncross_ns,
            is_primary=False,
            is_shown=True,
        )
        length = halt.open_step - halt.call_step
        volume = terms.daily_volume // REOPENING_PART * (step - halt.call_step) // length
        reference_e9 = midpoint_of(targets, halt.instrument_id)
        return call_target(
            template, self._seed, terms.tick_e9, reference_e9, volume, shares=_shares(halt)
        )

    def _status(self, halt: Halt, step: int) -> TradingStatusChanged:
        status = halt.state(step) or TradingStatus.TRADING
        limit_state, lower_e9, upper_e9 = LimitState.NONE, 0, 0
        if status is TradingStatus.PAUSED:
            price_e9 = self._terms[halt.instrument_id].price_e9
            lower_e9, upper_e9 = (price_e9 * (BPS + sign * PAUSE_BPS) // BPS for sign in (-1, 1))
            limit_state = LimitState.LIMIT_UP if halt.shock_bps > 0 else LimitState.LIMIT_DOWN
        return TradingStatusChanged(
            instrument_id=halt.instrument_id,
            venue_id=halt.venue_id,
            status=status,
            reason=halt.reason if status is not TradingStatus.TRADING else "reopened",
            limit_state=limit_state,
            lower_band_e9=lower_e9,
            upper_band_e9=upper_e9,
        )


def _shares(halt: Halt) -> Mapping[str, int]:
    """Return who calls the reopening: the venue that stopped, or those that hold auctions."""
    if halt.venue_id:
        return {halt.venue_id: 100} if halt.venue_id not in DARK_VENUES else {}
    return AUCTION_SHARES
