"""Fills against allocations, and both against the cash that was given, worked out anew."""

from collections.abc import Iterator, Mapping

from schemas.messages.allocation import CrossAllocated
from schemas.messages.core import BreakKind as B
from services.clearing.reconciliation.breaks import Breaks, Where
from services.clearing.reconciliation.executions import Execution
from services.clearing.reconciliation.sides import Cash, Fill, Pool, Sides
from services.clearing.reference import cash_e9

__all__ = ["check_allocations", "check_cash", "is_open"]


def is_open(sides: Sides, pool: Pool) -> bool:
    """Whether the pool's parent still works: its cash need not be final."""
    return pool.parent_id not in sides.closed_parents


def check_allocations(sides: Sides, breaks: Breaks, day: int) -> None:
    """Every fill is given whole; no order holds more than it asked for; a cross has two sides."""
    for fill in sides.fills.values():
        if not sides.is_wanted(day, fill.instrument_id, fill.executed_ns):
            continue
        given = sides.allocated.get(fill.fill_id, 0)
        kind = B.UNALLOCATED if given < fill.paid else B.OVER_ALLOCATED
        where = Where(fill.instrument_id, fill.place)
        breaks.compare(kind, fill.fill_id, "quantity", given, fill.paid, where=where)
        if fill.error:
            breaks.add(B.ERROR_ACCOUNT, fill.fill_id, "error_quantity", fill.error, 0, where=where)
    for fill_id in sides.allocated.keys() - sides.fills.keys() if not day else ():
        breaks.add(B.OVER_ALLOCATED, fill_id, "quantity", sides.allocated[fill_id], None)
    for order_id, given in sides.given.items():
        order = sides.orders.get(order_id)
        if order is None or given > order.quantity:
            asked = None if order is None else order.quantity
            breaks.add(B.OVER_ALLOCATED, order_id, "quantity", given, asked)


def check_cash(sides: Sides, executions: Mapping[str, Execution], breaks: Breaks, day: int) -> None:
    """Cash and fees of every pool, from the venues' prices and fees."""
    for name, pool in sides.pools.items():
        if not sides.is_wanted(day, pool.instrument_id, pool.executed_ns):
            continue
        divisions = dict(_divisions(sides, name, pool))
        due = {each: [0, 0, 0] for each in divisions}
        for fill_id in pool.fills:
            fill = sides.fills[fill_id]
            if fill.is_in_pool:
                _add(due[name if name in due else fill_id], sides, fill, executions.get(fill_id))
        for each, (quantity, cash, fee) in due.items():
            given = divisions[each]
            if given is None and (is_open(sides, pool) or (quantity, cash, fee) == (0, 0, 0)):
                continue
            _compare(breaks, each, given, (quantity, cash, fee), pool.instrument_id)
        if name in divisions and divisions[name] is not None:
            _compare_shares(breaks, name, divisions[name], pool)
    for cross_id, cross in sides.crossed.items():
        _check_cross(sides, breaks, cross_id, cross, day)


def _divisions(sides: Sides, name: str, pool: Pool) -> Iterator[tuple[str, Cash | None]]:
    """Yield what the pool's cash is divided by: each fill by itself, or the whole at once."""
    own = [fill_id for fill_id in pool.fills if fill_id in sides.cash]
    if not own:
        yield name, sides.cash.get(name)
        return
    for fill_id in pool.fills:
        if sides.fills[fill_id].is_in_pool:
            yield fill_id, sides.cash.get(fill_id)


def _add(due: list[int], sides: Sides, fill: Fill, execution: Execution | None) -> None:
    """Add a fill: its paid quantity is our decision, price and fee are the venue's."""
    terms = sides.reference.instrument(fill.instrument_id, fill.executed_ns)
    scale = 1 if terms is None else terms.quantity_scale
    price_e9 = fill.price_e9 if execution is None else execution.price_e9
    due[0] += fill.paid
    due[1] += cash_e9(price_e9, fill.paid, scale)
    due[2] += fill.fee_e9 if execution is None else execution.fee_e9


def _compare(
    breaks: Breaks, name: str, given: Cash | None, due: tuple[int, int, int], instrument_id: str
) -> None:
    ours = (0, 0, 0)
    place = ""
    if given is not None:
        place = given.place
        entries = given.entries.values()
        ours = (
            sum(entry.quantity for entry in entries),
            sum(entry.cash_e9 for entry in entries),
            sum(entry.fee_e9 for entry in entries),
        )
    names = ("quantity", "cash_e9", "fee_e9")
    kinds = (B.QUANTITY_DIFFERS, B.CASH_DIFFERS, B.FEE_DIFFERS)
    for kind, field, own, their in zip(kinds, names, ours, due, strict=True):
        breaks.compare(kind, name, field, own, their, where=Where(instrument_id, place))


def _compare_shares(breaks: Breaks, name: str, given: Cash | None, pool: Pool) -> None:
    """Each order's cash is for what it was allocated."""
    assert given is not None
    for order_id in {**pool.shares, **given.entries}:
        entry = given.entries.get(order_id)
        breaks.compare(
            B.QUANTITY_DIFFERS,
            f"{order_id}@{name}",
            "quantity",
            0 if entry is None else entry.quantity,
            pool.shares.get(order_id, 0),
            where=Where(pool.instrument_id, given.place),
        )


def _check_cross(
    sides: Sides, breaks: Breaks, cross_id: str, cross: CrossAllocated, day: int
) -> None:
    executed = sides.crosses.get(cross_id)
    if executed is None:
        breaks.add(B.OVER_ALLOCATED, cross_id, "quantity", cross.quantity, None)
        return
    if not sides.is_wanted(day, executed.instrument_id, executed.crossed_ns):
        return
    terms = sides.reference.instrument(executed.instrument_id, executed.crossed_ns)
    scale = 1 if terms is None else terms.quantity_scale
    due = cash_e9(executed.price_e9, executed.quantity, scale)
    for side, entries in (("buys", cross.buys), ("sells", cross.sells)):
        quantity = sum(entry.quantity for entry in entries)
        cash = sum(entry.cash_e9 for entry in entries)
        where = Where(executed.instrument_id, sides.cash[cross_id].place)
        breaks.compare(
            B.QUANTITY_DIFFERS,
            cross_id,
            f"{side} quantity",
            quantity,
            executed.quantity,
            where=where,
        )
        breaks.compare(B.CASH_DIFFERS, cross_id, f"{side} cash_e9", cash, due, where=where)
