"""What a strategy is asked. The shard adds the market's state and the model's estimate."""

import msgspec

from schemas.messages.core import Cause, ExecutionPlan, MarketEstimate
from schemas.messages.strategy import VolumeForecast
from streams.core.market import Auction, Instrument, Quote


class MarketState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    instrument: Instrument
    quote: Quote | None
    others_quantity: int  # cumulative volume of others since the parent opened, own prints removed
    is_open: bool  # at least one lit venue is open
    # The same volume with blocks cut to what is usual, and how many prints it is made of.
    steady_quantity: int = 0
    prints: int = 0
    auctions: tuple[Auction, ...] = ()  # what venues said last of theirs
    estimate: MarketEstimate | None = None  # None: nothing is adjusted to the market
    others_price_e9: int = 0  # average of others' prints since the log began; 0 before the first


class Begin(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The parent and its first epoch are open: plan, and release what is due."""

    parent_id: str
    at_ns: int
    entropy: bytes
    market: MarketState
    forecast: VolumeForecast | None  # None: no volume model; plan by time
    is_stopped: bool = False  # by the kill switch: plan, release nothing
    plan: ExecutionPlan | None = None  # newest that fits; None for a parent without a policy


class Wake(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The timer `strategy:wake:<parent_id>` is due: a bin, a slot or the end."""

    parent_id: str
    at_ns: int
    entropy: bytes
    market: MarketState
    forecast: VolumeForecast | None
    is_stopped: bool = False
    plan: ExecutionPlan | None = None


class Recalibrate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fill, a return, an epoch or a bust moved the position against the plan."""

    parent_id: str
    cause: Cause
    at_ns: int
    entropy: bytes
    market: MarketState
    is_stopped: bool = False
    plan: ExecutionPlan | None = None


class Resume(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A kill was released: spread what it held back over what is left of the window."""

    parent_id: str
    at_ns: int
    entropy: bytes
    market: MarketState
    forecast: VolumeForecast | None
    is_stopped: bool = False
    plan: ExecutionPlan | None = None


StrategyCommand = Begin | Wake | Recalibrate | Resume
