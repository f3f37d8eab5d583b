"""What a client hears of its orders' lives: acknowledgments, refusals, changes, ends."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.messages.core import Cause, CommandKind, Envelope, OrderStatus
from schemas.messages.intake import (
    CommandRepeated,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderDoneForDay,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    OrderRestated,
    OrderResumed,
)
from services.fix.clients.echo import echoed
from services.fix.clients.lifecycle import NO_DIGEST, after, opened
from services.fix.clients.refusals import cancel_reject
from services.fix.clients.reports import (
    CANCELED,
    DONE_FOR_DAY,
    ENDS,
    NEW,
    PENDING_CANCEL,
    PENDING_REPLACE,
    REJECTED,
    REPLACED,
    RESTATED,
    STATUS,
    Report,
    exec_id,
    report,
    unordered_report,
)
from services.fix.clients.state import ClientsState, Order, Request, name_key
from services.fix.clients.terms import Seat
from services.fix.codes import is_known, reason_codes, text_of
from services.fix.gateway.application import Outgoing

__all__ = ["accepted", "changed", "refusal_of", "rejected", "repeated"]

RENEWAL, MARKET_OPTION, BROKER_OPTION = "1", "8", "4"  # FIX 378
KINDS: Final[dict[Any, str]] = {  # of events that answer a request
    OrderPendingCancel: PENDING_CANCEL,
    OrderCanceled: CANCELED,
    OrderPendingReplace: PENDING_REPLACE,
    OrderReplaced: REPLACED,
}
RESPONSES: Final = {CommandKind.CANCEL: "1", CommandKind.REPLACE: "2"}  # FIX 434


def accepted(
    seat: Seat, state: ClientsState, envelope: Envelope, event: OrderAccepted
) -> Iterator[Outgoing]:
    """Yield 150=0 with what is applied of the order's parameters."""
    request = state.requests.get(name_key(event.source, event.client_order_id))
    order, scale = opened(event), state.reference.scale(event.instrument_id)
    more = echoed(seat, event, "" if request is None else request.style, scale, order)
    said = Report(NEW, exec_id(envelope.event_id), event.accepted_ns, more=more)
    yield report(seat, state.reference, order, said)


def rejected(
    seat: Seat, state: ClientsState, envelope: Envelope, event: OrderRejected
) -> Iterator[Outgoing]:
    """Yield 150=8."""
    request = state.requests.get(name_key(event.source, event.client_order_id))
    yield _rejected(seat, event.client_order_id, refusal_of(seat, envelope, event), request)


def _rejected(
    seat: Seat, name: str, refusal: list[tuple[int, str]], request: Request | None
) -> Outgoing:
    told = dict(refusal)
    said = Report(REJECTED, told[17], int(told[60]), text=told[58])
    echo = [] if request is None else [*request.echo, (66, request.list_id)]
    return unordered_report(seat, name, said, echo, code=int(told[103]))


def refusal_of(
    seat: Seat, envelope: Envelope, event: OrderRejected | OrderCancelRejected
) -> list[tuple[int, str]]:
    """Return what a repetition of the command is told again; 60 in ns here."""
    codes = reason_codes(event.reason, seat.version)
    fields = [
        (17, exec_id(envelope.event_id)),
        (60, str(event.received_ns or envelope.at_ns)),
        (58, text_of(event.reason, event.bound, event.value, event.field)),
    ]
    if isinstance(event, OrderRejected):
        return [*fields, (103, str(codes.order))]
    response = RESPONSES.get(event.response_to, "1")
    original = event.original_client_order_id
    return [*fields, (102, str(codes.cancel)), (434, response), (41, original)]


def repeated(
    seat: Seat, state: ClientsState, envelope: Envelope, event: CommandRepeated
) -> Iterator[Outgoing]:
    """Yield the earlier answer: a refusal as it was, else the order as it stands (150=I).

    Source: FIX 4.4 volume 4, state matrices for PossResend: the current state is confirmed.
    """
    request = state.requests.get(name_key(event.source, event.client_order_id))
    order = state.orders.get(event.order_id)
    if event.is_accepted and order is not None:
        said = Report(STATUS, exec_id(envelope.event_id), envelope.at_ns)
        yield report(seat, state.reference, order, said)
        return
    if request is None or 17 not in dict(request.refused):
        return
    if event.command is CommandKind.NEW:
        yield _rejected(seat, event.client_order_id, request.refused, request)
    else:
        yield _cancel_rejected(seat, state, event.client_order_id, request.refused)


def _cancel_rejected(
    seat: Seat, state: ClientsState, name: str, refusal: list[tuple[int, str]]
) -> Outgoing:
    told = dict(refusal)
    order = state.order_named(seat.terms.source, told[41])
    return cancel_reject(
        seat,
        order,
        (name, told[41]),
        code=int(told[102]),
        response=told[434],
        text=told[58],
        at_ns=int(told[60]),
    )


def changed(seat: Seat, state: ClientsState, envelope: Envelope, event: Any) -> Iterator[Outgoing]:
    """Yield what an event of an order's life says; its order as it stands afterwards."""
    known = state.orders.get(event.order_id)
    if isinstance(event, OrderCancelRejected):
        order = None if known is None else after(known, event)
        refusal = dict(refusal_of(seat, envelope, event))
        yield cancel_reject(
            seat,
            order,
            (event.client_order_id, event.original_client_order_id),
            code=int(refusal[102]),
            response=refusal[434],
            text=refusal[58],
            at_ns=int(refusal[60]),
        )
        return
    if known is None:
        return  # of a day that is forgotten
    said = _report(seat, state, envelope, known, event)
    if said is not None:
        yield report(seat, state.reference, after(known, event), said)


def _report(
    seat: Seat, state: ClientsState, envelope: Envelope, order: Order, event: Any
) -> Report | None:
    """Return what is said of the event; None for what the last trade has told."""
    said = Report("", exec_id(envelope.event_id), envelope.at_ns)
    kind = KINDS.get(type(event))
    if kind is not None:
        said = _asked(said._replace(exec_type=kind), order, event)
    match event:
        case OrderReplaced():
            request = state.requests.get(name_key(event.source, event.client_order_id))
            style = "" if request is None else request.style
            scale = state.reference.scale(order.instrument_id)
            said = said._replace(more=echoed(seat, event, style, scale, order))
        case OrderClosed() if event.status is OrderStatus.FILLED:
            # The last trade has told it, but as pending where the house wanted a cancel.
            said = said._replace(exec_type=STATUS if order.pending is not None else "")
        case OrderClosed():
            said = said._replace(exec_type=ENDS[event.status], text=_why(event.cause))
        case OrderDoneForDay():
            said = said._replace(exec_type=DONE_FOR_DAY)
        case OrderResumed():
            said = said._replace(exec_type=RESTATED, restatement=RENEWAL)
        case OrderRestated():
            option = MARKET_OPTION if is_known(seat.version, 378, MARKET_OPTION) else BROKER_OPTION
            text = _why(event.cause)
            said = said._replace(exec_type=RESTATED, restatement=option, text=text)
    return said if said.exec_type else None


def _asked(said: Report, order: Order, event: Any) -> Report:
    """Return the report with the request's ids; a cancel that the house decided has none."""
    if event.command_digest == NO_DIGEST:
        return said._replace(text=_why(event.cause))
    original = order.client_order_id
    return said._replace(client_order_id=event.client_order_id, original=original)


def _why(cause: Cause) -> str:
    if cause is Cause.CLIENT:
        return "with all of a mass cancel"
    return "" if cause is Cause.UNKNOWN else f"{cause}: not at the client's request"
