"""What was executed for nobody: the error account's position, and the house order against it.

Over-fills, fills beyond a venue's own word and corrections move it; nothing of it ever reaches an
order of a client. Whole lots of it are offered to the other side by an order of the error account,
which the shard enters like any other: intake, limits and kill switch answer it.
"""

from typing import Any

from schemas.messages.core import Cause, Side
from schemas.messages.intake import OrderAccepted, OrderRejected
from schemas.messages.routing import ErrorHedged, FillBooked, FillBusted, FillCorrected
from streams.routing.commands import HedgeError
from streams.routing.state import RoutingState

__all__ = ["RETRY_NS", "SOURCE", "fold_answer", "fold_hedged", "hedge", "note_error"]

SOURCE = "error-account"
RETRY_NS = 60 * 1_000_000_000  # after a refusal: a kill may be released, a limit raised


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
            retry_ns=command.at_ns + RETRY_NS,
        ),
    )


def fold_hedged(state: RoutingState, event: ErrorHedged) -> None:
    """Count the position as covered until intake refuses the order."""
    state.hedged += 1
    signed = event.quantity if event.side is Side.BUY else -event.quantity
    state.hedges[event.hedge_id] = signed
    note_error(state, event.instrument_id, event.side, event.quantity)


def fold_answer(state: RoutingState, event: OrderAccepted | OrderRejected) -> None:
    """Take back a hedge that was refused: the position is open again."""
    if event.source != SOURCE:
        return
    signed = state.hedges.pop(event.client_order_id, 0)
    if isinstance(event, OrderRejected):
        note_error(state, event.instrument_id, Side.BUY, -signed)


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
