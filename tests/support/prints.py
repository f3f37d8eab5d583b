"""Prints of others on the tape."""

from typing import Any

from schemas.messages.core import Side
from schemas.messages.market import TradePrinted
from tests.support.builders import ACME, TICK

__all__ = ["printed"]


def printed(quantity: int, **changes: Any) -> TradePrinted:
    terms: dict[str, Any] = {
        "venue_id": "V1",
        "instrument_id": ACME,
        "price_e9": 10_000 * TICK,
        "quantity": quantity,
        "own_quantity": 0,
        "aggressor": Side.BUY,
        "is_hidden": False,
    }
    return TradePrinted(**(terms | changes))
