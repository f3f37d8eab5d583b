"""What intake is asked: client messages with what the shard knows, and consequences."""

import msgspec

from schemas.messages.core import Cause
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    ReplaceOrder,
)
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


class SubmitMassCancel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: MassCancelOrder
    at_ns: int
    digest: bytes


class SubmitBasket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A basket with its entries as orders, in its own order.

    The verdict of the limits on an entry counts the entries before it that are valid as accepted.
    """

    message: NewBasket
    orders: tuple[SubmitOrder, ...]
    at_ns: int
    digest: bytes


class CancelUnasked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The house cancels: `cause` is KILL, DESK or RISK. () when the order ends already."""

    order_id: str
    cause: Cause
    at_ns: int


class ExpireOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The time of a GTD order is over."""

    order_id: str
    at_ns: int


class ResumeOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A session may have come for an order that is done for the day."""

    order_id: str
    instrument: Instrument | None
    at_ns: int


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
    # FILL: only if full. END_OF_WINDOW: EXPIRED, or done for the day when it outlives the session.
    # COMPLETED: what a sweep left is CANCELED.
    cause: Cause
    at_ns: int
    instrument: Instrument | None = None  # tells an order that lives on its next session


class RestateOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A closed order's cumulative quantity changed by a late fill, bust or correction."""

    order_id: str
    cause: Cause


IntakeCommand = (
    SubmitOrder
    | SubmitCancel
    | SubmitReplace
    | SubmitMassCancel
    | SubmitBasket
    | CancelUnasked
    | ExpireOrder
    | ResumeOrder
    | FinishCancel
    | FinishReplace
    | CloseOrder
    | RestateOrder
)
