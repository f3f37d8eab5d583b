"""One parent at one instant, and the part of its plan that is worked then."""

from typing import NamedTuple

from schemas.messages.core import Cause, ExecutionPlan, Side, StrategyKind, TimeInForce
from schemas.messages.strategy import VolumeForecast
from streams.parameters import Resolved
from streams.strategy.commands import MarketState
from streams.strategy.schedule import BPS, participation_due
from streams.strategy.state import ParentSchedule, StrategySettings

__all__ = ["SWEPT_ONCE", "Situation", "Step"]

# What the first sweep leaves of these is not worked on.
SWEPT_ONCE = (TimeInForce.IOC, TimeInForce.AT_OPEN)


class Situation(NamedTuple):
    """One parent at one instant, with what the command says of the world."""

    parent: ParentSchedule
    settings: StrategySettings
    parameters: Resolved  # what holds for the parent: said, or preset
    cause: Cause
    at_ns: int
    end_ns: int  # of its work in continuous trading
    entropy: bytes
    market: MarketState
    forecast: VolumeForecast | None
    plan: ExecutionPlan | None = None  # newest that fits
    is_planning: bool = True  # a plan may be made; what only moved the position makes none
    is_stopped: bool = False  # by the kill switch
    closing_reserve: int = 0  # kept for the closing auction, or on its way there
    auction_ns: int = 0  # when an auction's slice goes out next; 0 for none

    @property
    def goal(self) -> int:
        """Return the cumulative quantity that continuous trading and the opening are to do."""
        return max(0, self.parent.quantity - self.closing_reserve)

    @property
    def worked(self) -> int:
        """Return what is committed towards the goal: all but what is for the closing auction."""
        return self.parent.committed_quantity - self.parent.closing_committed

    @property
    def market_quantity(self) -> int:
        """Return the volume that this strategy follows, since the log began."""
        market = self.market
        is_rate = self.parent.strategy is StrategyKind.POV
        return market.steady_quantity if is_rate else market.others_quantity

    @property
    def others(self) -> int:
        """Return others' volume since the first plan began."""
        parent = self.parent
        first = parent.first_market_quantity if parent.plans else self.market_quantity
        return max(0, self.market_quantity - first)

    @property
    def traded(self) -> int:
        """Return others' volume since the plan in force began."""
        return max(0, self.market_quantity - self.parent.anchor_market_quantity)

    def share(self, volume: int, rate_bps: int) -> int:
        """Return own quantity that makes up the rate beside others' `volume`; all at 100 %."""
        if rate_bps >= BPS:
            return self.parent.quantity
        return min(self.parent.quantity, participation_due(volume, 0, rate_bps))

    def cap(self, expected: int) -> int:
        """Return the most that the participation cap allows in all, smallest units.

        What auctions took does not count: their volume is not in that of continuous trading.
        """
        return self.share(self.others + expected, self.parent.participation_cap_bps)

    @property
    def is_marketable(self) -> bool:
        """Return whether a limit at least reaches the other side of the quote."""
        limit, quote = self.parent.limit_price_e9, self.market.quote
        if limit is None or quote is None:
            return True
        return limit >= quote.ask_e9 if self.parent.side is Side.BUY else limit <= quote.bid_e9

    @property
    def would_price_e9(self) -> int | None:
        """Return the price at which the whole rest may trade, within the limit; None for none."""
        parent = self.parent
        would = None if parent.constraints is None else parent.constraints.would_price_e9
        if would is None or parent.limit_price_e9 is None:
            return would
        tighter = min if parent.side is Side.BUY else max
        return tighter(would, parent.limit_price_e9)

    @property
    def is_would(self) -> bool:
        """Return whether the other side of the quote stands at the would price or better."""
        would, quote = self.would_price_e9, self.market.quote
        if would is None or quote is None:
            return False
        return quote.ask_e9 <= would if self.parent.side is Side.BUY else quote.bid_e9 >= would

    @property
    def look_again_ns(self) -> int:
        """Return when a would price is looked at again."""
        return min(self.at_ns + self.settings.would_ns, self.end_ns)

    @property
    def is_waiting_for_open(self) -> bool:
        """Return whether an order for the opening must wait, since nobody trades yet."""
        is_at_open = self.parent.time_in_force is TimeInForce.AT_OPEN
        return is_at_open and not (self.market.is_open and self.market.quote is not None)


class Step(NamedTuple):
    """The part of the plan that is worked now."""

    bin: int
    target: int
    cap: int
    opens_ns: int
    closes_ns: int
    is_last: bool
    bins: int = 0  # of the plan
    unfloored: int = -1  # the target before the participation floor; -1 where there is none
