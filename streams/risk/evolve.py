"""Fold recorded events into what is used of every limit; others are passed over."""

from collections.abc import Callable
from typing import Any

from schemas.messages.allocation import AllocationRestated, CrossAllocated, FillAllocated
from schemas.messages.core import Cause, LimitScope, OrderStatus, RejectReason, Side
from schemas.messages.intake import (
    CommandRepeated,
    MassCancelAnswered,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    OrderRestated,
    OrderResumed,
)
from schemas.messages.risk import (
    FlowDisabled,
    FlowReleased,
    LeaseReduced,
    LeaseRequested,
    LimitsInForce,
)
from streams.core.proposals import used
from streams.risk.amount import Amount
from streams.risk.limits import LimitSet, parse
from streams.risk.state import (
    Cell,
    Disabled,
    Locate,
    RiskState,
    Total,
    Working,
    equal_key,
    flow_key,
    place_key,
    rate_key,
    rates_for,
    scope_key,
    watch_of,
)

__all__ = ["evolve", "use"]

SECOND_NS = 1_000_000_000
_ASKED = (Cause.UNKNOWN, Cause.CLIENT)  # by a client; older records do not say
POSITIONED = 3  # of a cell's keys: firm, client, account
DATES_MAX = 4  # trade dates that a total remembers; markets of one firm are at most two apart


def evolve(state: RiskState, event: Any) -> None:
    """Apply a fact."""
    apply = _RULES.get(type(event))
    if apply is not None:
        apply(state, event)


def use(state: RiskState, limits: LimitSet, version: int, sha256: str) -> None:
    """Put a set of limits in the place of the one in force; what is used stays as counted."""
    state.limits, state.version, state.sha256 = limits, version, sha256
    state.watch = watch_of(limits)


def _accepted(state: RiskState, event: OrderAccepted) -> None:
    strategy, side, at_ns = event.strategy, event.side, event.accepted_ns
    key = (
        f"{event.tenant}\0{event.client_id}\0{event.account_id}\0{event.desk_id}"
        f"\0{strategy}\0{event.instrument_id}"
    )
    if key not in state.cells:
        _open_cell(state, key, event)
    order = state.orders[event.order_id] = Working(
        key, side, event.trade_date, event.quantity, event.unit_value_e9
    )
    if event.is_short_sale:
        order.locate = event.locate_id
    _hold(state, order, 1)
    _spend(state, event.tenant, event.source, at_ns)
    watch = state.watch
    if watch.equals_max:
        equal = equal_key(
            event.account_id, event.instrument_id, side, event.quantity, event.limit_price_e9
        )
        _remember(state.equals, equal, at_ns, watch.equals_window_ns, watch.equals_max)
    if watch.flows_max:
        flow = flow_key(event.tenant, event.account_id, strategy, event.instrument_id, side)
        _remember(state.flows, flow, at_ns, watch.flows_window_ns, watch.flows_max)
    if at_ns - state.swept_ns >= SECOND_NS:
        _sweep(state, at_ns)


def _open_cell(state: RiskState, key: str, event: OrderAccepted) -> None:
    tenant = event.tenant
    keys = [
        scope_key(LimitScope.FIRM, tenant, tenant),
        scope_key(LimitScope.CLIENT, tenant, event.client_id),
        scope_key(LimitScope.ACCOUNT, tenant, event.account_id),
        scope_key(LimitScope.DESK, tenant, event.desk_id),
        scope_key(LimitScope.STRATEGY, tenant, str(event.strategy)),
        scope_key(LimitScope.INSTRUMENT, tenant, event.instrument_id),
    ]
    state.cells[key] = Cell(keys, event.instrument_id)
    for each in keys:
        state.totals.setdefault(each, Total()).cells.append(key)
    for each in keys[:POSITIONED]:
        state.places.setdefault(place_key(each, event.instrument_id), []).append(key)


def _pending(state: RiskState, event: OrderPendingReplace) -> None:
    """Hold the dearer of the two until the client is answered: either may come to be in force."""
    order = state.orders[event.order_id]
    order.asked, order.asked_unit_e9 = event.quantity, event.unit_value_e9
    order.is_pending = True
    _hold(state, order, 1)
    _spend(state, event.tenant, event.source, event.received_ns)


