"""Gate of dark venues: what became of the price after a parent's fills there."""

from collections.abc import Iterator
from typing import Final

from schemas.messages.core import Side
from schemas.messages.routing import FillBooked
from streams.core.market import Quote
from streams.routing.settings import BPS, RoutingSettings
from streams.routing.state import DarkFill, Ledger

__all__ = ["bad_markouts", "note_dark_fill"]

E9: Final = 1_000_000_000
FILLS_MAX: Final = 64  # of a parent, the newest
FORGOTTEN_MULTIPLE: Final = 60  # of the age at which a fill is marked


def note_dark_fill(
    ledger: Ledger, settings: RoutingSettings, event: FillBooked, asked: int
) -> None:
    """Keep a midpoint fill for its markout, and count it when it was no more than a probe."""
    quantity = event.quantity + event.error_quantity
    ledger.dark_fills.append(DarkFill(event.venue_id, event.price_e9, quantity, event.transact_ns))
    del ledger.dark_fills[:-FILLS_MAX]
    if quantity * BPS < asked * settings.ping_bps:
        ledger.pings[event.venue_id] = ledger.pings.get(event.venue_id, 0) + 1


def bad_markouts(
    ledger: Ledger, settings: RoutingSettings, side: Side, quote: Quote, at_ns: int
) -> Iterator[tuple[str, int]]:
    """Yield the venues whose marked fills lost more than the bound on average, and that loss.

    A fill is marked against the midpoint now, when it is old enough and not forgotten.
    Units:  1e-9 basis points of the midpoint, weighed by quantity.
    Rounds: down.
    """
    if not ledger.dark_fills:
        return
    marked: dict[str, list[DarkFill]] = {}
    for fill in ledger.dark_fills:
        age_ns = at_ns - fill.at_ns
        if settings.markout_ns <= age_ns <= FORGOTTEN_MULTIPLE * settings.markout_ns:
            marked.setdefault(fill.venue_id, []).append(fill)
    mid_e9, sign = quote.midpoint_e9, 1 if side is Side.BUY else -1
    for venue_id, fills in marked.items():
        if len(fills) < settings.markout_min or venue_id in ledger.gated:
            continue
        lost = sum(sign * (fill.price_e9 - mid_e9) * fill.quantity for fill in fills)
        loss_e9 = lost * BPS * E9 // (mid_e9 * sum(fill.quantity for fill in fills))
        if loss_e9 > settings.markout_bound_bps_e9:
            yield venue_id, loss_e9
