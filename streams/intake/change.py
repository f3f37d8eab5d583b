"""Cancel and replace: at once while an order waits, pending while a parent works it."""

from schemas.messages.core import Cause, CommandKind, OrderStatus, RejectReason, TimeInForce
from schemas.messages.intake import (
    CancelOrder,
    OrderCancelRejected,
    OrderPendingReplace,
    ReplaceOrder,
)
from streams.intake.answers import (
    IntakeEvent,
    canceled,
    closed,
    finished,
    pending_cancel,
    replaced,
    too_late,
    unasked,
)
from streams.intake.commands import SubmitCancel, SubmitReplace
from streams.intake.ladder import (
    check_duplicate,
    check_killed,
    check_limits,
    check_partition,
    check_printable,
    check_replace,
    check_strings,
    check_value,
)
from streams.intake.mandate import Mandate, check_constraints, check_venues, normal
from streams.intake.parameters import check_amended
from streams.intake.refusal import Refusal, refuse
from streams.intake.state import IntakeState, Order, Pending, key_of, standing_key
from streams.intake.times import check_cutoff, check_end
from streams.parameters import normal as normal_parameters

__all__ = ["cancel", "cancel_unasked", "finish_cancel", "finish_replace", "order_named", "replace"]

ORIGINAL = "original_client_order_id"


def cancel(
    state: IntakeState, command: SubmitCancel, *, is_duplicate: bool
) -> tuple[IntakeEvent, ...]:
    """Return the cancel done, pending or refused."""
    message = command.message
    order = order_named(state, message)
    refusal = (
        check_partition(message.instrument_id, is_own=command.is_own_partition)
        or check_duplicate(message.client_order_id, is_duplicate=is_duplicate)
        or check_strings(message)
        or check_printable(message)
        or _check_order(order, message)
    )
    if refusal is not None:
        return (_refused(command, order, refusal),)
    assert order is not None  # an unknown order was refused above
    request = Pending(
        CommandKind.CANCEL,
        message.source,
        message.client_order_id,
        command.digest,
        trade_date=_other_date(order, message),
    )
    if order.parent_id:
        return (pending_cancel(order, request, command.at_ns),)
    return (canceled(order, request, command.at_ns),)


def cancel_unasked(order: Order, cause: Cause, at_ns: int) -> tuple[IntakeEvent, ...]:
    """Return the cancel that the house decided; () when the order ends already.

    A replace that was pending is refused, for the order will have ended before it takes effect.
    """
    pending, request = order.pending, unasked(order, cause)
    if not order.is_open or (pending is not None and pending.command is CommandKind.CANCEL):
        return ()
    if not order.parent_id:
        return (finished(order, request, at_ns),)
    refused = () if pending is None else too_late(order, pending, at_ns)
    return (*refused, pending_cancel(order, request, at_ns))


def replace(
    state: IntakeState, command: SubmitReplace, *, is_duplicate: bool
) -> tuple[IntakeEvent, ...]:
    """Return the replace done, pending or refused. A mere increase never waits."""
    message = command.message
    order = order_named(state, message)
    is_asleep = order is not None and order.status is OrderStatus.DONE_FOR_DAY
    refusal = (
        check_replace(command, is_duplicate=is_duplicate, is_any_time=is_asleep)
        or _check_order(order, message)
        or (None if order is None else _check_change(order, command))
        or check_killed(command.killed)
        or check_limits(command)
    )
    if refusal is not None:
        return (_refused(command, order, refusal),)
    assert order is not None  # an unknown order was refused above
    request = _request(order, command)
    if not order.parent_id or _is_increase(order, request):
        return replaced(order, request, command.at_ns)
    pending = OrderPendingReplace(
        order_id=order.terms.order_id,
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        quantity=request.quantity,
        limit_price_e9=request.limit_price_e9,
        command_digest=command.digest,
        received_ns=command.at_ns,
        constraints=request.constraints,
        end_ns=request.end_ns,
        unit_value_e9=command.unit_value_e9,
        limits_version=command.limits_version,
        trade_date=request.trade_date,
        parameters=request.parameters,
    )
    return (pending,)


