"""What risk is asked about a command, and what it says."""

import msgspec

from schemas.messages.core import LimitMeasure, ReferencePrice, Side, StrategyKind
from streams.core.limits import Breach
from streams.core.market import Instrument

__all__ = ["LeaseWish", "Reference", "Request", "Verdict"]


class Reference(msgspec.Struct, frozen=True, gc=False):
    """The price that a command is held against, and the records that it comes from."""

    kind: ReferencePrice = ReferencePrice.NONE
    price_e9: int = 0
    event_ids: tuple[bytes, ...] = ()


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A new order, or an order as a replace would make it (`order_id` names it then)."""

    tenant: str
    source: str
    client_order_id: str
    client_id: str
    account_id: str
    desk_id: str
    strategy: StrategyKind
    instrument: Instrument
    side: Side
    quantity: int
    limit_price_e9: int | None
    trade_date: int
    at_ns: int
    reference: Reference
    is_short_sale: bool = False
    locate_id: str = ""
    order_id: str = ""


class LeaseWish(msgspec.Struct, frozen=True, gc=False):
    """A shard's part of a limit that is nearly used."""

    key: str
    lease_e9: int
    used_e9: int
    amount_e9: int  # wanted on top


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the limits in force say of a request."""

    breach: Breach | None
    version: int
    unit_value_e9: int
    shadows: tuple[tuple[Breach, LimitMeasure], ...] = ()  # broken limits that only report
    measures: tuple[LimitMeasure, ...] = ()  # every limit asked, when one was broken
    wishes: tuple[LeaseWish, ...] = ()
    tripping: str = ""  # limit that disables the flow once this order is accepted

    @property
    def is_plain(self) -> bool:
        """Return whether there is nothing to record beside intake's answer."""
        return self.breach is None and not self.shadows and not self.wishes and not self.tripping
