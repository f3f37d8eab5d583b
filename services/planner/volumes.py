"""Own volume of the month at each venue, over all shards: what its fees by tier go by."""

import time
from typing import Final

import msgspec

from schemas.messages.control import VenueDefined
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from streams.core.market import tier_at

__all__ = ["OwnVolumes"]

SECOND_NS: Final = 1_000_000_000


class OwnVolumes:
    """Counts fills; a shard knows its own alone, whoever reads the log knows the firm's."""

    def __init__(self) -> None:
        self._month = (0, 0)
        self._is_first = True
        self._quantities: dict[str, int] = {}  # by venue, in the month

    def see(self, message: FillBooked | FillBusted | FillCorrected, at_ns: int) -> None:
        """Count a fill, or what was taken back of one. Months are those of UTC."""
        day = time.gmtime(at_ns // SECOND_NS)
        month = (day.tm_year, day.tm_mon)
        if month > self._month:
            self._is_first = self._month == (0, 0)
            self._month, self._quantities = month, {}
        before = self._quantities.get(message.venue_id, 0)
        self._quantities[message.venue_id] = before + _change(message)

    def terms(self, venue: VenueDefined) -> VenueDefined:
        """Return the venue's terms with the fees of the tier that was reached there."""
        reached = self._quantities.get(venue.venue_id, 0)
        if self._is_first:
            reached += venue.month_quantity
        tier = tier_at(venue.fee_tiers, reached)
        if tier is None:
            return venue
        return msgspec.structs.replace(
            venue, taker_fee_e9=tier.taker_fee_e9, maker_fee_e9=tier.maker_fee_e9
        )


def _change(message: FillBooked | FillBusted | FillCorrected) -> int:
    match message:
        case FillBooked():
            return message.quantity + message.error_quantity
        case FillBusted():
            return -message.quantity - message.error_quantity
        case FillCorrected():
            return message.quantity - message.previous_quantity
