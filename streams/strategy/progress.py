"""What a parent has paid so far and what its first child met; the benchmarks it is held against."""

from typing import Final

import msgspec

from schemas.messages.core import PhaseKind, Side, StrategyKind
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.strategy import ScheduleSet, SliceReleased

__all__ = ["Progress", "distance_bps_e9"]

E9: Final = 1_000_000_000
BPS: Final = 10_000
DISTANCE_MAX: Final = 10**16
# These follow the market's volume, so that its average price is what they are held against.
BY_VOLUME: Final = (StrategyKind.VWAP, StrategyKind.POV)


class Progress(msgspec.Struct, kw_only=True):
    """Of one parent, folded from its events."""

    arrival_price_e9: int = 0  # midpoint when it opened; 0 when unknown
    is_anchored: bool = False
    first_quantity: int = 0  # of others, when its first plan was made
    first_price_e9: int = 0  # others' average price then; 0 when unknown
    quantity: int = 0  # filled and not busted
    cash_e9: int = 0  # price times quantity of that
    probe_quantity: int = 0  # of the first child; 0 before it
    probe_deadline_ns: int = 0

    def see(self, event: object) -> None:
        """Fold an event of the parent."""
        match event:
            case FillBooked():
                self._pay(event.price_e9, event.quantity)
            case FillBusted():
                self._pay(event.price_e9, -event.quantity)
            case FillCorrected():
                self._pay(event.previous_price_e9, -event.previous_quantity)
                self._pay(event.price_e9, event.quantity)
            case ScheduleSet() if not self.is_anchored:
                self.is_anchored = True
                self.first_quantity = event.anchor_market_quantity
                self.first_price_e9 = event.anchor_market_price_e9
            case SliceReleased() if not self.probe_quantity and _is_continuous(event):
                self.probe_quantity = event.quantity
                self.probe_deadline_ns = event.deadline_ns
            case _:
                pass

    def _pay(self, price_e9: int, quantity: int) -> None:
        self.quantity += quantity
        self.cash_e9 += price_e9 * quantity


def _is_continuous(event: SliceReleased) -> bool:
    return event.auction is PhaseKind.UNKNOWN


def distance_bps_e9(
    progress: Progress, strategy: StrategyKind, side: Side, others: int, others_price_e9: int
) -> int:
    """Return the own average price against the benchmark; more than 0 is a cost, 0 is unknown.

    VWAP and POV: the others' average price since the first plan; else the price at arrival.
    Units:  1e-9 basis points; `others` and `others_price_e9` since the log began.
    Rounds: down.
    """
    if progress.quantity <= 0:
        return 0
    benchmark_e9 = progress.arrival_price_e9
    traded = others - progress.first_quantity
    if strategy in BY_VOLUME and others_price_e9 and traded > 0:
        cash_e9 = others_price_e9 * others - progress.first_price_e9 * progress.first_quantity
        benchmark_e9 = cash_e9 // traded
    if benchmark_e9 <= 0:
        return 0
    gap_e9 = progress.cash_e9 - benchmark_e9 * progress.quantity
    distance = gap_e9 * BPS * E9 // (benchmark_e9 * progress.quantity)
    distance = max(-DISTANCE_MAX, min(distance, DISTANCE_MAX))
    return distance if side is Side.BUY else -distance
