"""Which event leads to which command: the table of docs/architecture.md, in its order.

Rules are generators: the shard carries out each command before it asks for the next, so a later
command sees what the earlier ones changed.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from schemas.messages.allocation import AllocationRestated, CrossAllocated, FillAllocated
from schemas.messages.core import (
    AllocationEntry,
    CashEntry,
    Cause,
    CommandKind,
    OrderStatus,
)
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderClosed,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderReplaced,
    OrderRestated,
    OrderResumed,
)
from schemas.messages.kill import KillReleased
from schemas.messages.netting import (
    CrossExecuted,
    EpochOpened,
    MemberLeft,
    ParentClosed,
    ParentHeld,
)
from schemas.messages.routing import (
    ChildCanceled,
    ChildRejected,
    ErrorHedged,
    FillBooked,
    FillBusted,
    FillCorrected,
    SliceReturned,
)
from schemas.messages.strategy import ParentEnded, PlanAdopted, SliceReleased
from streams import netting, strategy
from streams.allocation.commands import AllocateCross, AllocateFill, FinishCash, RestateFill
from streams.intake.commands import CloseOrder, FinishCancel, FinishReplace, RestateOrder
from streams.netting.commands import (
    CloseWindow,
    Crossing,
    LeaveParent,
    OpenWindow,
    Rebase,
    SettleParent,
)
from streams.routing.commands import CancelChildren, RouteSlice
from streams.shard import stops
from streams.shard.hedging import enter_hedge, hedge_again, hedges
from streams.shard.knowledge import Knowledge
from streams.shard.scoring import bucket_command
from streams.shard.stopping import STOPPING_RULES, confirm, released, works_again
from streams.strategy.commands import Begin, Recalibrate

__all__ = ["PAYMENTS", "RULES", "CloseAtEnd", "close_window"]

Commands = Iterator[Any]


class CloseAtEnd(NamedTuple):
    """Urgent orders wait for nobody but those of their own batch: docs/adr/0010."""

    tenant: str
    instrument_id: str


_END_CAUSES = {
    OrderStatus.FILLED: Cause.FILL,
    OrderStatus.EXPIRED: Cause.END_OF_WINDOW,
    OrderStatus.CANCELED: Cause.COMPLETED,
}


def _joined(knows: Knowledge, event: OrderAccepted | OrderReplaced | OrderResumed) -> Commands:
    parent_id = netting.parent_of(knows.state.netting, event.order_id)
    if parent_id is not None:  # a working order was increased
        yield Rebase(parent=knows.exposure(parent_id), cause=Cause.CLIENT, at_ns=knows.at_ns)
        return
    terms = knows.state.intake.orders[event.order_id].terms
    cause = netting.cause_to_close(knows.state.netting, terms.tenant, terms.instrument_id)
    if cause is Cause.WINDOW_ZERO:
        yield CloseAtEnd(terms.tenant, terms.instrument_id)
    elif cause is not None:
        yield close_window(knows, terms.tenant, terms.instrument_id, cause)
    else:
        crossing = knows.state.reference.crossings.get(terms.tenant)
        if crossing is not None and crossing.random_ns:
            yield OpenWindow(
                tenant=terms.tenant,
                instrument_id=terms.instrument_id,
                at_ns=knows.at_ns,
                random_ns=crossing.random_ns,
                entropy=knows.entropy,
            )


def close_window(knows: Knowledge, tenant: str, instrument_id: str, cause: Cause) -> CloseWindow:
    """Return the command with the quote and what the working parents hold."""
    reference, market = knows.state.reference, knows.state.market
    settings = reference.settings
    return CloseWindow(
        tenant=tenant,
        instrument_id=instrument_id,
        cause=cause,
        at_ns=knows.at_ns,
        instrument=knows.terms(instrument_id),
        is_per_fill=tenant in reference.settings.per_fill_tenants,
        quote=knows.quote(instrument_id),
        crossing=reference.crossings.get(tenant),
        own_netting=Crossing(
            declaration_id="",
            quote_age_max_ns=settings.quote_age_max_ns,
            spread_max_bps=settings.own_spread_max_bps,
        ),
        interruption=market.interruption(instrument_id, reference.venues),
        median_spread_e9=market.median_spread_e9(instrument_id),
        restrictions=tuple(reference.restrictions.get(tenant, ())),
        opted_out_account_ids=knows.opted_out(tenant),
        stopped_order_ids=stops.stopped_orders(knows.state, tenant, instrument_id),
        parents=tuple(
            knows.exposure(parent_id)
            for parent_id in netting.open_parents(knows.state.netting, tenant, instrument_id)
        ),
    )


def _settle(knows: Knowledge, parent_id: str) -> Commands:
    if parent_id in knows.state.parents:
        yield SettleParent(
            parent=knows.exposure(parent_id),
            is_ended=strategy.is_ended(knows.state.strategy, parent_id),
            at_ns=knows.at_ns,
        )


def _recalibrate(knows: Knowledge, parent_id: str, cause: Cause) -> Commands:
    parent = knows.state.parents.get(parent_id)
    if parent is not None:
        yield Recalibrate(
            parent_id=parent_id,
            cause=cause,
            at_ns=knows.at_ns,
            entropy=knows.entropy,
            market=knows.market(parent.instrument_id),
            is_stopped=knows.is_stopped(parent_id),
        )


def _cross_executed(knows: Knowledge, event: CrossExecuted) -> Commands:
    tenant, instrument_id = event.tenant, event.instrument_id
    for parent_id in netting.open_parents(knows.state.netting, tenant, instrument_id):
        yield from _settle(knows, parent_id)


def _cross_allocated(knows: Knowledge, event: CrossAllocated) -> Commands:
    yield from _close_full(knows, (*event.buys, *event.sells))


def _close_full(knows: Knowledge, entries: Iterable[AllocationEntry | CashEntry]) -> Commands:
    orders = knows.state.intake.orders
    for entry in entries:
        order = orders[entry.order_id]
        if order.is_full and order.is_open:
            yield CloseOrder(order_id=entry.order_id, cause=Cause.FILL, at_ns=knows.at_ns)
        elif order.status is not OrderStatus.NEW:
            yield RestateOrder(order_id=entry.order_id, cause=Cause.FILL)


def _epoch_opened(knows: Knowledge, event: EpochOpened) -> Commands:
    parent = knows.state.parents.get(event.parent_id)
    if parent is None:
        return
    if event.epoch > 1:
        yield from _recalibrate(knows, event.parent_id, Cause.EPOCH)
        return
    yield Begin(
        parent_id=event.parent_id,
        at_ns=knows.at_ns,
        entropy=knows.entropy,
        market=knows.market(parent.instrument_id),
        forecast=None,
        is_stopped=knows.is_stopped(event.parent_id),
    )


def _slice_released(knows: Knowledge, event: SliceReleased) -> Commands:
    bucket = bucket_command(knows, event.instrument_id)
    if bucket is not None:
        yield bucket
    market = knows.books(event.instrument_id)
    assert market is not None, "a parent's instrument is defined"
    yield RouteSlice(
        slice_id=event.slice_id,
        at_ns=knows.at_ns,
        market=market,
        is_stopped=knows.is_stopped(event.parent_id),
    )


def _plan_adopted(knows: Knowledge, event: PlanAdopted) -> Commands:
    yield from _recalibrate(knows, event.parent_id, Cause.PLAN)


def _fill_booked(knows: Knowledge, event: FillBooked) -> Commands:
    yield from _settle(knows, event.parent_id)
    yield from _recalibrate(knows, event.parent_id, Cause.FILL)
    yield from hedges(knows, event)
    yield from confirm(knows)


def _fill_allocated(knows: Knowledge, event: FillAllocated) -> Commands:
    yield from _close_full(knows, event.entries)


def _freed(knows: Knowledge, event: ChildRejected | ChildCanceled | SliceReturned) -> Commands:
    yield from _settle(knows, event.parent_id)
    yield from _recalibrate(knows, event.parent_id, Cause.RETURNED)
    yield from confirm(knows)


def _restated(knows: Knowledge, event: AllocationRestated) -> Commands:
    for entry in event.entries:
        yield RestateOrder(order_id=entry.order_id, cause=event.cause)
        # An order that was replaced since may work in another parent, which must give it more.
        parent_id = netting.parent_of(knows.state.netting, entry.order_id)
        if parent_id is not None and parent_id != event.parent_id:
            yield Rebase(parent=knows.exposure(parent_id), cause=event.cause, at_ns=knows.at_ns)


def _changed(knows: Knowledge, event: FillBusted | FillCorrected) -> Commands:
    yield from hedges(knows, event)
    parent = knows.state.parents.get(event.parent_id)
    if parent is None:
        yield FinishCash(parent_id=event.parent_id)
        return
    cause = Cause.BUST if isinstance(event, FillBusted) else Cause.CORRECTION
    if event.epoch != parent.epoch:
        yield Rebase(parent=knows.exposure(event.parent_id), cause=cause, at_ns=knows.at_ns)
    yield from _settle(knows, event.parent_id)
    yield from _recalibrate(knows, event.parent_id, cause)


def _leave(knows: Knowledge, event: OrderPendingCancel | OrderPendingReplace) -> Commands:
    parent_id = netting.parent_of(knows.state.netting, event.order_id)
    if parent_id is None:
        return
    # One decision may want many out, and each who leaves alone turns the epoch for all who stay.
    orders = knows.state.intake.orders
    also = (
        order_id
        for order_id in netting.staying(knows.state.netting, parent_id)
        if orders[order_id].is_leaving and order_id != event.order_id
    )
    yield LeaveParent(
        order_id=event.order_id,
        with_ids=tuple(also),
        cause=getattr(event, "cause", Cause.CLIENT),
        parent=knows.exposure(parent_id),
        at_ns=knows.at_ns,
    )


def _stopped(knows: Knowledge, event: ParentHeld | ParentEnded) -> Commands:
    yield CancelChildren(parent_id=event.parent_id, cause=event.cause, at_ns=knows.at_ns)
    yield from _settle(knows, event.parent_id)


def _left(knows: Knowledge, event: MemberLeft) -> Commands:
    pending = knows.state.intake.orders[event.order_id].pending
    if pending is None:
        return
    if pending.command is CommandKind.CANCEL:
        yield FinishCancel(order_id=event.order_id, at_ns=knows.at_ns)
    else:
        yield FinishReplace(order_id=event.order_id, at_ns=knows.at_ns)


def _parent_closed(knows: Knowledge, event: ParentClosed) -> Commands:
    cause = _END_CAUSES[event.status]
    members = netting.members(knows.state.netting, event.parent_id)
    orders = knows.state.intake.orders
    instrument = knows.instrument(orders[members[0]].terms.instrument_id) if members else None
    for order_id in members:
        yield CloseOrder(order_id=order_id, cause=cause, at_ns=knows.at_ns, instrument=instrument)
    yield FinishCash(parent_id=event.parent_id)


def _order_restated(knows: Knowledge, event: OrderRestated) -> Commands:
    yield from works_again(knows, event)
    yield from hedge_again(knows, event)


def _released(knows: Knowledge, event: KillReleased) -> Commands:
    yield from released(knows, event, close_window)


RULES: dict[type[Any], Callable[[Knowledge, Any], Commands]] = {
    **STOPPING_RULES,
    KillReleased: _released,
    OrderAccepted: _joined,
    OrderCanceled: hedge_again,
    OrderClosed: hedge_again,
    OrderReplaced: _joined,
    OrderRestated: _order_restated,
    OrderResumed: _joined,
    CrossExecuted: _cross_executed,
    CrossAllocated: _cross_allocated,
    EpochOpened: _epoch_opened,
    SliceReleased: _slice_released,
    ErrorHedged: enter_hedge,
    FillBooked: _fill_booked,
    FillAllocated: _fill_allocated,
    ChildRejected: _freed,
    ChildCanceled: _freed,
    SliceReturned: _freed,
    FillBusted: _changed,
    FillCorrected: _changed,
    AllocationRestated: _restated,
    OrderPendingCancel: _leave,
    OrderPendingReplace: _leave,
    ParentHeld: _stopped,
    ParentEnded: _stopped,
    PlanAdopted: _plan_adopted,
    MemberLeft: _left,
    ParentClosed: _parent_closed,
}


def _pay_fill(knows: Knowledge, event: FillBooked) -> Any:
    return AllocateFill(fill=event) if event.quantity else None


def _pay_cross(knows: Knowledge, event: CrossExecuted) -> Any:
    return AllocateCross(cross=event, instrument=knows.terms(event.instrument_id))


def _pay_back(knows: Knowledge, event: FillBusted | FillCorrected) -> Any:
    return RestateFill(change=event)


# Carried out before any other consequence of the same decision: an epoch that another rule closes
# would divide its tail without this fill.
PAYMENTS: dict[type[Any], Callable[[Knowledge, Any], Any]] = {
    FillBooked: _pay_fill,
    CrossExecuted: _pay_cross,
    FillBusted: _pay_back,
    FillCorrected: _pay_back,
}
