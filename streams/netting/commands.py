"""What netting is asked. The shard adds the quote, the room and the exposure of the parents."""

import msgspec

from schemas.messages.core import Cause
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
    """The declaration in force for the tenant."""

    declaration_id: str
    quote_age_max_ns: int
    spread_max_bps: int


class CloseWindow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    tenant: str
    instrument_id: str
    cause: Cause  # WINDOW_TIME, WINDOW_COUNT or WINDOW_ZERO (urgent orders alone leave)
    at_ns: int
    instrument: Instrument
    quote: Quote | None
    crossing: Crossing | None
    parents: tuple[ParentExposure, ...]  # every open parent of the tenant and instrument


class LeaveParent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A pending cancel or replace wants the order out of its parent."""

    order_id: str
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


NettingCommand = CloseWindow | LeaveParent | SettleParent | Rebase
