"""Everything that stands of the orders in a session's terms, told again on request (AF)."""

from collections.abc import Iterator

import msgspec

from schemas.messages.core import OrderStatus
from services.fix.clients.executions import Step, told
from services.fix.clients.reports import STATUS, TRADE, Last, Report, report
from services.fix.clients.state import ClientsState, Order
from services.fix.clients.terms import Seat
from services.fix.gateway.application import Outgoing

__all__ = ["replayed"]


def replayed(
    seat: Seat, state: ClientsState, order: Order, *, numbers: list[tuple[int, str]], at_ns: int
) -> Iterator[Outgoing]:
    """Yield each execution that stands, under the ExecID that last told of it, then the order.

    A subscriber that lost its store has its fills again, each with the sums up to it, and with
    time, market, capacity and liquidity as they were told; one that has some knows them by ExecID.
    """
    stood = msgspec.structs.replace(
        order,
        cumulative_quantity=0,
        value=b"",
        executions=[],
        pending=None,
        status=OrderStatus.NEW,
    )
    for each in order.executions:
        step = Step(
            TRADE, each.exec_id, "", each.fill_id, each.parent_id, each.quantity, each.price_e9
        )
        last = Last(each.quantity, each.price_e9, each.market, each.capacity, each.liquidity)
        when_ns = each.transact_ns or at_ns
        said = Report(TRADE, each.exec_id, when_ns, last=last, more=numbers)
        stood = told(stood, step)
        yield report(seat, state.reference, stood, said)
    name = f"{dict(numbers)[584]}.{order.order_id}"
    yield report(seat, state.reference, order, Report(STATUS, name, at_ns, more=numbers))
