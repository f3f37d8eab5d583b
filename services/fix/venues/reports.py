"""What a venue says by FIX, as the engine reads it: 8 and 9, j and 3 about one of our messages."""

from hashlib import blake2b
from typing import Final, NamedTuple

from schemas.messages.core import ExecType, Liquidity, OrderStatus, RejectReason, Side
from schemas.messages.fix import FixReceived
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.fix import values
from services.fix.fields import Fields
from services.fix.venues.ids import ClientId, read_id
from services.fix.venues.reading import EXECUTED, exec_type_of, status_of
from services.fix.venues.state import Child, Stage, VenuesState
from services.fix.venues.terms import VenueTerms

__all__ = [
    "Telling",
    "cancel_reject",
    "contradicting",
    "digest",
    "execution_report",
    "fold_report",
    "is_refusal_of_request",
    "own_reject",
    "telling_of",
    "unreadable",
]

SELLS: Final = ("2", "5", "6")  # sell, sell short, sell short exempt
FINAL: Final = (
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
    OrderStatus.DONE_FOR_DAY,
)
TEXT_MAX: Final = 250
REPLACE_REJECTED: Final = "2"  # FIX 434


class Telling(NamedTuple):
    """Whom a message is about."""

    terms: VenueTerms
    child_id: str
    child: Child | None
    client_id: ClientId  # what FIX 11 says
    instrument_id: str
    scale: int


def telling_of(state: VenuesState, terms: VenueTerms, fields: Fields) -> Telling:
    """Return whom a message is about, by FIX 11, then 41: a stranger's name is kept as it is."""
    own = read_id(fields.get(11))
    original = read_id(fields.get(41))
    child_id = own.child_id
    if child_id not in state.children and original.child_id in state.children:
        child_id = original.child_id
    child = state.children.get(child_id)
    named = terms.instrument_of(fields.get(55), fields.get(48))
    instrument_id = named or (child.instrument_id if child is not None else "")
    scale = state.scales.get(instrument_id, 1)
    return Telling(terms, child_id, child, own, instrument_id, scale)


def execution_report(telling: Telling, message: FixReceived, fields: Fields) -> ExecutionReport:
    """Return an 8. Raises: FixValueError for a number or time that cannot be read.

    A price and a quantity count for executions only: some venues repeat the last ones in every 8.
    """
    terms, scale, child = telling.terms, telling.scale, telling.child
    exec_type = exec_type_of(terms, fields)
    is_executed = exec_type in EXECUTED
    cumulative = values.quantity(fields.get(14), scale, "14")
    status = status_of(terms, fields, is_begun=cumulative > 0)
    last = values.quantity(fields.get(32, "0"), scale, "32") if is_executed else 0
    price = fields.get(31) if is_executed else ""
    if not fields.get(17) and exec_type is not ExecType.ORDER_STATUS:
        raise values.FixValueError(RejectReason.FIELD_EMPTY, "17", "", "an ExecID")
    return ExecutionReport(
        venue_id=terms.venue_id,
        instrument_id=telling.instrument_id,
        child_id=telling.child_id,
        venue_order_id=fields.get(37),
        exec_id=fields.get(17),
        exec_ref_id=fields.get(19) if is_executed and exec_type is not ExecType.TRADE else "",
        exec_type=exec_type,
        order_status=status,
        side=_side(fields, child),
        last_quantity=last,
        last_price_e9=values.price_e9(price, "31") if price else None,
        cumulative_quantity=cumulative,
        leaves_quantity=values.quantity(fields.get(151), scale, "151"),
        fee_e9=_fee_e9(terms, fields) if is_executed else 0,
        liquidity=_liquidity(terms, fields) if exec_type is ExecType.TRADE else Liquidity.UNKNOWN,
        text=_text(fields, 103),
        transact_ns=_time_ns(message, fields),
        request=_request(telling, exec_type, status),
        order_quantity=values.quantity(fields.get(38), scale, "38") if 38 in fields else 0,
        price_e9=values.price_e9(fields.get(44), "44") if 44 in fields else None,
    )


def is_refusal_of_request(telling: Telling, report: ExecutionReport) -> bool:
    """Return whether an 8 with 150=8 refuses an F or a G, and not the order: it lives on."""
    return report.exec_type is ExecType.REJECTED and not telling.client_id.is_new_order


def cancel_reject(telling: Telling, message: FixReceived, fields: Fields) -> OrderCancelReject:
    """Return a 9, or an 8 that says what a 9 says. Raises: FixValueError for a time."""
    own, child = telling.client_id, telling.child
    is_replace = own.replace > 0 or (not own.cancel and fields.get(434) == REPLACE_REJECTED)
    request = own.replace if is_replace else own.cancel
    if not request and child is not None:  # the venue does not repeat the id of the request
        request = child.replaces if is_replace else child.cancels
    return OrderCancelReject(
        venue_id=telling.terms.venue_id,
        instrument_id=telling.instrument_id,
        child_id=telling.child_id,
        venue_order_id=fields.get(37),
        request=request,
        text=_text(fields, 102 if 102 in fields else 103),
        transact_ns=_time_ns(message, fields),
        is_replace=is_replace,
    )


