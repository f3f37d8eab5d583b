"""The validation ladder: rules in the order of RejectReason; the first that applies is told."""

from typing import Final

from schemas.messages.core import (
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    ReplaceOrder,
)
from streams.core.market import Instrument
from streams.intake.commands import SubmitOrder, SubmitReplace
from streams.intake.mandate import (
    Mandate,
    check_constraints,
    check_parties,
    check_short_sale,
    check_venues,
)
from streams.intake.parameters import check_parameters
from streams.intake.refusal import Refusal, refuse
from streams.intake.times import (
    RATE_MAX_BPS,
    check_auction_times,
    check_cutoff,
    check_expiry,
    check_halt,
    check_open,
    check_session,
    check_time_in_force,
    check_times,
)
from streams.parameters import DEFINITIONS

__all__ = [
    "LENGTH_MAX",
    "PARTITION_RULE",
    "STRATEGIES",
    "check_duplicate",
    "check_killed",
    "check_limits",
    "check_order",
    "check_partition",
    "check_replace",
    "check_strings",
    "check_value",
    "first_broken",
    "is_flawless",
]

LENGTH_MAX: Final = 64  # characters; ids are keys of state, so their size must be bounded
PARTITION_RULE: Final = "partition = murmur2(instrument_id) mod partitions"
# Cash is a decimal of 38 digits: the value of an epoch of 1,000 such orders still fits.
VALUE_MAX_E9: Final = 10**35
YEAR_2100_NS: Final = 4_102_444_800_000_000_000
STRATEGIES: Final = tuple(DEFINITIONS)
_CLIENT_TYPES: Final = (OrderType.MARKET, OrderType.LIMIT)
# Texts by message, and those of them that may be empty.
_TEXTS: Final[dict[type, tuple[str, ...]]] = {
    NewOrder: (
        "tenant",
        "source",
        "client_order_id",
        "account_id",
        "desk_id",
        "currency",
        "locate_id",
        "basket_id",
    ),
    CancelOrder: ("tenant", "source", "client_order_id", "original_client_order_id"),
    ReplaceOrder: ("tenant", "source", "client_order_id", "original_client_order_id"),
    MassCancelOrder: ("tenant", "source", "client_order_id", "scope_id"),
    NewBasket: ("tenant", "source", "basket_id"),
}
_OPTIONAL: Final[dict[type, tuple[str, ...]]] = {
    NewOrder: ("currency", "locate_id", "basket_id"),
    MassCancelOrder: ("scope_id",),
}


def check_order(command: SubmitOrder, *, is_duplicate: bool) -> Refusal | None:
    """Return the first rule that a new order breaks; None when it keeps them all."""
    if not is_duplicate and is_flawless(command):
        return None
    return first_broken(command, is_duplicate=is_duplicate)


def first_broken(command: SubmitOrder, *, is_duplicate: bool) -> Refusal | None:
    """Go through the rules one by one."""
    message, terms, at_ns = command.message, command.instrument, command.at_ns
    if terms is None:
        return _unknown_instrument(message.instrument_id)
    mandate = Mandate.of(message)
    return (
        _check_account(command)
        or check_partition(message.instrument_id, is_own=command.is_own_partition)
        or check_session(message, terms, at_ns)
        or check_duplicate(message.client_order_id, is_duplicate=is_duplicate)
        or _check_quantity(message.quantity, terms)
        or _check_price(message.limit_price_e9, terms)
        or _check_price_presence(message)
        or _check_kinds(message)
        or check_times(message, terms, at_ns)
        or check_strings(message)
        or check_venues(mandate, command.venues)
        or _check_trade_date(message, terms)
        or check_killed(command.killed)
        or check_parties(command)
        or _check_currency(message, terms)
        or check_expiry(message, terms, at_ns)
        or check_cutoff(message, terms, at_ns)
        or check_halt(message, terms)
        or check_constraints(mandate, terms, command.venues)
        or check_short_sale(command, terms)
        or check_auction_times(message)
        or check_value(message.quantity, message.limit_price_e9, terms)
        or _check_instants(message)
        or check_printable(message)
        or check_parameters(message.strategy, message.parameters, message.participation_cap_bps)
        or check_limits(command)
    )


