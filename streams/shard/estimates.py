"""What an instrument's quotes and prints say of volatility, spread and volume: integers only.

Folded with the market view from market.data, so that a restore rebuilds it. A sample is taken with
the first book at least five seconds after the last, because a mid by the tick is mostly noise and
a sample for each book would cost more than it tells.
"""

from collections.abc import Mapping
from math import isqrt
from typing import Final, NamedTuple

import msgspec

from schemas.messages.core import (
    BookState,
    MarketEstimate,
    PrintKind,
    Side,
    Tactic,
    TradingStatus,
)
from schemas.messages.market import BookUpdated, TradePrinted, TradingStatusChanged
from streams.core.market import Instrument, Quote, Venue
from streams.routing import RoutingState, fill_hazard_e9, own_shown
from streams.shard.market import MarketView

__all__ = [
    "Estimator",
    "Estimators",
    "Hazards",
    "estimate_of",
    "touch_imbalance_e9",
    "up_probability_e9",
]

E9: Final = 1_000_000_000
BPS: Final = 10_000
SECOND_NS: Final = 1_000_000_000
STEP_NS: Final = 5 * SECOND_NS
# After such a gap (a night, a long halt) a return and a volume rate say nothing of the market.
GAP_MAX_NS: Final = 900 * SECOND_NS
NEW_SAMPLES: Final = 12  # effective memory of what is new: a minute
USUAL_SAMPLES: Final = 240  # and of what is usual: twenty minutes
SAMPLES_MIN: Final = 12  # fewer say nothing
SPREADS_MAX: Final = 61  # of which the median is taken: five minutes
DAY_NS: Final = 23_400 * SECOND_NS  # of a session that no calendar knows
VOLUME_MAX: Final = 1 << 62
BPS_E9_MAX: Final = 10**17  # ten thousand times the price: what is recorded fits 64 bits
Own = Mapping[tuple[str, int], int]  # what we show on a side, by venue and price
NOTHING: Final[Own] = {}


class Hazards(NamedTuple):
    """Chance that a child at rest is met within a second, by how it stands, 1e-9."""

    join_e9: int
    improve_e9: int