def finish_cancel(order: Order, at_ns: int) -> tuple[IntakeEvent, ...]:
    """Return the answer to the pending cancel; () when none is pending."""
    pending = order.pending
    if pending is None or pending.command is not CommandKind.CANCEL:
        return ()
    if order.is_full:
        return (
            *too_late(order, pending, at_ns),
            closed(order, OrderStatus.FILLED, Cause.FILL),
        )
    return (finished(order, pending, at_ns),)


def finish_replace(order: Order, at_ns: int) -> tuple[IntakeEvent, ...]:
    """Return the answer to the pending replace; () when none is pending."""
    pending = order.pending
    if pending is None or pending.command is not CommandKind.REPLACE:
        return ()
    if order.is_full:
        return (
            *too_late(order, pending, at_ns),
            closed(order, OrderStatus.FILLED, Cause.FILL),
        )
    return replaced(order, pending, at_ns)


def _request(order: Order, command: SubmitReplace) -> Pending:
    """Return what the replace asks for: what it leaves out stays as it is."""
    message = command.message
    price_e9 = message.limit_price_e9
    return Pending(
        CommandKind.REPLACE,
        message.source,
        message.client_order_id,
        command.digest,
        trade_date=_other_date(order, message),
        quantity=message.quantity,
        limit_price_e9=order.limit_price_e9 if price_e9 is None else price_e9,
        constraints=(
            order.constraints if message.constraints is None else normal(message.constraints)
        ),
        end_ns=0 if message.end_ns == order.end_ns else message.end_ns,
        limits_version=command.limits_version,
        unit_value_e9=command.unit_value_e9,
        parameters=(
            order.parameters
            if message.parameters is None
            else normal_parameters(message.parameters)
        ),
    )


def _other_date(order: Order, message: CancelOrder | ReplaceOrder) -> int:
    """Return the date of a request that is not the order's: overnight it may be the next one."""
    return 0 if message.trade_date == order.trade_date else message.trade_date


def _is_increase(order: Order, request: Pending) -> bool:
    return (
        request.quantity > order.quantity
        and request.limit_price_e9 == order.limit_price_e9
        and request.constraints == order.constraints
        and request.parameters == order.parameters
        and not request.end_ns
    )


def order_named(state: IntakeState, message: CancelOrder | ReplaceOrder) -> Order | None:
    """Return the order that the message names, of its tenant; None when there is none."""
    """Return the order that the message names by any id it ever had that day; None if none."""
    key = key_of(message, message.original_client_order_id)
    order_id = ""
    for answer in state.answers.get(key, ()):
        if answer.is_accepted and answer.command in (CommandKind.NEW, CommandKind.REPLACE):
            order_id = answer.order_id
            break
    if not order_id and state.standing:
        original = message.original_client_order_id
        key = standing_key(message.instrument_id, message.source, original)
        order_id = state.standing.get(key, "")
    order = state.orders.get(order_id)
    return order if order is not None and order.terms.tenant == message.tenant else None


def _check_order(order: Order | None, message: CancelOrder | ReplaceOrder) -> Refusal | None:
    original = message.original_client_order_id
    if order is None:
        bound = f"orders of source {message.source} on {message.trade_date}"
        return refuse(RejectReason.UNKNOWN_ORDER, ORIGINAL, original, bound)
    if not order.is_open:
        return refuse(RejectReason.TOO_LATE, ORIGINAL, original, f"it is {order.status}")
    if order.pending is not None:
        bound = order.pending.client_order_id
        return refuse(RejectReason.ALREADY_PENDING, ORIGINAL, original, bound)
    if original != order.client_order_id:
        # FIX 41 names the last id that was accepted; who does not know it decides on old terms.
        bound = f"it is {order.client_order_id} since"
        return refuse(RejectReason.TOO_LATE, ORIGINAL, original, bound)
    return None


