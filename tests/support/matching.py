"""Builders for one side of a venue's book."""

from schemas.messages.core import OrderType, Side, TimeInForce
from services.venues.state import Child
from tests.support.builders import ACME, TICK

__all__ = ["resting"]


def resting(
    child_id: str, quantity: int, price_e9: int = 100 * TICK, self_trade_id: str = ""
) -> Child:
    """Return an order of ours to buy that is to rest."""
    return Child(
        child_id=child_id,
        parent_id="P1",
        venue_id="V1",
        instrument_id=ACME,
        side=Side.BUY,
        quantity=quantity,
        order_type=OrderType.LIMIT,
        price_e9=price_e9,
        time_in_force=TimeInForce.DAY,
        minimum_quantity=0,
        self_trade_id=self_trade_id,
        placed_id=bytes(16),
        leaves=quantity,
    )
