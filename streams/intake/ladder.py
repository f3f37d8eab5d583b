"""The validation ladder: rules in the order of RejectReason; the first that applies is told."""

from typing import Any, Final, NamedTuple

from schemas.messages.core import (
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import CancelOrder, NewOrder, ReplaceOrder
from streams.core.market import Instrument
from streams.intake.commands import SubmitOrder, SubmitReplace

__all__ = [
    "LENGTH_MAX",
    "PARTITION_RULE",
    "SENTENCES",
    "Refusal",
    "check_duplicate",
    "check_killed",
    "check_limits",
    "check_order",
    "check_partition",
    "check_replace",
    "check_strings",
    "first_broken",
    "is_flawless",
    "refuse",
]

LENGTH_MAX: Final = 64  # characters; ids are keys of state, so their size must be bounded
PARTITION_RULE: Final = "partition = murmur2(instrument_id) mod partitions"
RATE_MAX_BPS: Final = 10_000

SENTENCES: Final = {
    RejectReason.UNKNOWN_INSTRUMENT: "{field} {value} is not among the {bound}",
    RejectReason.UNKNOWN_ACCOUNT: "{field} {value} is not among the {bound}",
    RejectReason.WRONG_PARTITION: "{field} {value} does not belong on this partition: {bound}",
    RejectReason.SESSION_CLOSED: "{field} {value} is outside the session {bound}",
    RejectReason.DUPLICATE_ORDER: "{field} {value} came before with another content: {bound}",
    RejectReason.QUANTITY_NOT_POSITIVE: "{field} {value} is not {bound}",
    RejectReason.QUANTITY_NOT_A_LOT_MULTIPLE: "{field} {value} is not a {bound}",
    RejectReason.QUANTITY_TOO_LARGE: "{field} {value} is not {bound}",
    RejectReason.PRICE_NOT_POSITIVE: "{field} {value} is not {bound}",
    RejectReason.PRICE_OFF_TICK: "{field} {value} is not a {bound}",
    RejectReason.LIMIT_PRICE_MISSING: "{field} is missing: {bound}",
    RejectReason.LIMIT_PRICE_NOT_ALLOWED: "{field} {value} is not allowed: {bound}",
    RejectReason.UNSUPPORTED_SIDE: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_ORDER_TYPE: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_TIME_IN_FORCE: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_STRATEGY: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_URGENCY: "{field} {value} is none of {bound}",
    RejectReason.END_NOT_AFTER_START: "{field} {value} is not {bound}",
    RejectReason.END_IN_THE_PAST: "{field} {value} is not {bound}",
    RejectReason.RATE_OUT_OF_RANGE: "{field} {value} is not in {bound}",
    RejectReason.FIELD_EMPTY: "{field} is empty: {bound}",
    RejectReason.FIELD_TOO_LONG: "{field} has {value} characters, not {bound}",
    RejectReason.UNKNOWN_ORDER: "{field} {value} is not among the {bound}",
    RejectReason.TOO_LATE: "{field} {value} does not work any more: {bound}",
    RejectReason.ALREADY_PENDING: "{field} {value} waits for the answer to {bound}",
    RejectReason.QUANTITY_BELOW_FILLED: "{field} {value} is not {bound}",
    RejectReason.NOTHING_CHANGED: "{field} {value} changes nothing: {bound}",
    RejectReason.TRADE_DATE_MISMATCH: "{field} {value} is not {bound}",
    RejectReason.KILLED: "{field} {value} is in force, not {bound}",
    RejectReason.ORDER_QUANTITY_LIMIT: "{field} {value} is more than the limit: {bound}",
    RejectReason.ORDER_NOTIONAL_LIMIT: "{field} makes {value}, the limit is {bound}",
    RejectReason.ADV_LIMIT: "{field} {value} is more of the daily volume than {bound}",
    RejectReason.PRICE_COLLAR: "{field} {value} is outside the collar {bound}",
    RejectReason.NO_REFERENCE_PRICE: "{field} {value} has no price to be held against: {bound}",
    RejectReason.CREDIT_LIMIT: "{field} makes {value} open and executed, the limit is {bound}",
    RejectReason.POSITION_LIMIT: "{field} could lead to a position of {value}, allowed: {bound}",
    RejectReason.RESTRICTED_INSTRUMENT: "{field} {value} is restricted: {bound}",
    RejectReason.DUPLICATE_FLOW: "{field} {value} comes again and again, allowed: {bound}",
    RejectReason.MESSAGE_RATE: "{field} {value} sends faster than {bound}",
    RejectReason.REPEATED_EXECUTION: "{field} {value} is disabled until released: {bound}",
    RejectReason.ORDER_TO_TRADE_RATIO: "{field} sends {value} messages an execution: {bound}",
    RejectReason.UNKNOWN_LOCATE: "{field} {value} is none of the {bound}",
    RejectReason.LOCATE_EXCEEDED: "{field} makes {value} sold short, located: {bound}",
}

_CLIENT_TYPES: Final = (OrderType.MARKET, OrderType.LIMIT)


class Refusal(NamedTuple):
    """Why a command is refused: what, its value, the bound, and one sentence."""

    reason: RejectReason
    field: str
    value: str
    bound: str
    text: str
    limit_id: str = ""  # of the limit that refuses; empty for any other rule


def refuse(reason: RejectReason, field: str, value: Any, bound: str) -> Refusal:
    """Return the refusal with its sentence."""
    text = SENTENCES[reason].format(field=field, value=value, bound=bound)
    return Refusal(reason, field, str(value), bound, text)


def check_order(command: SubmitOrder, *, is_duplicate: bool) -> Refusal | None:
    """Return the first rule that a new order breaks; None when it keeps them all."""
    if not is_duplicate and is_flawless(command):
        return None
    return first_broken(command, is_duplicate=is_duplicate)


def first_broken(command: SubmitOrder, *, is_duplicate: bool) -> Refusal | None:
    """Go through the rules one by one."""
    message, terms = command.message, command.instrument
    if terms is None:
        return _unknown_instrument(message.instrument_id)
    return (
        _check_account(command)
        or check_partition(message.instrument_id, is_own=command.is_own_partition)
        or _check_session(message, terms, command.at_ns)
        or check_duplicate(message.client_order_id, is_duplicate=is_duplicate)
        or _check_quantity(message.quantity, terms)
        or _check_price(message.limit_price_e9, terms)
        or _check_price_presence(message)
        or _check_kinds(message)
        or _check_times(message, terms, command.at_ns)
        or check_strings(message)
        or _check_trade_date(message, terms)
        or check_killed(command.killed)
        or check_limits(command)
    )


def is_flawless(command: SubmitOrder) -> bool:
    """Return whether the rules can be skipped: every one of them in a single expression.

    An ordinary order takes 1.3 us this way and 3.2 us rule by rule. Saying no to
    a good order costs time only; saying yes to a bad one is what the tests rule out.
    """
    message, terms, account = command.message, command.instrument, command.account
    return (
        terms is not None
        and account is not None
        and account.is_enabled
        and not command.killed
        and command.is_own_partition
        and terms.session_open_ns <= command.at_ns < terms.session_close_ns
        and 0 < message.quantity <= terms.maximum_quantity
        and message.quantity % terms.lot == 0
        and (
            message.limit_price_e9 is None
            if message.order_type is OrderType.MARKET
            else message.order_type is OrderType.LIMIT
            and message.limit_price_e9 is not None
            and message.limit_price_e9 > 0
            and message.limit_price_e9 % terms.tick_e9 == 0
        )
        and message.side is not Side.UNKNOWN
        and message.time_in_force is TimeInForce.DAY
        and message.strategy is not StrategyKind.UNKNOWN
        and message.urgency is not Urgency.UNKNOWN
        and max(message.start_ns, command.at_ns)
        < (message.end_ns or terms.session_close_ns)
        <= terms.session_close_ns
        and 1 <= message.participation_cap_bps <= RATE_MAX_BPS
        and 0 < len(message.tenant) <= LENGTH_MAX
        and 0 < len(message.source) <= LENGTH_MAX
        and 0 < len(message.client_order_id) <= LENGTH_MAX
        and 0 < len(message.account_id) <= LENGTH_MAX
        and 0 < len(message.desk_id) <= LENGTH_MAX
        and message.trade_date == terms.trade_date
        and command.breach is None
    )


def check_replace(command: SubmitReplace, *, is_duplicate: bool) -> Refusal | None:
    """Return the first rule that a replace breaks by itself, whatever order it names."""
    message, terms = command.message, command.instrument
    if terms is None:
        return _unknown_instrument(message.instrument_id)
    return (
        check_partition(message.instrument_id, is_own=command.is_own_partition)
        or _check_open(terms, command.at_ns)
        or check_duplicate(message.client_order_id, is_duplicate=is_duplicate)
        or _check_quantity(message.quantity, terms)
        or _check_price(message.limit_price_e9, terms)
        or check_strings(message)
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


def check_duplicate(client_order_id: str, *, is_duplicate: bool) -> Refusal | None:
    """Return a refusal when the id was used for another content that day."""
    if not is_duplicate:
        return None
    bound = "one content per source, id and trade date"
    return refuse(RejectReason.DUPLICATE_ORDER, "client_order_id", client_order_id, bound)


def _check_open(terms: Instrument, at_ns: int) -> Refusal | None:
    if terms.session_open_ns <= at_ns < terms.session_close_ns:
        return None
    bound = f"from {terms.session_open_ns} to before {terms.session_close_ns}"
    return refuse(RejectReason.SESSION_CLOSED, "at_ns", at_ns, bound)


def _check_session(message: NewOrder, terms: Instrument, at_ns: int) -> Refusal | None:
    refusal = _check_open(terms, at_ns)
    if refusal is None and message.end_ns > terms.session_close_ns:
        bound = f"until {terms.session_close_ns}"
        return refuse(RejectReason.SESSION_CLOSED, "end_ns", message.end_ns, bound)
    return refusal


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
    if price_e9 % terms.tick_e9:
        bound = f"multiple of {terms.tick_e9}"
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
    if message.time_in_force is TimeInForce.UNKNOWN or (
        # IOC is what one sweep takes; a schedule has no first sweep to stop after.
        message.time_in_force is TimeInForce.IOC and message.strategy is not StrategyKind.IMMEDIATE
    ):
        reason = RejectReason.UNSUPPORTED_TIME_IN_FORCE
        bound = "DAY, IOC with IMMEDIATE"
        return refuse(reason, "time_in_force", message.time_in_force, bound)
    if message.strategy is StrategyKind.UNKNOWN:
        reason = RejectReason.UNSUPPORTED_STRATEGY
        return refuse(reason, "strategy", message.strategy, "VWAP, TWAP, IMMEDIATE")
    if message.urgency is Urgency.UNKNOWN:
        reason = RejectReason.UNSUPPORTED_URGENCY
        return refuse(reason, "urgency", message.urgency, "PASSIVE, NEUTRAL, URGENT")
    return None


def _check_times(message: NewOrder, terms: Instrument, at_ns: int) -> Refusal | None:
    end_ns = message.end_ns or terms.session_close_ns
    if end_ns <= message.start_ns:
        bound = f"after start_ns {message.start_ns}"
        return refuse(RejectReason.END_NOT_AFTER_START, "end_ns", end_ns, bound)
    if end_ns <= at_ns:
        return refuse(RejectReason.END_IN_THE_PAST, "end_ns", end_ns, f"after {at_ns}")
    rate_bps = message.participation_cap_bps
    if not 1 <= rate_bps <= RATE_MAX_BPS:
        bound = f"1..{RATE_MAX_BPS}"
        return refuse(RejectReason.RATE_OUT_OF_RANGE, "participation_cap_bps", rate_bps, bound)
    return None


def check_strings(message: NewOrder | CancelOrder | ReplaceOrder) -> Refusal | None:
    """Return a refusal when an id is empty or longer than LENGTH_MAX characters."""
    if isinstance(message, NewOrder):
        lengths = {
            "tenant": len(message.tenant),
            "source": len(message.source),
            "client_order_id": len(message.client_order_id),
            "account_id": len(message.account_id),
            "desk_id": len(message.desk_id),
        }
    else:
        lengths = {
            "tenant": len(message.tenant),
            "source": len(message.source),
            "client_order_id": len(message.client_order_id),
            "original_client_order_id": len(message.original_client_order_id),
        }
    shortest, longest = min(lengths.values()), max(lengths.values())
    if shortest == 0:
        name = next(name for name, length in lengths.items() if length == 0)
        return refuse(RejectReason.FIELD_EMPTY, name, "", f"1 to {LENGTH_MAX} characters")
    if longest > LENGTH_MAX:
        name = next(name for name, length in lengths.items() if length > LENGTH_MAX)
        return refuse(RejectReason.FIELD_TOO_LONG, name, lengths[name], f"at most {LENGTH_MAX}")
    return None


def _check_trade_date(message: NewOrder, terms: Instrument) -> Refusal | None:
    if message.trade_date == terms.trade_date:
        return None
    bound = str(terms.trade_date)
    return refuse(RejectReason.TRADE_DATE_MISMATCH, "trade_date", message.trade_date, bound)