def own_reject(
    child_id: str, child: Child, exec_id: str, text: str, at_ns: int, *, is_canceled: bool = False
) -> ExecutionReport:
    """Return the end of a child that no venue has: never sent, or refused by j or 3."""
    return ExecutionReport(
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        child_id=child_id,
        venue_order_id=child.venue_order_id,
        exec_id=exec_id,
        exec_ref_id="",
        exec_type=ExecType.CANCELED if is_canceled else ExecType.REJECTED,
        order_status=OrderStatus.CANCELED if is_canceled else OrderStatus.REJECTED,
        side=child.side,
        last_quantity=0,
        last_price_e9=None,
        cumulative_quantity=0,
        leaves_quantity=0,
        fee_e9=0,
        liquidity=Liquidity.UNKNOWN,
        text=text,
        transact_ns=at_ns,
    )


def unreadable(
    telling: Telling, message: FixReceived, fields: Fields, text: str
) -> ExecutionReport:
    """Return what the engine keeps for people of an 8 that cannot be read."""
    return ExecutionReport(
        venue_id=telling.terms.venue_id,
        instrument_id=telling.instrument_id,
        child_id=telling.child_id,
        venue_order_id=fields.get(37),
        exec_id=fields.get(17) or f"{message.session_day}.{message.sequence}",
        exec_ref_id="",
        exec_type=ExecType.UNKNOWN,
        order_status=OrderStatus.UNKNOWN,
        side=_side(fields, telling.child),
        last_quantity=0,
        last_price_e9=None,
        cumulative_quantity=0,
        leaves_quantity=0,
        fee_e9=0,
        liquidity=Liquidity.UNKNOWN,
        text=text,
        transact_ns=message.sent_ns or message.received_ns,
    )


def digest(report: ExecutionReport) -> str:
    """Return what two tellings of one ExecID must have in common, in sixteen hex digits.

    Counts are left out: a venue that says an execution again may say them as they are by then.
    """
    said = (
        report.child_id,
        report.instrument_id,
        report.exec_type.value,
        report.exec_ref_id,
        report.side.value,
        str(report.last_quantity),
        str(report.last_price_e9),
    )
    return blake2b("\x1f".join(said).encode(), digest_size=8).hexdigest()


def contradicting(report: ExecutionReport) -> ExecutionReport:
    """Return a report that says something else under a known ExecID, as the engine must see it.

    Routing takes a second report of an execution for a repeat. Without a side it fits no child, so
    it is kept for people as REPORT_CONTRADICTS, and counts against the venue.
    """
    changed = {name: getattr(report, name) for name in report.__struct_fields__}
    text = f"ExecID {report.exec_id} said something else before, side {report.side.value}"
    return ExecutionReport(**(changed | {"side": Side.UNKNOWN, "text": text}))


def _is_final(report: ExecutionReport) -> bool:
    """Return whether the venue works the order no more."""
    return report.order_status in FINAL and report.leaves_quantity == 0


def fold_report(state: VenuesState, child: Child, report: ExecutionReport, day: int) -> None:
    """Remember what the order's next messages must repeat."""
    child.venue_order_id = report.venue_order_id or child.venue_order_id
    if report.exec_type is ExecType.UNKNOWN:
        return
    if report.request > child.replaced:
        child.replaced = report.request
        if report.request == child.replaces:
            child.quantity = report.order_quantity or child.asked_quantity
            child.price_e9 = child.asked_price_e9
    if _is_final(report):
        state.advance(child, report.child_id, Stage.CLOSED)
        child.closed_day = day
    else:
        state.advance(child, report.child_id, Stage.ANSWERED)


def _side(fields: Fields, child: Child | None) -> Side:
    text = fields.get(54)
    if not text:
        return child.side if child is not None else Side.UNKNOWN
    if text in SELLS:
        return Side.SELL
    return Side.BUY if text == "1" else Side.UNKNOWN


def _request(telling: Telling, exec_type: ExecType, status: OrderStatus) -> int:
    """Return the newest replace that the venue has taken, by its own word."""
    child, own = telling.child, telling.client_id
    taken = child.replaced if child is not None else 0
    if exec_type is ExecType.REPLACED and child is not None and not own.replace:
        return child.replaces
    if exec_type is ExecType.REJECTED or status is OrderStatus.PENDING_REPLACE:
        return taken
    return max(taken, own.replace)


def _fee_e9(terms: VenueTerms, fields: Fields) -> int:
    tag = str(terms.fee_tag)
    amounts = [value for each, value in fields.pairs if each == terms.fee_tag]
    return terms.fee_sign * sum(values.price_e9(value, tag) for value in amounts)


def _liquidity(terms: VenueTerms, fields: Fields) -> Liquidity:
    text = fields.get(terms.liquidity_tag)
    return terms.liquidity.get(text, Liquidity.UNKNOWN) if text else terms.liquidity_absent


def _text(fields: Fields, code_tag: int) -> str:
    text, code = fields.get(58), fields.get(code_tag)
    both = f"{text} ({code_tag}={code})" if text and code else text
    return (both or (f"{code_tag}={code}" if code else ""))[:TEXT_MAX]


def _time_ns(message: FixReceived, fields: Fields) -> int:
    if 60 in fields:
        return values.utc_ns(fields.get(60), "60")
    return message.sent_ns or message.received_ns
