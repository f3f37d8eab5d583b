"""What intake is asked: client messages with what the shard knows, and consequences."""

import msgspec

from schemas.messages.core import Cause
from schemas.messages.intake import CancelOrder, NewOrder, ReplaceOrder
from streams.core.limits import Breach
from streams.core.market import Account, Instrument, Venue


class SubmitOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: NewOrder
    at_ns: int
    digest: bytes  # BLAKE2b-128 of the message's content, envelope excluded
    is_own_partition: bool
    instrument: Instrument | None  # terms in force; None when unknown
    account: Account | None  # enabled or not; None when unknown or of another tenant
    arrival_price_e9: int | None
    reference_version: int
    is_desk_known: bool = True
    venues: tuple[Venue, ...] = ()  # all that are defined; only told when the order lists venues
    killed: str = ""  # kill in force for it; empty for none
    breach: Breach | None = None  # limit that it breaks; None when it keeps them all
    limits_version: int = 0
    unit_value_e9: int = 0  # of one smallest unit, as limits count it


class SubmitCancel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: CancelOrder
    at_ns: int
    digest: bytes
    is_own_partition: bool


class SubmitReplace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: ReplaceOrder
    at_ns: int
    digest: bytes
    is_own_partition: bool
    instrument: Instrument | None
    venues: tuple[Venue, ...] = ()  # all that are defined; only told when it lists venues
    killed: str = ""  # kill in force for it; empty for none
    breach: Breach | None = None
    limits_version: int = 0
    unit_value_e9: int = 0


class FinishCancel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order is free of its parent's exposure and a cancel is pending."""

    order_id: str
    at_ns: int


class FinishReplace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order is free of its parent's exposure and a replace is pending."""

    order_id: str
    at_ns: int


class CloseOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """End it if it is full, or if `cause` ends it anyway; () when neither or already closed."""

    order_id: str
    cause: Cause  # FILL: only if full. END_OF_WINDOW: EXPIRED. COMPLETED: IOC remainder CANCELED
    at_ns: int


class RestateOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A closed order's cumulative quantity changed by a bust or correction."""

    order_id: str
    cause: Cause


IntakeCommand = (
    SubmitOrder
    | SubmitCancel
    | SubmitReplace
    | FinishCancel
    | FinishReplace
    | CloseOrder
    | RestateOrder
)
