"""The venues as they stand for this shard now: fees of the tier reached, its part of a throttle."""

from collections.abc import Mapping

import msgspec

from schemas.messages.core import BookState
from streams.core.market import Venue
from streams.shard.state import ShardState

__all__ = ["VenuesNow"]

MONTH = 100  # of a trade date yyyymmdd


class VenuesNow:
    """Asked for every placing decision; a market without such terms costs nothing."""

    __slots__ = ("_shut", "_special", "_state", "_until_ns", "_version")

    def __init__(self, state: ShardState) -> None:
        self._state = state
        self._version = -1
        self._special: tuple[str, ...] = ()
        self._shut: dict[str, BookState] = {}
        self._until_ns = 0

    def terms(self, trade_date: int = 0) -> Mapping[str, Venue]:
        """Return every venue's terms in force for this shard's next child, of that trade date.

        A bound on messages is the firm's: each shard keeps its own part of it. Own volume is the
        firm's too, and a shard knows its own fills: it may believe a tier late, never early.
        """
        reference = self._state.reference
        if reference.version != self._version:
            self._version = reference.version
            self._until_ns = 0
            self._special = tuple(
                venue_id
                for venue_id, venue in reference.venues.items()
                if venue.fee_tiers or venue.messages_per_s
            )
        if not self._special:
            return reference.venues
        venues = dict(reference.venues)
        shards, routing = max(1, self._state.risk.partitions), self._state.routing
        # The first child of a month goes out before routing has begun to count anew.
        is_new = 0 < routing.trade_date // MONTH < trade_date // MONTH
        is_first = not (is_new or routing.is_later_month)
        for venue_id in self._special:
            own_quantity = 0 if is_new else routing.volumes.get(venue_id, 0)
            venue = venues[venue_id].at_quantity(own_quantity, is_first_month=is_first)
            if venue.messages_per_s:
                share = max(1, venue.messages_per_s // shards)
                venue = msgspec.structs.replace(venue, messages_per_s=share)
            venues[venue_id] = venue
        return venues

    def shut(self, at_ns: int) -> tuple[Mapping[str, BookState], int]:
        """Return the venues outside their own sessions, and until when that holds."""
        reference = self._state.reference
        if reference.version != self._version:
            self.terms()
        if at_ns >= self._until_ns:
            self._shut, self._until_ns = reference.venue_states(at_ns)
        return self._shut, self._until_ns

    def open_only(self, at_ns: int) -> tuple[Mapping[str, Venue], int]:
        """Return the venues that are not outside their own sessions: whose quotes count."""
        shut, until_ns = self.shut(at_ns)
        venues = self._state.reference.venues
        if not shut:
            return venues, until_ns
        return {key: venue for key, venue in venues.items() if key not in shut}, until_ns