def is_flawless(command: SubmitOrder) -> bool:
    """Return whether the rules can be skipped: every one of them in a single expression.

    An ordinary order (DAY, no mandate) takes 2.4 us this way and 4.7 us rule by rule. Saying no
    to a good order costs time only; saying yes to a bad one is what the tests rule out.
    """
    message, terms, account = command.message, command.instrument, command.account
    return (
        terms is not None
        and account is not None
        and account.is_enabled
        and account.is_client_known
        and account.is_client_enabled
        and (not account.desk_ids or message.desk_id in account.desk_ids)
        and command.is_desk_known
        and command.is_own_partition
        and (terms.entry_open_ns or terms.session_open_ns) <= command.at_ns < terms.session_close_ns
        and 0 < message.quantity <= terms.maximum_quantity
        and message.quantity % terms.lot == 0
        and (
            message.limit_price_e9 is None
            if message.order_type is OrderType.MARKET
            else message.order_type is OrderType.LIMIT
            and message.limit_price_e9 is not None
            and message.limit_price_e9 > 0
            and message.limit_price_e9 % terms.tick_at(message.limit_price_e9) == 0
            and message.limit_price_e9 * message.quantity <= VALUE_MAX_E9 * terms.quantity_scale
        )
        and message.side is not Side.UNKNOWN
        and message.time_in_force is TimeInForce.DAY
        and message.strategy in STRATEGIES
        and message.urgency is not Urgency.UNKNOWN
        and message.start_ns >= 0
        and max(message.start_ns, command.at_ns, terms.session_open_ns)
        < (message.end_ns or terms.session_close_ns)
        <= terms.session_close_ns
        and 1 <= message.participation_cap_bps <= RATE_MAX_BPS
        and message.constraints is None
        and message.parameters is None
        and not (message.is_short_sale or message.locate_id)
        and not (message.expire_ns or message.basket_id)
        and (not message.currency or message.currency == terms.currency)
        and 0 < len(message.tenant) <= LENGTH_MAX
        and 0 < len(message.source) <= LENGTH_MAX
        and 0 < len(message.client_order_id) <= LENGTH_MAX
        and 0 < len(message.account_id) <= LENGTH_MAX
        and 0 < len(message.desk_id) <= LENGTH_MAX
        and (message.tenant + message.source + message.client_order_id).isprintable()
        and (message.account_id + message.desk_id).isprintable()
        and message.trade_date == terms.trade_date
        and not command.killed
        and command.breach is None
    )


def check_replace(
    command: SubmitReplace, *, is_duplicate: bool, is_any_time: bool = False
) -> Refusal | None:
    """Return the first rule that a replace breaks by itself, whatever order it names.

    `is_any_time`: the order is done for the day, and may be changed outside the session.
    """
    message, terms = command.message, command.instrument
    if terms is None:
        return _unknown_instrument(message.instrument_id)
    return (
        check_partition(message.instrument_id, is_own=command.is_own_partition)
        or (None if is_any_time else check_open(terms, command.at_ns))
        or check_duplicate(message.client_order_id, is_duplicate=is_duplicate)
        or _check_quantity(message.quantity, terms)
        or _check_price(message.limit_price_e9, terms)
        or check_strings(message)
        or check_printable(message)
    )


def check_killed(kill_id: str) -> Refusal | None:
    """Return a refusal while a kill is in force for the command."""
    if not kill_id:
        return None
    return refuse(RejectReason.KILLED, "kill_id", kill_id, "no kill in force")


def check_limits(command: SubmitOrder | SubmitReplace) -> Refusal | None:
    """Return the refusal by the limit that streams/risk found broken, the last rule of all."""
    breach = command.breach
    if breach is None:
        return None
    refusal = refuse(breach.reason, breach.field, breach.value, breach.bound)
    return refusal._replace(limit_id=breach.limit_id)


def _unknown_instrument(instrument_id: str) -> Refusal:
    reason = RejectReason.UNKNOWN_INSTRUMENT
    return refuse(reason, "instrument_id", instrument_id, "defined instruments")


def _check_account(command: SubmitOrder) -> Refusal | None:
    if command.account is not None and command.account.is_enabled:
        return None
    account_id, tenant = command.message.account_id, command.message.tenant
    bound = f"enabled accounts of tenant {tenant}"
    return refuse(RejectReason.UNKNOWN_ACCOUNT, "account_id", account_id, bound)


def check_partition(instrument_id: str, *, is_own: bool) -> Refusal | None:
    """Return a refusal when the record stands where another shard owns it."""
    if is_own:
        return None
    return refuse(RejectReason.WRONG_PARTITION, "instrument_id", instrument_id, PARTITION_RULE)


def check_duplicate(
    client_order_id: str, *, is_duplicate: bool, name: str = "client_order_id"
) -> Refusal | None:
    """Return a refusal when the id was used for another content that day."""
    if not is_duplicate:
        return None
    bound = "one content per source, id and trade date"
    return refuse(RejectReason.DUPLICATE_ORDER, name, client_order_id, bound)


def _check_quantity(quantity: int, terms: Instrument) -> Refusal | None:
    if quantity <= 0:
        return refuse(RejectReason.QUANTITY_NOT_POSITIVE, "quantity", quantity, "at least 1")
    if quantity % terms.lot:
        bound = f"multiple of {terms.lot}"
        return refuse(RejectReason.QUANTITY_NOT_A_LOT_MULTIPLE, "quantity", quantity, bound)
    if quantity > terms.maximum_quantity:
        bound = f"at most {terms.maximum_quantity}"
        return refuse(RejectReason.QUANTITY_TOO_LARGE, "quantity", quantity, bound)
    return None


