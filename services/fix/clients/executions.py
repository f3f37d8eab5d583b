"""Fills, crosses and their restatements as executions of the client's own orders.

A fill is told at its venue's price, a cross at its own. Busts and corrections move shares between
orders; whatever an order loses or wins is told as busts (H) and corrections (G) of executions
that it was told before, so that the executions that stand always sum to CumQty. It loses first of
the fill that changed, then of the newest executions of its parent, then of any. It wins on the
newest execution of its parent, or, where it has none, by a trade at the price of that fill.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from schemas.messages.allocation import AllocationRestated, CrossAllocated, FillAllocated
from schemas.messages.core import AllocationEntry, CashEntry, Cause, Envelope
from schemas.messages.routing import FillCorrected
from services.fix.clients.reports import BUST, CORRECT, TRADE, Last, exec_id
from services.fix.clients.state import ClientsState, Execution, Order, Trade
from services.fix.values import LIQUIDITY_TEXTS

__all__ = [
    "Step",
    "apply_step",
    "corrected",
    "last_of",
    "restated",
    "told",
    "traded",
    "transacted_ns",
]

AGENT, CROSS_AS_AGENT = "1", "2"  # FIX 29
CAUSES: Final = {Cause.BUST: "the venue took it back", Cause.CORRECTION: "the venue changed it"}


class Step(NamedTuple):
    """One report to come: an execution that is new, changed (also in part) or gone."""

    exec_type: str
    exec_id: str
    reference_id: str
    fill_id: str
    parent_id: str
    quantity: int  # of the execution after it; what was taken back for a bust
    price_e9: int
    text: str = ""


def traded(envelope: Envelope, event: FillAllocated | CrossAllocated) -> Iterator[tuple[str, Step]]:
    """Yield each order's trade, by order id."""
    entries: tuple[AllocationEntry | CashEntry, ...]
    if isinstance(event, CrossAllocated):
        name, parent_id, entries = event.cross_id, "", (*event.buys, *event.sells)
    else:
        name, parent_id, entries = event.fill_id, event.parent_id, event.entries
    for place, entry in enumerate(entries):
        number = exec_id(envelope.event_id, place)
        price_e9 = event.price_e9
        yield entry.order_id, Step(TRADE, number, "", name, parent_id, entry.quantity, price_e9)


def corrected(
    state: ClientsState, envelope: Envelope, event: FillCorrected
) -> Iterator[tuple[str, Step]]:
    """Yield what another price makes of each execution of the fill. Shares come by restatement."""
    if event.price_e9 == event.previous_price_e9:
        return
    for place, order_id in enumerate(state.parties.get(event.fill_id, ())):
        order = state.orders[order_id]
        own = [each for each in order.executions if each.fill_id == event.fill_id]
        for part, each in enumerate(own):
            yield (
                order_id,
                Step(
                    CORRECT,
                    exec_id(envelope.event_id, place, part),
                    each.exec_id,
                    each.fill_id,
                    each.parent_id,
                    each.quantity,
                    event.price_e9,
                    CAUSES[Cause.CORRECTION],
                ),
            )


def restated(
    state: ClientsState, envelope: Envelope, event: AllocationRestated
) -> Iterator[tuple[str, Step]]:
    """Yield what each order of ours loses or wins."""
    for place, entry in enumerate(event.entries):
        order = state.orders.get(entry.order_id)
        if order is None:
            continue
        steps = (
            _lost(order, event, -entry.quantity)
            if entry.quantity < 0
            else _won(state, order, event, entry.quantity)
        )
        for part, step in enumerate(steps):
            number = exec_id(envelope.event_id, place, part)
            yield order.order_id, step._replace(exec_id=number, text=CAUSES[event.cause])


def _lost(order: Order, event: AllocationRestated, quantity: int) -> Iterator[Step]:
    newest = order.executions[::-1]
    ranked = sorted(
        newest,  # sorted() keeps the order of those that rank alike
        key=lambda each: (each.fill_id != event.fill_id, each.parent_id != event.parent_id),
    )
    for each in ranked:
        part = min(quantity, each.quantity)
        quantity -= part
        left = each.quantity - part
        yield Step(
            CORRECT if left else BUST,
            "",
            each.exec_id,
            each.fill_id,
            each.parent_id,
            left or each.quantity,
            each.price_e9,
        )
        if not quantity:
            return


def _won(
    state: ClientsState, order: Order, event: AllocationRestated, quantity: int
) -> Iterator[Step]:
    for each in reversed(order.executions):
        if each.parent_id == event.parent_id:
            yield Step(
                CORRECT,
                "",
                each.exec_id,
                each.fill_id,
                each.parent_id,
                each.quantity + quantity,
                each.price_e9,
            )
            return
    price_e9 = _price_of(state, event.fill_id)
    yield Step(TRADE, "", "", event.fill_id, event.parent_id, quantity, price_e9)


def apply_step(state: ClientsState, order: Order, step: Step, at_ns: int) -> None:
    """Change the order's executions and sums as the step says. `at_ns`: of its event."""
    if step.exec_type == TRADE:
        order.executions.append(_execution(state, step, at_ns))
        order.count(step.quantity, step.quantity * step.price_e9)
        parties = state.parties.setdefault(step.fill_id, [])
        if order.order_id not in parties:
            parties.append(order.order_id)
        return
    at = next(n for n, each in enumerate(order.executions) if each.exec_id == step.reference_id)
    before = order.executions[at]
    value = before.quantity * before.price_e9
    if step.exec_type == BUST:
        del order.executions[at]
        order.count(-before.quantity, -value)
        return
    order.executions[at] = _execution(state, step, at_ns)
    order.count(step.quantity - before.quantity, step.quantity * step.price_e9 - value)


def last_of(trades: Mapping[str, Trade], step: Step) -> Last:
    """Return FIX 32, 31, 30, 29 and 851 of a step."""
    trade = trades.get(step.fill_id)
    if trade is None:
        return Last(step.quantity, step.price_e9)
    return Last(
        step.quantity,
        step.price_e9,
        trade.venue_id,
        CROSS_AS_AGENT if trade.is_cross else AGENT,
        LIQUIDITY_TEXTS.get(trade.liquidity, ""),
    )


def transacted_ns(trades: Mapping[str, Trade], step: Step, at_ns: int) -> int:
    """Return FIX 60 of a step: when its trade took place, else when its event was written."""
    trade = trades.get(step.fill_id)
    return (0 if trade is None else trade.transact_ns) or at_ns


def _execution(state: ClientsState, step: Step, at_ns: int) -> Execution:
    """Return what a step makes of an execution, with what its report tells of it."""
    last = last_of(state.trades, step)
    return Execution(
        step.exec_id,
        step.fill_id,
        step.parent_id,
        step.quantity,
        step.price_e9,
        transacted_ns(state.trades, step, at_ns),
        last.market,
        last.capacity,
        last.liquidity,
    )


def _price_of(state: ClientsState, fill_id: str) -> int:
    """Return the price of a fill that was changed in this very batch."""
    return state.trades[fill_id].price_e9


def told(order: Order, step: Step) -> Order:
    """Return the order as it stands after the step; the order itself stays as it is."""
    after = msgspec.structs.replace(order)
    if step.exec_type == TRADE:
        after.count(step.quantity, step.quantity * step.price_e9)
        return after
    before = next(each for each in order.executions if each.exec_id == step.reference_id)
    value = before.quantity * before.price_e9
    if step.exec_type == BUST:
        after.count(-before.quantity, -value)
    else:
        after.count(step.quantity - before.quantity, step.quantity * step.price_e9 - value)
    return after