def _check_change(order: Order, command: SubmitReplace) -> Refusal | None:
    message, terms = command.message, command.instrument
    assert terms is not None  # an unknown instrument was refused above
    if message.quantity < order.cumulative_quantity:
        bound = f"at least {order.cumulative_quantity}"
        return refuse(RejectReason.QUANTITY_BELOW_FILLED, "quantity", message.quantity, bound)
    request = _request(order, command)
    is_same = (request.constraints, request.parameters) == (order.constraints, order.parameters)
    asked = (request.quantity, request.limit_price_e9, request.end_ns)
    if is_same and asked == (order.quantity, order.limit_price_e9, 0):
        bound = f"limit_price_e9 {order.limit_price_e9} is the same too"
        return refuse(RejectReason.NOTHING_CHANGED, "quantity", message.quantity, bound)
    mandate = Mandate(
        request.constraints,
        side=order.terms.side,
        quantity=request.quantity,
        limit_price_e9=request.limit_price_e9,
        is_dark_allowed=order.terms.is_dark_allowed,
    )
    venues = None if message.constraints is None else command.venues
    return (
        _check_replaceable(order)
        or _check_end(order, command)
        or check_cutoff(order.terms, terms, command.at_ns)
        or (None if venues is None else check_venues(mandate, venues))
        or check_constraints(mandate, terms, venues)
        or check_value(request.quantity, request.limit_price_e9, terms)
        or check_amended(order, request.parameters)
    )


def _check_replaceable(order: Order) -> Refusal | None:
    """An IOC order that left its sweep and joined again would sweep twice."""
    if order.terms.time_in_force is not TimeInForce.IOC:
        return None
    bound = "IOC is one sweep"
    return refuse(RejectReason.REPLACE_NOT_ALLOWED, ORIGINAL, order.client_order_id, bound)


def _check_end(order: Order, command: SubmitReplace) -> Refusal | None:
    end_ns, tif = command.message.end_ns, order.terms.time_in_force
    assert command.instrument is not None  # an unknown instrument was refused above
    if not end_ns:
        return None
    if tif in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE):
        bound = f"{tif} has the end of its auction"
    elif order.status is OrderStatus.DONE_FOR_DAY:
        bound = "it is DONE_FOR_DAY and ends with its next session"
    elif end_ns <= command.at_ns:
        return refuse(RejectReason.END_IN_THE_PAST, "end_ns", end_ns, f"after {command.at_ns}")
    elif end_ns <= order.start_ns:
        bound = f"after start_ns {order.start_ns}"
        return refuse(RejectReason.END_NOT_AFTER_START, "end_ns", end_ns, bound)
    elif order.terms.expire_ns and end_ns > order.terms.expire_ns:
        bound = f"it expires at {order.terms.expire_ns}"
    else:
        return check_end(end_ns, command.instrument)
    return refuse(RejectReason.REPLACE_NOT_ALLOWED, "end_ns", end_ns, bound)


def _refused(
    command: SubmitCancel | SubmitReplace, order: Order | None, refusal: Refusal
) -> OrderCancelRejected:
    message = command.message
    is_cancel = isinstance(message, CancelOrder)
    return OrderCancelRejected(
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        original_client_order_id=message.original_client_order_id,
        order_id=order.terms.order_id if order is not None else "",
        instrument_id=message.instrument_id,
        trade_date=message.trade_date,
        response_to=CommandKind.CANCEL if is_cancel else CommandKind.REPLACE,
        reason=refusal.reason,
        field=refusal.field,
        value=refusal.value,
        bound=refusal.bound,
        text=refusal.text,
        command_digest=command.digest,
        received_ns=command.at_ns,
        limit_id=refusal.limit_id,
        limits_version=0 if isinstance(command, SubmitCancel) else command.limits_version,
    )
