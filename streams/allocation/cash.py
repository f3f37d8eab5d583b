"""Cash to the unit: one price pool per epoch, or each fill by itself; a cross is final at once."""

from collections.abc import Mapping, Sequence

from schemas.messages.allocation import CashAllocated, CrossAllocated
from schemas.messages.core import CashEntry, Member
from schemas.messages.netting import CrossExecuted
from streams.allocation.state import AllocationState, Epoch, Fill
from streams.core.apportion import largest_remainder
from streams.core.crossed import crossed_shares
from streams.core.market import Instrument

__all__ = ["cross_allocated", "epoch_cash", "fill_cash", "finished_cash"]

NOTHING: Mapping[str, int] = {}


def cash_entries(
    order_ids: Sequence[str], shares: Sequence[int], cash_e9: int, fee_e9: int
) -> tuple[CashEntry, ...]:
    """Return the division of cash and fees over the orders that hold shares.

    Rounds: each part within 1e-9 of exact; ties by order of joining; sums are exact.
    """
    cash, fees = largest_remainder(cash_e9, shares), largest_remainder(fee_e9, shares)
    return tuple(
        CashEntry(order_id=order_id, quantity=share, cash_e9=part, fee_e9=fee)
        for order_id, share, part, fee in zip(order_ids, shares, cash, fees, strict=True)
        if share
    )


def epoch_cash(
    state: AllocationState,
    parent_id: str,
    number: int,
    epoch: Epoch,
    changes: Mapping[str, int] = NOTHING,
) -> tuple[CashAllocated, ...]:
    """Return the epoch's cash if it is not what was given; `changes` to shares come on top."""
    shares = dict.fromkeys(epoch.main.order_ids, 0)
    for house in epoch.houses():
        for order_id, quantity in house.share_of().items():
            shares[order_id] += quantity
    for order_id, change in changes.items():
        shares[order_id] += change
    fills = [state.fills[fill_id] for house in epoch.houses() for fill_id in house.sequence]
    cash_e9, fee_e9 = sum(fill.cash_e9 for fill in fills), sum(fill.fee_e9 for fill in fills)
    entries = cash_entries(list(shares), list(shares.values()), cash_e9, fee_e9)
    if list(entries) == epoch.cash:
        return ()
    return (
        CashAllocated(
            parent_id=parent_id,
            epoch=number,
            version=epoch.cash_version + 1,
            quantity=sum(shares.values()),
            cash_e9=cash_e9,
            fee_e9=fee_e9,
            entries=entries,
        ),
    )


def fill_cash(
    fill_id: str, fill: Fill, shares: Mapping[str, int], whole: tuple[int, int]
) -> CashAllocated:
    """Return the next version of one fill's cash: `whole`, its cash and fee, by what it gave."""
    cash_e9, fee_e9 = whole
    return CashAllocated(
        parent_id=fill.parent_id,
        epoch=fill.epoch,
        version=fill.cash_version + 1,
        quantity=sum(shares.values()),
        cash_e9=cash_e9,
        fee_e9=fee_e9,
        entries=cash_entries(list(shares), list(shares.values()), cash_e9, fee_e9),
        fill_id=fill_id,
    )


def finished_cash(state: AllocationState, parent_id: str) -> tuple[CashAllocated, ...]:
    """Return the pool of every epoch of the parent whose fills have ended, if it has one."""
    is_parent_closed = state.closed_parents.get(parent_id, False)
    events: list[CashAllocated] = []
    for number, epoch in enumerate(state.epochs.get(parent_id, ()), 1):
        tail = epoch.tail
        is_paid = tail is None or tail.is_paid
        if epoch.is_closed and not epoch.is_per_fill and (is_paid or is_parent_closed):
            events += epoch_cash(state, parent_id, number, epoch)
    return tuple(events)


def cross_allocated(cross: CrossExecuted, instrument: Instrument) -> CrossAllocated:
    """Return both sides of a cross; either side pays or gets exactly price times quantity."""
    cash_e9 = instrument.cash_e9(cross.price_e9, cross.quantity)

    def side(members: Sequence[Member], shares: Sequence[int]) -> tuple[CashEntry, ...]:
        return cash_entries([member.order_id for member in members], shares, cash_e9, 0)

    bought, sold = crossed_shares(cross)
    return CrossAllocated(
        cross_id=cross.cross_id,
        quantity=cross.quantity,
        price_e9=cross.price_e9,
        buys=side(cross.buys, bought),
        sells=side(cross.sells, sold),
    )
