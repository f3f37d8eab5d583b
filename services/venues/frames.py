"""What a market source says of one step: other people's books, trades and dark interest."""

from typing import NamedTuple, Protocol

from schemas.messages.core import BookState, PhaseKind, Side

__all__ = [
    "BookTarget",
    "CallTarget",
    "ContraInterest",
    "Frame",
    "HiddenOrder",
    "MarketSource",
    "MarketTrade",
]

PriceLevel = tuple[int, int]  # price_e9, quantity


class HiddenOrder(NamedTuple):
    """Interest of others that the book does not show. A new `key` replaces the one before."""

    key: int
    price_e9: int
    quantity: int  # 0 for none


class BookTarget(NamedTuple):
    """What others show at one venue at the end of the step, best first."""

    venue_id: str
    instrument_id: str
    state: BookState
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    hidden_bid: HiddenOrder | None = None
    hidden_ask: HiddenOrder | None = None


class MarketTrade(NamedTuple):
    """Somebody else takes `quantity` at a venue."""

    at_ns: int
    venue_id: str
    instrument_id: str
    aggressor: Side
    quantity: int
    price_e9: int | None  # where a tape says that it printed; None walks the book
    is_hidden: bool = False


class ContraInterest(NamedTuple):
    """Somebody else waits in the dark for the midpoint."""

    at_ns: int
    venue_id: str
    instrument_id: str
    side: Side
    quantity: int
    until_ns: int


class CallTarget(NamedTuple):
    """What others have in one auction at the end of the step, in the order in which they came.

    An auction is known from its first target on; the step that ends at `uncross_ns` ends it.
    """

    venue_id: str
    instrument_id: str
    kind: PhaseKind  # CONTINUOUS: it reopens trading after a halt
    buys: tuple[tuple[int | None, int], ...]  # limit price_e9 (None: any), quantity
    sells: tuple[tuple[int | None, int], ...]
    reference_e9: int
    cutoff_ns: int
    uncross_ns: int
    is_primary: bool
    is_shown: bool  # whether the venue publishes where it stands


class Frame(NamedTuple):
    """One step. Trades and interest are in order of time."""

    targets: tuple[BookTarget, ...]
    trades: tuple[MarketTrade, ...]
    interest: tuple[ContraInterest, ...]
    calls: tuple[CallTarget, ...] = ()


class MarketSource(Protocol):
    """A recorded or generated market. Frames are functions of the scenario and the step alone."""

    def frame(self, step: int) -> Frame:
        """Return the step, from 0 (the books before the first second) on."""