def _check_price(price_e9: int | None, terms: Instrument) -> Refusal | None:
    if price_e9 is None:
        return None
    if price_e9 <= 0:
        return refuse(RejectReason.PRICE_NOT_POSITIVE, "limit_price_e9", price_e9, "at least 1")
    tick_e9 = terms.tick_at(price_e9)
    if price_e9 % tick_e9:
        bound = f"multiple of {tick_e9}"
        return refuse(RejectReason.PRICE_OFF_TICK, "limit_price_e9", price_e9, bound)
    return None


def _check_price_presence(message: NewOrder) -> Refusal | None:
    price_e9 = message.limit_price_e9
    if message.order_type is OrderType.LIMIT and price_e9 is None:
        bound = "a LIMIT order has one"
        return refuse(RejectReason.LIMIT_PRICE_MISSING, "limit_price_e9", "null", bound)
    if message.order_type is OrderType.MARKET and price_e9 is not None:
        bound = "a MARKET order has none"
        return refuse(RejectReason.LIMIT_PRICE_NOT_ALLOWED, "limit_price_e9", price_e9, bound)
    return None


def _check_kinds(message: NewOrder) -> Refusal | None:
    if message.side is Side.UNKNOWN:
        return refuse(RejectReason.UNSUPPORTED_SIDE, "side", message.side, "BUY, SELL")
    if message.order_type not in _CLIENT_TYPES:
        reason = RejectReason.UNSUPPORTED_ORDER_TYPE
        return refuse(reason, "order_type", message.order_type, "MARKET, LIMIT")
    refusal = check_time_in_force(message)
    if refusal is not None:
        return refusal
    if message.strategy not in STRATEGIES:
        reason = RejectReason.UNSUPPORTED_STRATEGY
        return refuse(reason, "strategy", message.strategy, ", ".join(STRATEGIES))
    if message.urgency is Urgency.UNKNOWN:
        reason = RejectReason.UNSUPPORTED_URGENCY
        return refuse(reason, "urgency", message.urgency, "PASSIVE, NEUTRAL, URGENT")
    return None


def check_strings(
    message: NewOrder | CancelOrder | ReplaceOrder | MassCancelOrder | NewBasket,
) -> Refusal | None:
    """Return a refusal when an id is empty or longer than LENGTH_MAX characters."""
    kind = type(message)
    lengths = {name: len(getattr(message, name)) for name in _TEXTS[kind]}
    optional = _OPTIONAL.get(kind, ())
    for name, length in lengths.items():
        if length == 0 and name not in optional:
            return refuse(RejectReason.FIELD_EMPTY, name, "", f"1 to {LENGTH_MAX} characters")
    for name, length in lengths.items():
        if length > LENGTH_MAX:
            return refuse(RejectReason.FIELD_TOO_LONG, name, length, f"at most {LENGTH_MAX}")
    return None


def check_printable(
    message: NewOrder | CancelOrder | ReplaceOrder | MassCancelOrder | NewBasket,
) -> Refusal | None:
    """Return a refusal when a text has control characters, bidi overrides or the like."""
    for name in _TEXTS[type(message)]:
        text = getattr(message, name)
        if not text.isprintable():
            return refuse(RejectReason.TEXT_NOT_PRINTABLE, name, text, "printable")
    return None


def check_value(quantity: int, price_e9: int | None, terms: Instrument) -> Refusal | None:
    """Return a refusal when quantity times limit is beyond what cash can hold."""
    if price_e9 is None or price_e9 * quantity <= VALUE_MAX_E9 * terms.quantity_scale:
        return None
    bound = f"such that quantity {quantity} times it is at most {VALUE_MAX_E9}"
    return refuse(RejectReason.VALUE_OUT_OF_RANGE, "limit_price_e9", price_e9, bound)


def _check_instants(message: NewOrder) -> Refusal | None:
    if message.start_ns < 0:
        return refuse(RejectReason.VALUE_OUT_OF_RANGE, "start_ns", message.start_ns, "at least 0")
    if message.expire_ns > YEAR_2100_NS:
        bound = f"at most {YEAR_2100_NS}"
        return refuse(RejectReason.VALUE_OUT_OF_RANGE, "expire_ns", message.expire_ns, bound)
    return None


def _check_trade_date(message: NewOrder, terms: Instrument) -> Refusal | None:
    if message.trade_date == terms.trade_date:
        return None
    bound = str(terms.trade_date)
    return refuse(RejectReason.TRADE_DATE_MISMATCH, "trade_date", message.trade_date, bound)


def _check_currency(message: NewOrder, terms: Instrument) -> Refusal | None:
    if not message.currency or message.currency == terms.currency:
        return None
    reason = RejectReason.CURRENCY_MISMATCH
    return refuse(reason, "currency", message.currency, terms.currency)
