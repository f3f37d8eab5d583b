"""Rules for what an owner asks beyond the ordinary: constraints, short sale, who may trade."""

from collections.abc import Sequence
from typing import Final

from schemas.messages.core import Constraints, RejectReason, Side, VenueKind
from schemas.messages.intake import NewOrder
from streams.core.market import Instrument, Venue
from streams.intake.commands import SubmitOrder
from streams.intake.refusal import Refusal, refuse

__all__ = [
    "Mandate",
    "check_constraints",
    "check_parties",
    "check_short_sale",
    "check_venues",
    "normal",
]

VENUES_MAX: Final = 32  # in one list
NOTHING: Final = Constraints()


class Mandate:
    """Constraints beside the terms that bound them."""

    __slots__ = ("constraints", "is_dark_allowed", "limit_price_e9", "quantity", "side")

    def __init__(
        self,
        constraints: Constraints | None,
        *,
        side: Side,
        quantity: int,
        limit_price_e9: int | None,
        is_dark_allowed: bool,
    ) -> None:
        self.constraints = constraints or NOTHING
        self.side = side
        self.quantity = quantity
        self.limit_price_e9 = limit_price_e9
        self.is_dark_allowed = is_dark_allowed

    @staticmethod
    def of(message: NewOrder) -> "Mandate":
        return Mandate(
            message.constraints,
            side=message.side,
            quantity=message.quantity,
            limit_price_e9=message.limit_price_e9,
            is_dark_allowed=message.is_dark_allowed,
        )


def normal(constraints: Constraints | None) -> Constraints | None:
    """Return None for constraints that ask nothing: they are one group with orders without."""
    return None if constraints == NOTHING else constraints


def check_venues(mandate: Mandate, venues: Sequence[Venue]) -> Refusal | None:
    """Return a refusal when a venue is listed that is not defined."""
    known = [venue.venue_id for venue in venues]
    for name in ("venue_ids", "excluded_venue_ids"):
        for venue_id in getattr(mandate.constraints, name):
            if venue_id not in known:
                bound = "defined venues"
                return refuse(RejectReason.UNKNOWN_VENUE, f"constraints.{name}", venue_id, bound)
    return None


def check_parties(command: SubmitOrder) -> Refusal | None:
    """Return a refusal when the client or desk is unknown, or the desk may not trade the account.

    An unknown account was refused before.
    """
    account, message = command.account, command.message
    if account is None:
        return None
    if not (account.is_client_known and account.is_client_enabled):
        bound = f"enabled clients of tenant {account.tenant}"
        return refuse(RejectReason.UNKNOWN_CLIENT, "client_id", account.client_id, bound)
    if not command.is_desk_known:
        bound = f"enabled desks of tenant {message.tenant}"
        return refuse(RejectReason.UNKNOWN_DESK, "desk_id", message.desk_id, bound)
    if account.desk_ids and message.desk_id not in account.desk_ids:
        bound = ", ".join(account.desk_ids)
        return refuse(RejectReason.NOT_ENTITLED, "desk_id", message.desk_id, bound)
    return None


def check_constraints(
    mandate: Mandate, terms: Instrument, venues: Sequence[Venue] | None
) -> Refusal | None:
    """Return the first constraint that can not be obeyed; `venues` None: the lists are old ones."""
    constraints = mandate.constraints
    if constraints is NOTHING:
        return None
    return (
        _check_quantity(
            RejectReason.MINIMUM_QUANTITY_OUT_OF_RANGE, "minimum_quantity", mandate, terms
        )
        or _check_quantity(
            RejectReason.DISPLAY_QUANTITY_OUT_OF_RANGE, "display_quantity", mandate, terms
        )
        or _check_would_price(mandate, terms)
        or (None if venues is None else _check_lists(mandate, venues))
    )


def check_short_sale(command: SubmitOrder, terms: Instrument) -> Refusal | None:
    """Return a refusal when a short sale names no locate, or may not be."""
    message, account = command.message, command.account
    if not message.is_short_sale:
        if not message.locate_id:
            return None
        bound = "empty: the order is no short sale"
        return refuse(RejectReason.VALUE_OUT_OF_RANGE, "locate_id", message.locate_id, bound)
    if not message.locate_id:
        return refuse(RejectReason.LOCATE_MISSING, "locate_id", "", "a short sale has one")
    if message.side is not Side.SELL:
        bound = f"a {message.side} sells nothing"
    elif not terms.is_short_sale_allowed:
        bound = f"not in {terms.instrument_id}"
    elif account is not None and not account.is_short_sale_allowed:
        bound = f"not by account {account.account_id}"
    else:
        return None
    return refuse(RejectReason.SHORT_SALE_NOT_ALLOWED, "is_short_sale", "true", bound)


def _check_quantity(
    reason: RejectReason, name: str, mandate: Mandate, terms: Instrument
) -> Refusal | None:
    value: int = getattr(mandate.constraints, name)
    if 0 <= value <= mandate.quantity and value % terms.lot == 0:
        return None
    bound = f"in 0..{mandate.quantity}, a multiple of {terms.lot}"
    return refuse(reason, f"constraints.{name}", value, bound)


def _check_would_price(mandate: Mandate, terms: Instrument) -> Refusal | None:
    price_e9, limit_e9 = mandate.constraints.would_price_e9, mandate.limit_price_e9
    if price_e9 is None:
        return None
    if price_e9 <= 0 or price_e9 % terms.tick_at(price_e9):
        bound = f"a positive multiple of {terms.tick_at(max(price_e9, 0))}"
    elif limit_e9 is not None and mandate.side is Side.BUY and price_e9 > limit_e9:
        bound = f"at most the limit {limit_e9}"
    elif limit_e9 is not None and mandate.side is Side.SELL and price_e9 < limit_e9:
        bound = f"at least the limit {limit_e9}"
    else:
        return None
    reason = RejectReason.WOULD_PRICE_OUT_OF_RANGE
    return refuse(reason, "constraints.would_price_e9", price_e9, bound)


def _check_lists(mandate: Mandate, venues: Sequence[Venue]) -> Refusal | None:
    constraints = mandate.constraints
    named = (*constraints.venue_ids, *constraints.excluded_venue_ids)
    if not named:
        return None
    for name in ("venue_ids", "excluded_venue_ids"):
        count = len(getattr(constraints, name))
        if count > VENUES_MAX:
            bound = f"at most {VENUES_MAX}"
            return refuse(RejectReason.LIST_TOO_LONG, f"constraints.{name}", count, bound)
    for ordinal, venue_id in enumerate(named):
        if venue_id in named[:ordinal]:
            bound = "venue_ids and excluded_venue_ids together name a venue once"
            name = "constraints.venue_ids"
            return refuse(RejectReason.VENUE_LIST_CONFLICT, name, venue_id, bound)
    allowed = [
        venue.venue_id
        for venue in venues
        if venue.is_enabled
        and (mandate.is_dark_allowed or venue.kind is not VenueKind.DARK)
        and venue.venue_id not in constraints.excluded_venue_ids
        and (not constraints.venue_ids or venue.venue_id in constraints.venue_ids)
    ]
    if allowed:
        return None
    bound = "an enabled venue" + ("" if mandate.is_dark_allowed else " that is not dark")
    value = ", ".join(constraints.venue_ids) or "excluded_venue_ids"
    return refuse(RejectReason.NO_VENUE_ALLOWED, "constraints.venue_ids", value, bound)
