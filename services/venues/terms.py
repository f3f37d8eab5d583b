"""What the venues know of instruments, of each other, and of the day: fixed for a scenario."""

from dataclasses import dataclass, field

from schemas.messages.control import InstrumentDefined, VenueDefined
from schemas.messages.core import Side
from services.venues.impact import ImpactTerms
from streams.core.market import tier_at

__all__ = ["Terms", "opposite"]

PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Reference data of the simulated market. `last_ns` is when the final step ends."""

    seed: int
    start_ns: int
    step_ns: int
    last_ns: int
    venues: dict[str, VenueDefined]
    instruments: dict[str, InstrumentDefined]
    impact: dict[str, ImpactTerms] = field(default_factory=dict)  # none: we move nothing

    def tick_e9(self, instrument_id: str, price_e9: int) -> int:
        """Return the increment at a price, 1e-9 currency units."""
        terms = self.instruments[instrument_id]
        below = [band.tick_e9 for band in terms.tick_bands if band.from_price_e9 <= price_e9]
        return below[-1] if below else terms.tick_e9

    def fee_e9(
        self,
        venue_id: str,
        instrument_id: str,
        price_e9: int,
        quantity: int,
        *,
        is_maker: bool,
        own_quantity: int = 0,
    ) -> int:
        """Return the fee of an execution, negative for a rebate.

        `own_quantity` is what we traded there before it on this day: its tier is of the month's.

        Units:  1e-9 currency units.
        Rounds: each part up, so a rebate towards zero: the venue never pays the fraction.
        """
        venue = self.venues[venue_id]
        scale = self.instruments[instrument_id].quantity_scale
        tier = tier_at(venue.fee_tiers, venue.month_quantity + own_quantity)
        fees = venue if tier is None else tier
        per_unit = fees.maker_fee_e9 if is_maker else fees.taker_fee_e9
        ppm = venue.maker_fee_ppm if is_maker else venue.taker_fee_ppm
        of_units = -(-per_unit * quantity // scale)
        of_notional = -(-ppm * price_e9 * quantity // (scale * PPM))
        return of_units + of_notional


def opposite(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY
