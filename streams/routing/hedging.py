"""What was executed for nobody: the error account's position, and the house order against it.

Over-fills, fills beyond a venue's own word and corrections move it; nothing of it ever reaches an
order of a client. Whole lots of it are offered to the other side by an order of the error account,
which the shard enters like any other: intake, limits and kill switch answer it. What such an order
gives up, or loses by a bust, is open again and hedged again; what is refused is tried again, each
time twice as late, and every attempt is an event that people see.
"""

from typing import Any

from schemas.messages.core import Cause, OrderStatus, Side
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderClosed,
    OrderRejected,
    OrderRestated,
)
from schemas.messages.routing import ErrorHedged, FillBooked, FillBusted, FillCorrected
from streams.routing.commands import HedgeError
from streams.routing.state import HedgeOrder, RoutingState

__all__ = ["RETRY_NS", "SOURCE", "fold_answer", "fold_end", "fold_hedged", "hedge", "note_error"]

SOURCE = "error-account"
RETRY_NS = 60 * 1_000_000_000  # after a refusal: a kill may be released, a limit raised
DOUBLINGS_MAX = 6  # a night is asked about once an hour
ORDERS_MAX = 1_000  # house orders that a bust may still reopen, the newest


def note_error(state: RoutingState, instrument_id: str, side: Side, quantity: int) -> None:
    """Add to what the error account holds and has not hedged; `quantity` may be negative."""
    if not quantity:
        return
    held = state.errors.get(instrument_id, 0) + (quantity if side is Side.BUY else -quantity)
    if held:
        state.errors[instrument_id] = held
    else:
        state.errors.pop(instrument_id, None)


def hedge(state: RoutingState, command: HedgeError) -> tuple[Any, ...]:
    """Return the house order against the position, whole lots of it; () where nobody bears it."""
    held, settings = state.errors.get(command.instrument_id, 0), state.settings
    quantity = abs(held) // command.lot * command.lot
    if not quantity or not settings.has_error_account:
        return ()
    change = command.change
    return (
        ErrorHedged(
            hedge_id=f"{command.instrument_id}.{state.hedged + 1}",
            fill_id="" if change is None else change.fill_id,
            parent_id="" if change is None else change.parent_id,
            venue_id="" if change is None else change.venue_id,
            instrument_id=command.instrument_id,
            side=Side.SELL if held > 0 else Side.BUY,
            quantity=quantity,
            tenant=settings.error_tenant,
            account_id=settings.error_account_id,
            cause=_cause(change),
            retry_ns=command.at_ns
            + (RETRY_NS << min(state.hedge_refusals.get(command.instrument_id, 0), DOUBLINGS_MAX)),
        ),
    )


def fold_hedged(state: RoutingState, event: ErrorHedged) -> None:
    """Count the position as covered until intake refuses the order."""
    state.hedged += 1
    signed = event.quantity if event.side is Side.BUY else -event.quantity
    state.hedges[event.hedge_id] = signed
    state.hedge_due_ns[event.instrument_id] = event.retry_ns
    note_error(state, event.instrument_id, event.side, event.quantity)


def fold_answer(state: RoutingState, event: OrderAccepted | OrderRejected) -> None:
    """Keep a hedge that is at work; take back one that was refused: the position is open again."""
    if event.source != SOURCE:
        return
    signed = state.hedges.pop(event.client_order_id, 0)
    if isinstance(event, OrderRejected):
        note_error(state, event.instrument_id, Side.BUY, -signed)
        refused = state.hedge_refusals.get(event.instrument_id, 0)
        state.hedge_refusals[event.instrument_id] = refused + 1
        return
    state.hedge_refusals.pop(event.instrument_id, None)
    state.hedge_orders[event.order_id] = HedgeOrder(
        event.instrument_id, event.side, event.quantity, event.quantity
    )
    while len(state.hedge_orders) > ORDERS_MAX:
        state.hedge_orders.pop(next(iter(state.hedge_orders)))


def fold_end(state: RoutingState, event: OrderCanceled | OrderClosed | OrderRestated) -> None:
    """Count an ended hedge for what it got: what it gave up, or lost since, is open again."""
    order = state.hedge_orders.get(event.order_id)
    if order is None:
        return
    covered = event.cumulative_quantity
    if isinstance(event, OrderRestated) and event.status in _AT_WORK:
        covered = order.quantity  # what the bust took is worked again by the order itself
    note_error(state, order.instrument_id, order.side, covered - order.covered)
    order.covered = covered


_AT_WORK = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


def _cause(change: FillBooked | FillBusted | FillCorrected | None) -> Cause:
    match change:
        case FillBooked():
            return Cause.OVERFILL if change.overfill_quantity else Cause.VENUE
        case FillBusted():
            return Cause.BUST
        case FillCorrected():
            return Cause.CORRECTION
        case _:
            return Cause.TIMEOUT
