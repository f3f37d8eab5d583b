"""What netting is asked. The shard adds the quote, the room and the exposure of the parents."""

import msgspec

from schemas.messages.core import BookState, Cause, PartyLevel
from streams.core.market import Instrument, Quote


class EpochExposure(msgspec.Struct, frozen=True, gc=False):
    epoch: int
    quantity: int


class ParentExposure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What routing and strategy hold of a parent at this instant."""

    parent_id: str
    room: int  # unreleased quantity of the current epoch
    exposures: tuple[EpochExposure, ...]  # by epoch, ascending; none that is zero

    @property
    def total(self) -> int:
        return sum(exposure.quantity for exposure in self.exposures)


class Crossing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The declaration in force for the tenant, or the engine's guards where nothing is declared."""

    declaration_id: str  # empty: one owner's own interest may be netted, nothing else
    quote_age_max_ns: int
    spread_max_bps: int  # of the midpoint
    spread_median_bps: int = 0  # of the rolling median spread; 0 for no such guard
    random_ns: int = 0  # rounds close that much later at most; 0 for at the window's end


class Restriction(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Two parties that may not meet, in either direction."""

    level: PartyLevel
    one: str
    other: str


class CloseWindow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    tenant: str
    instrument_id: str
    cause: Cause  # WINDOW_TIME, WINDOW_COUNT or WINDOW_ZERO (urgent orders alone leave)
    at_ns: int
    instrument: Instrument
    quote: Quote | None
    crossing: Crossing | None
    parents: tuple[ParentExposure, ...]  # every open parent of the tenant and instrument
    is_per_fill: bool = False  # a parent that opens now divides each fill's cash by itself
    own_netting: Crossing | None = None  # guards of own netting where nothing is declared
    interruption: BookState = BookState.OPEN  # HALTED, AUCTION or PAUSED at a lit venue
    median_spread_e9: int | None = None  # None: not asked for, or not known yet
    restrictions: tuple[Restriction, ...] = ()  # of the tenant
    opted_out_account_ids: frozenset[str] = frozenset()  # their clients do not consent to crosses
    stopped_order_ids: frozenset[str] = frozenset()  # they stay where they are and meet nobody


class OpenWindow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Draw the instant at which the window of a tenant that asked for random rounds closes."""

    tenant: str
    instrument_id: str
    at_ns: int
    random_ns: int
    entropy: bytes


class LeaveParent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A pending cancel or replace wants the order out of its parent."""

    order_id: str
    with_ids: tuple[str, ...] = ()  # others that the same decision wants out of it
    cause: Cause
    parent: ParentExposure
    at_ns: int


class SettleParent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Exposure or fills changed: release a hold, resolve tails, close the parent, if it is time."""

    parent: ParentExposure
    is_ended: bool  # the strategy said ParentEnded
    at_ns: int


class Rebase(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Leaves changed outside the current epoch (increase, bust of an older one): a new epoch."""

    parent: ParentExposure
    cause: Cause
    at_ns: int


NettingCommand = CloseWindow | OpenWindow | LeaveParent | SettleParent | Rebase
