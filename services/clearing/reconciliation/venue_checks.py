"""What venues told against what we booked: their reports, and their own drop copy."""

from collections.abc import Mapping

from schemas.messages.core import BreakKind as B
from schemas.messages.core import ReconciliationCheck
from services.clearing.reconciliation.breaks import Breaks, Where
from services.clearing.reconciliation.executions import Execution
from services.clearing.reconciliation.settled_checks import check_settled
from services.clearing.reconciliation.sides import Fill, Sides

__all__ = ["check_children", "check_executions"]


def check_executions(
    sides: Sides,
    executions: Mapping[str, Execution],
    breaks: Breaks,
    day: int,
    venues: frozenset[str] | None = None,
) -> None:
    """Compare every execution with its fill. `venues`: whom the source tells of; None for all."""
    for key, execution in executions.items():
        if not sides.is_wanted(day, execution.instrument_id, execution.transact_ns):
            continue
        if execution.child_id in sides.settled_children:
            continue
        fill = sides.fills.get(key)
        if fill is not None:
            _compare(breaks, fill, execution)
        elif not execution.is_busted:
            breaks.add(
                B.MISSING_FILL,
                key,
                "quantity",
                None,
                execution.quantity,
                where=Where(execution.instrument_id, execution.place),
            )
    for fill_id, place in sides.duplicate_fills:
        if breaks.check is ReconciliationCheck.VENUE_REPORTS:
            breaks.add(
                B.DUPLICATE_EXEC_ID,
                fill_id,
                "fill_id",
                "booked twice",
                "",
                where=Where(place=place),
            )
    for fill_id, fill in sides.fills.items():
        is_told_of = venues is None or fill_id.partition("/")[0] in venues
        is_known = fill_id in executions or fill.child_id in sides.settled_children
        if is_known or not is_told_of or fill.is_busted:
            continue
        if sides.is_wanted(day, fill.instrument_id, fill.executed_ns):
            breaks.add(
                B.UNKNOWN_FILL,
                fill_id,
                "quantity",
                fill.quantity,
                None,
                where=Where(fill.instrument_id, fill.place),
            )
    check_settled(sides, executions, breaks, day, venues)


def _compare(breaks: Breaks, fill: Fill, execution: Execution) -> None:
    """Name what differs: a change that we missed by its own name, anything else by its field."""
    where = Where(fill.instrument_id, execution.place)
    subject = fill.fill_id
    if execution.is_busted:
        if not fill.is_busted:
            breaks.add(B.BUST_NOT_APPLIED, subject, "quantity", fill.quantity, 0, where=where)
        return
    if fill.is_busted:
        breaks.add(B.QUANTITY_DIFFERS, subject, "quantity", 0, execution.quantity, where=where)
        return
    breaks.compare(B.SIDE_DIFFERS, subject, "side", fill.side, execution.side, where=where)
    ours = (fill.quantity, fill.price_e9, fill.fee_e9)
    theirs = (execution.quantity, execution.price_e9, execution.fee_e9)
    names = ("quantity", "price_e9", "fee_e9")
    kinds = (B.QUANTITY_DIFFERS, B.PRICE_DIFFERS, B.FEE_DIFFERS)
    is_missed = execution.is_corrected and ours == execution.before
    for kind, name, own, their in zip(kinds, names, ours, theirs, strict=True):
        named = B.CORRECTION_NOT_APPLIED if is_missed else kind
        breaks.compare(named, subject, name, own, their, where=where)


def check_children(sides: Sides, breaks: Breaks, day: int) -> None:
    """Compare each venue's own count of a child with what we booked for it."""
    booked: dict[str, int] = {}
    for fill in sides.fills.values():
        booked[fill.child_id] = booked.get(fill.child_id, 0) + fill.quantity
    instruments = {fill.child_id: fill.instrument_id for fill in sides.fills.values()}
    for child_id, (at_ns, count, place) in sides.cumulative.items():
        instrument_id = instruments.get(child_id, "")
        if sides.is_wanted(day, instrument_id, at_ns) or not instrument_id:
            breaks.compare(
                B.CHILD_CUMULATIVE_DIFFERS,
                child_id,
                "cumulative_quantity",
                booked.get(child_id, 0),
                count,
                where=Where(instrument_id, place),
            )