def _pending_cancel(state: RiskState, event: OrderPendingCancel) -> None:
    order = state.orders[event.order_id]
    order.is_pending = True
    if event.cause in _ASKED:
        _hold(state, order, 1)
        _spend(state, event.tenant, event.source, event.received_ns)


def _replaced(state: RiskState, event: OrderReplaced) -> None:
    order = state.orders[event.order_id]
    messages = 0 if order.is_pending else 1  # else it was counted when it came
    if messages:
        _spend(state, event.tenant, event.source, event.replaced_ns)
    unit_e9 = event.unit_value_e9 or order.asked_unit_e9 or order.unit_e9
    # What has executed at the dearer terms may come back to work by a bust: it stays at them.
    order.unit_e9 = max(unit_e9, order.unit_e9) if order.filled else unit_e9
    order.quantity, order.asked, order.asked_unit_e9 = event.quantity, 0, 0
    order.is_pending = False
    _hold(state, order, messages)


def _canceled(state: RiskState, event: OrderCanceled) -> None:
    order = state.orders[event.order_id]
    messages = 1 if event.cause in _ASKED and not order.is_pending and event.received_ns else 0
    if messages:
        _spend(state, event.tenant, event.source, event.received_ns)
    _end(state, order, messages)


def _resumed(state: RiskState, event: OrderResumed) -> None:
    """Carry what the order may still get into its next trade date; what it got stays behind."""
    order = state.orders[event.order_id]
    open_e9 = order.held_e9 - (order.filled - order.filled_before) * order.unit_e9
    for key in state.cells[order.cell].keys:
        used = state.totals[key].used
        if order.trade_date in used:
            used[order.trade_date].add(-open_e9)
    order.filled_before, order.trade_date, order.held_e9 = order.filled, event.trade_date, 0
    _hold(state, order)


def _closed(state: RiskState, event: OrderClosed) -> None:
    _end(state, state.orders[event.order_id])


def _restated(state: RiskState, event: OrderRestated) -> None:
    order = state.orders[event.order_id]
    order.is_open = event.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
    _hold(state, order)


def _cancel_rejected(state: RiskState, event: OrderCancelRejected) -> None:
    order = state.orders.get(event.order_id)
    if order is not None and order.is_pending and event.reason is RejectReason.TOO_LATE:
        order.is_pending = False  # it was counted when it came
    else:
        _answered(state, event)


def _answered(
    state: RiskState,
    event: OrderRejected | OrderCancelRejected | CommandRepeated | MassCancelAnswered,
) -> None:
    if event.received_ns:
        _spend(state, event.tenant, event.source, event.received_ns)


def _allocated(state: RiskState, event: FillAllocated | AllocationRestated) -> None:
    for entry in event.entries:
        _filled(state, entry.order_id, entry.quantity)


def _crossed(state: RiskState, event: CrossAllocated) -> None:
    for entry in (*event.buys, *event.sells):
        _filled(state, entry.order_id, entry.quantity)


def _filled(state: RiskState, order_id: str, quantity: int) -> None:
    """Move quantity from open to executed: what is held of the limits stays the same."""
    order = state.orders[order_id]
    cell = state.cells[order.cell]
    order.filled += quantity
    is_today = order.trade_date >= cell.trade_date
    if order.trade_date > cell.trade_date:
        cell.trade_date = order.trade_date
        cell.bought_today = cell.sold_today = cell.executions = 0
    if order.side is Side.BUY:
        cell.bought += quantity
        cell.bought_today += quantity if is_today else 0
    else:
        cell.sold += quantity
        cell.sold_today += quantity if is_today else 0
    if quantity > 0:
        cell.executions += is_today
    else:
        order.filled_before = min(order.filled_before, order.filled)
    if not order.is_open:
        _hold(state, order)


def _end(state: RiskState, order: Working, messages: int = 0) -> None:
    order.is_open = False
    order.is_pending = False
    order.asked = order.asked_unit_e9 = 0
    _hold(state, order, messages)


