"""What an order's executions cost in the end: pools of fills are paid at their average price.

Trades are told as they come, each at its venue's price. Where a tenant's cash is not per fill,
an epoch's fills make one price for all its orders (docs/architecture.md, law 8), which need not be
the average of an order's own trades. Who asks for it (has_final_price) is told 150=B once the cash
of all of an ended order's executions is final, and again when it changes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.messages.allocation import CashAllocated, CrossAllocated
from schemas.messages.core import CashEntry, Envelope, Side
from services.clearing.reports import average_price_e9
from services.fix.clients.reference import Reference
from services.fix.clients.reports import CALCULATED, Report, exec_id, report
from services.fix.clients.state import ClientsState, Order, Payment
from services.fix.clients.terms import Seat
from services.fix.gateway.application import Outgoing
from services.fix.values import price_text

__all__ = ["Paid", "calculated", "fold_cash", "paid"]


class Paid(NamedTuple):
    """An order whose payment of one source is new or changed; `payment` None: it is gone."""

    order: Order
    source: str
    payment: Payment | None


def paid(state: ClientsState, event: CashAllocated | CrossAllocated) -> Iterator[Paid]:
    """Yield what the event pays orders of ours, and which of them it pays no more."""
    entries: tuple[CashEntry, ...]
    if isinstance(event, CrossAllocated):
        source, entries = event.cross_id, (*event.buys, *event.sells)
    else:
        source = event.fill_id or f"{event.parent_id}/{event.epoch}"
        entries = event.entries
    for entry in entries:
        order = state.orders.get(entry.order_id)
        if order is not None:
            yield Paid(order, source, Payment.of(entry.quantity, entry.cash_e9, entry.fee_e9))
    named = {entry.order_id for entry in entries}
    for order_id in state.payers.get(source, ()):
        if order_id not in named:
            yield Paid(state.orders[order_id], source, None)


def fold_cash(state: ClientsState, event: CashAllocated | CrossAllocated) -> None:
    """Keep what the event pays."""
    for order, source, payment in [*paid(state, event)]:
        payers = state.payers.setdefault(source, [])
        if payment is None:
            order.payments.pop(source, None)
            payers.remove(order.order_id)
            continue
        order.payments[source] = payment
        if order.order_id not in payers:
            payers.append(order.order_id)


def calculated(
    seat: Seat, reference: Reference, order: Order, envelope: Envelope, place: int
) -> Iterator[Outgoing]:
    """Yield 150=B if the order has ended and all of it is paid.

    Units:  FIX 6 price, 381 and 118 money, all exact but for 6.
    Rounds: FIX 6 half even.
    """
    quantity = sum(each.quantity for each in order.payments.values())
    if not seat.terms.has_final_price or order.is_open or not quantity:
        return
    if quantity != order.cumulative_quantity:
        return
    cash_e9 = sum(each.cash_e9 for each in order.payments.values())
    fee_e9 = sum(each.fee_e9 for each in order.payments.values())
    net_e9 = cash_e9 + (fee_e9 if order.side is Side.BUY else -fee_e9)
    scale = reference.scale(order.instrument_id)
    said = Report(
        CALCULATED,
        exec_id(envelope.event_id, place, 1),
        envelope.at_ns,
        average_price_e9=average_price_e9(cash_e9, quantity, scale),
        more=((381, price_text(cash_e9)), (118, price_text(net_e9))),
    )
    yield report(seat, reference, order, said)