class Estimator(msgspec.Struct, array_like=True):
    """One instrument. Variances are of returns in 1e-18 per second, rates in 1e-9 per second."""

    due_ns: int = 0  # the next sample is taken from then on
    sampled_ns: int = 0
    middle_e9: int = 0  # at the newest sample; 0 before the first
    quantity: int = 0  # of others, at the newest sample
    new_variance: int = 0
    usual_variance: int = 0
    returns: int = 0
    new_rate_e9: int = 0
    usual_rate_e9: int = 0
    rates: int = 0
    spreads: list[int] = []  # 1e-9 basis points, newest last
    median_bps_e9: int = 0
    interrupted: list[str] = []  # venues whose halt or pause is not over; empty id: all of them
    resumed_ns: int = 0  # when trading went on after the newest; 0 for none
    priced_quantity: int = 0  # of others' prints at a price
    cash_e9: int = 0  # their worth

    @property
    def others_price_e9(self) -> int:
        """Return others' average price since the log began; 0 before the first print."""
        return self.cash_e9 // self.priced_quantity if self.priced_quantity else 0

    def add_print(self, price_e9: int, quantity: int) -> None:
        """Count what others traded at a price."""
        if quantity > 0 and self.priced_quantity < VOLUME_MAX:
            self.priced_quantity += quantity
            self.cash_e9 += price_e9 * quantity

    def add_state(self, venue_id: str, at_ns: int, *, is_halted: bool, is_open: bool) -> None:
        """Follow a halt from its begin to the first sign that it is over at every venue."""
        is_known = venue_id in self.interrupted
        if is_halted and not is_known:
            self.interrupted.append(venue_id)
        elif is_known and is_open:
            self.interrupted.remove(venue_id)
            if not self.interrupted:
                self.resumed_ns = at_ns

    def sample(self, quote: Quote | None, others_quantity: int, at_ns: int) -> None:
        """Fold the quote and the volume since the last sample."""
        self.due_ns = at_ns + STEP_NS
        elapsed_ns = at_ns - self.sampled_ns
        is_gap = self.sampled_ns == 0 or not 0 < elapsed_ns <= GAP_MAX_NS
        if not is_gap:
            rate_e9 = max(0, others_quantity - self.quantity) * E9 * SECOND_NS // elapsed_ns
            self.rates += 1
            self.new_rate_e9 = _mean(self.new_rate_e9, rate_e9, elapsed_ns, NEW_SAMPLES, self.rates)
            self.usual_rate_e9 = _mean(
                self.usual_rate_e9, rate_e9, elapsed_ns, USUAL_SAMPLES, self.rates
            )
        self.quantity = others_quantity
        self.sampled_ns = at_ns
        if quote is None or not 0 < quote.bid_e9 < quote.ask_e9:
            return  # an interruption: the next return spans it
        middle_e9 = quote.midpoint_e9
        if self.middle_e9 and not is_gap:
            move_e9 = (middle_e9 - self.middle_e9) * E9 // self.middle_e9
            variance = move_e9 * move_e9 * SECOND_NS // elapsed_ns
            self.returns += 1
            self.new_variance = _mean(
                self.new_variance, variance, elapsed_ns, NEW_SAMPLES, self.returns
            )
            self.usual_variance = _mean(
                self.usual_variance, variance, elapsed_ns, USUAL_SAMPLES, self.returns
            )
        self.middle_e9 = middle_e9
        self.spreads.append(spread_bps_e9(quote))
        del self.spreads[:-SPREADS_MAX]
        self.median_bps_e9 = sorted(self.spreads)[(len(self.spreads) - 1) // 2]

    def estimate(
        self, quote: Quote | None, at_ns: int, session_ns: int, imbalance_e9: int, hazards: Hazards
    ) -> MarketEstimate:
        """Return what is known now; 0 for what is not. Own prices are the parent's business."""
        is_known = self.returns >= SAMPLES_MIN
        return MarketEstimate(
            volatility_bps_e9=_volatility(self.new_variance, session_ns) if is_known else 0,
            volatility_usual_bps_e9=_volatility(self.usual_variance, session_ns) if is_known else 0,
            spread_bps_e9=self.median_bps_e9,
            spread_now_bps_e9=0 if quote is None else spread_bps_e9(quote),
            volume_per_s_e9=min(self.new_rate_e9, VOLUME_MAX) if self.rates >= SAMPLES_MIN else 0,
            volume_usual_per_s_e9=(
                min(self.usual_rate_e9, VOLUME_MAX) if self.rates >= SAMPLES_MIN else 0
            ),
            fill_hazard_e9=hazards.join_e9,
            improve_hazard_e9=hazards.improve_e9,
            imbalance_e9=imbalance_e9,
            distance_bps_e9=0,
            halt_age_ns=max(1, at_ns - self.resumed_ns) if self.resumed_ns else 0,
        )


class Estimators(msgspec.Struct):
    """By instrument. Shown every record of market.data after the market view."""

    instruments: dict[str, Estimator] = {}

    def apply_book(
        self,
        market: MarketView,
        message: BookUpdated,
        venues: Mapping[str, Venue],
        at_ns: int,
        age_max_ns: int,
    ) -> None:
        """Follow halts, and take a sample when one is due."""
        known, instrument_id = self._of(message.instrument_id), message.instrument_id
        is_open = message.state is BookState.OPEN
        if known.interrupted or not is_open:
            is_halted = message.state in (BookState.HALTED, BookState.PAUSED)
            known.add_state(message.venue_id, at_ns, is_halted=is_halted, is_open=is_open)
        if at_ns >= known.due_ns:
            quote, _ = market.quote(instrument_id, venues, at_ns, age_max_ns)
            is_crossed = quote is not None and quote.bid_e9 >= quote.ask_e9
            if is_crossed and known.due_ns and at_ns < known.due_ns + STEP_NS:
                return  # one venue has moved and the others not yet: the next book will do
            known.sample(quote, market.others_quantity(instrument_id), at_ns)

    def apply_trade(self, message: TradePrinted) -> None:
        """Count what others traded in the book, at its price."""
        if message.kind in (PrintKind.UNKNOWN, PrintKind.REGULAR):
            quantity = message.quantity - message.own_quantity
            self._of(message.instrument_id).add_print(message.price_e9, quantity)

    def apply_status(self, message: TradingStatusChanged, at_ns: int) -> None:
        """Follow halts that the market itself declares."""
        self._of(message.instrument_id).add_state(
            message.venue_id,
            at_ns,
            is_halted=message.status in (TradingStatus.HALTED, TradingStatus.PAUSED),
            is_open=message.status is TradingStatus.TRADING,
        )

    def spread_bps_e9(self, instrument_id: str) -> int:
        """Return the median spread of the last minutes; 0 while there are too few samples."""
        known = self.instruments.get(instrument_id)
        if known is None or len(known.spreads) < SAMPLES_MIN:
            return 0
        return known.median_bps_e9

    def _of(self, instrument_id: str) -> Estimator:
        known = self.instruments.get(instrument_id)
        if known is None:
            known = self.instruments[instrument_id] = Estimator()
        return known


def estimate_of(
    estimators: Estimators,
    market: MarketView,
    state: RoutingState,
    terms: Instrument,
    quote: Quote | None,
    *,
    at_ns: int,
) -> MarketEstimate | None:
    """Return what is known of an instrument now; None before its first book."""
    instrument_id = terms.instrument_id
    known = estimators.instruments.get(instrument_id)
    if known is None:
        return None
    imbalance_e9 = 0
    if quote is not None:
        sides = (Side.BUY, Side.SELL) if instrument_id in state.resting.children else ()
        own = [own_shown(state, instrument_id, side) for side in sides]
        imbalance_e9 = touch_imbalance_e9(quote, market, instrument_id, *own)
    join_e9 = fill_hazard_e9(state.resting, instrument_id, Tactic.JOIN, Tactic.PEG)
    improve_e9 = fill_hazard_e9(state.resting, instrument_id, Tactic.IMPROVE, Tactic.MIDPOINT)
    session_ns = terms.session_close_ns - terms.session_open_ns
    return known.estimate(
        quote,
        at_ns,
        session_ns if session_ns > 0 else DAY_NS,
        imbalance_e9,
        # With no fill of its own yet, a child before the quote is met no later than one at it.
        Hazards(join_e9, max(join_e9, improve_e9)),
    )


def spread_bps_e9(quote: Quote) -> int:
    """Return the spread in 1e-9 basis points of the midpoint. Rounds: down."""
    spread_e9 = max(0, quote.ask_e9 - quote.bid_e9)
    return min(spread_e9 * BPS * E9 // quote.midpoint_e9, BPS_E9_MAX) if quote.midpoint_e9 else 0


def touch_imbalance_e9(
    quote: Quote,
    market: MarketView,
    instrument_id: str,
    own_bids: Own = NOTHING,
    own_asks: Own = NOTHING,
) -> int:
    """Return who is more eager at the touch: -1e9 (sellers) to 1e9 (buyers).

    Twice the chance that the mid moves up, less one; from what others show at the best prices of
    open venues: our own bid would tell us to hurry.
    """
    bid = ask = 0
    for venue_id, book in market.instruments[instrument_id].books.items():
        if book.state is not BookState.OPEN:
            continue
        if book.bids and book.bids[0].price_e9 == quote.bid_e9:
            bid += book.bids[0].quantity - own_bids.get((venue_id, quote.bid_e9), 0)
        if book.asks and book.asks[0].price_e9 == quote.ask_e9:
            ask += book.asks[0].quantity - own_asks.get((venue_id, quote.ask_e9), 0)
    return 2 * up_probability_e9(bid, ask) - E9 if bid > 0 and ask > 0 else 0


def up_probability_e9(bid: int, ask: int) -> int:
    """Return P(the mid moves up next), (2 / pi) atan(bid / ask), in integers.

    Units:  1e-9.
    Rounds: within 0.001 of the arc tangent, by x / 2 + x (1 - x) (0.1558 + 0.0422 x) for x <= 1.
    Source: SPEC section 7, Cont and de Larrard 2013: not the linear imbalance.
    """
    if bid > ask:
        return E9 - up_probability_e9(ask, bid)
    x = bid * E9 // ask
    slope = 155_781_000 + 42_208_000 * x // E9
    return x // 2 + x * (E9 - x) // E9 * slope // E9


def _volatility(variance: int, session_ns: int) -> int:
    """Return the standard deviation of a session's return in 1e-9 basis points."""
    seconds = max(1, session_ns // SECOND_NS)
    return min(isqrt(variance * seconds) * BPS, BPS_E9_MAX)


def _mean(mean: int, observed: int, elapsed_ns: int, memory: int, count: int) -> int:
    """Return the mean with one more observation over `elapsed_ns`: it counts as its steps.

    The first ones count alike, so that the beginning of the day is no prior.
    Rounds: down.
    """
    steps = max(1, elapsed_ns // STEP_NS)
    effective = min(memory, count + steps - 1)
    if steps >= effective:
        return observed
    return mean + (observed - mean) * steps // effective