def _hold(state: RiskState, order: Working, messages: int = 0) -> None:
    """Make its cell, its totals and its locate hold what the order has and may still get.

    `messages` are counted on the way, in the same totals.
    """
    quantity, unit_e9 = order.filled, order.unit_e9
    if order.is_open:
        quantity = max(order.quantity, order.asked)
        unit_e9 = max(unit_e9, order.asked_unit_e9)
    held_e9 = (quantity - order.filled_before) * unit_e9
    more, more_e9 = quantity - order.held, held_e9 - order.held_e9
    order.held, order.held_e9 = quantity, held_e9
    cell = state.cells[order.cell]
    if order.side is Side.BUY:
        cell.buys += more
    else:
        cell.sells += more
    if order.locate:
        state.locates.setdefault(order.locate, Locate()).held += more
    totals, trade_date = state.totals, order.trade_date
    for key in cell.keys:
        total = totals[key]
        if messages:
            if trade_date > total.trade_date:
                total.trade_date, total.messages = trade_date, 0
            total.messages += messages
        if more_e9:
            amount = total.used.get(trade_date)
            if amount is None:
                amount = _new_day(total, trade_date)
            amount.add(more_e9)


def _new_day(total: Total, trade_date: int) -> Amount:
    amount = total.used[trade_date] = Amount()
    if len(total.used) > DATES_MAX:
        del total.used[min(total.used)]
    return amount


def _spend(state: RiskState, tenant: str, source: str, at_ns: int) -> None:
    """Take a token from the source's buckets: each is full again so much later."""
    for limit in rates_for(state.watch, source):
        key = rate_key(limit, tenant, source)
        period_ns = SECOND_NS // limit.value
        full_ns = max(state.rates.get(key, 0), at_ns) + period_ns
        # An empty bucket does not get emptier: who is refused may send again after one period.
        state.rates[key] = min(full_ns, at_ns + limit.burst * period_ns)


def _remember(
    memory: dict[str, list[int]], key: str, at_ns: int, window_ns: int, times_max: int
) -> None:
    times = memory.get(key)
    if times is None:
        memory[key] = [at_ns]
        return
    times.append(at_ns)
    while len(times) > times_max or times[0] <= at_ns - window_ns:
        del times[0]


def _sweep(state: RiskState, at_ns: int) -> None:
    """Drop what is older than its window: memory is bounded by the messages of two windows."""
    watch = state.watch
    state.swept_ns = at_ns
    state.equals = _recent(state.equals, at_ns - watch.equals_window_ns)
    state.flows = _recent(state.flows, at_ns - watch.flows_window_ns)
    state.rates = {key: full_ns for key, full_ns in state.rates.items() if full_ns > at_ns}


def _recent(memory: dict[str, list[int]], horizon_ns: int) -> dict[str, list[int]]:
    return {key: times for key, times in memory.items() if times[-1] > horizon_ns}


def _in_force(state: RiskState, event: LimitsInForce) -> None:
    use(state, parse(event.content), event.version, event.sha256)
    proposal = state.proposals.get(event.proposal_id)
    if proposal is not None:
        state.proposals[event.proposal_id] = used(proposal)


def _disabled(state: RiskState, event: FlowDisabled) -> None:
    state.flows_count += 1
    key = flow_key(event.tenant, event.account_id, event.strategy, event.instrument_id, event.side)
    state.disabled[key] = Disabled(event.flow_id, event.limit_id, event.source, event.instrument_id)


def _released(state: RiskState, event: FlowReleased) -> None:
    for key, disabled in list(state.disabled.items()):
        if disabled.flow_id == event.flow_id:
            del state.disabled[key]
            state.flows.pop(key, None)  # it starts with a clean count


def _requested(state: RiskState, event: LeaseRequested) -> None:
    state.asked[f"{event.limit_id}\0{event.scope}\0{event.subject}"] = 1


def _reduced(state: RiskState, event: LeaseReduced) -> None:
    key = f"{event.limit_id}\0{event.scope}\0{event.subject}"
    state.adjustments.setdefault(key, Amount()).add(-event.amount_e9)


_RULES: dict[type, Callable[[RiskState, Any], None]] = {
    OrderAccepted: _accepted,
    OrderRejected: _answered,
    OrderCancelRejected: _cancel_rejected,
    MassCancelAnswered: _answered,
    OrderResumed: _resumed,
    CommandRepeated: _answered,
    OrderPendingCancel: _pending_cancel,
    OrderPendingReplace: _pending,
    OrderReplaced: _replaced,
    OrderCanceled: _canceled,
    OrderClosed: _closed,
    OrderRestated: _restated,
    FillAllocated: _allocated,
    AllocationRestated: _allocated,
    CrossAllocated: _crossed,
    LimitsInForce: _in_force,
    FlowDisabled: _disabled,
    FlowReleased: _released,
    LeaseRequested: _requested,
    LeaseReduced: _reduced,
}
