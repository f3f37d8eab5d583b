"""Children that people settled: held against their venue as a whole, not fill by fill.

A fill by hand may be many executions of the venue, which come late or never.
"""

from collections.abc import Iterable, Mapping

from schemas.messages.core import BreakKind as B
from services.clearing.reconciliation.breaks import Breaks, Where
from services.clearing.reconciliation.executions import Execution
from services.clearing.reconciliation.sides import Fill, Sides

__all__ = ["check_settled"]


def check_settled(
    sides: Sides,
    executions: Mapping[str, Execution],
    breaks: Breaks,
    day: int,
    venues: frozenset[str] | None,
) -> None:
    """Compare quantity, price times quantity and fee of each such child. `venues`: as told of."""
    for child_id in sorted(sides.settled_children):
        ours = [fill for fill in sides.fills.values() if fill.child_id == child_id]
        theirs = [each for each in executions.values() if each.child_id == child_id]
        if not ours or not sides.is_wanted(day, ours[0].instrument_id, ours[0].executed_ns):
            continue
        if venues is not None and ours[0].fill_id.partition("/")[0] not in venues:
            continue
        kinds = (B.QUANTITY_DIFFERS, B.PRICE_DIFFERS, B.FEE_DIFFERS)
        names = ("quantity", "price_times_quantity_e9", "fee_e9")
        where = Where(ours[0].instrument_id, ours[-1].place)
        for kind, name, own, their in zip(kinds, names, _sum(ours), _sum(theirs), strict=True):
            breaks.compare(kind, child_id, name, own, their, where=where)


def _sum(rows: Iterable[Fill | Execution]) -> tuple[int, int, int]:
    standing = [row for row in rows if not row.is_busted]
    return (
        sum(row.quantity for row in standing),
        sum(row.quantity * row.price_e9 for row in standing),
        sum(row.fee_e9 for row in standing),
    )
