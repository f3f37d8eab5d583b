"""What goes wrong at venues, seeded: rejects, late fills, busts, corrections. Rates are assumed."""

from schemas.messages.core import ExecType, Liquidity, OrderStatus
from schemas.messages.venues import ExecutionReport
from services.venues.chances import chance, draw
from services.venues.reports import next_report
from services.venues.state import Child, Delayed
from services.venues.terms import Terms

__all__ = ["apply_change", "is_refused", "later_change", "race_quantity", "unspoken_quantity"]

# Of a million. Real venues do all of these, more rarely; a day of thirty minutes shall show each.
REJECTED_PPM = 4_000  # of new children
RACED_PPM = 60_000  # of cancels: filled first, the cancel's answer counts it, the fill comes later
UNSPOKEN_PPM = 3_000  # of cancels: a fill that the cancel's answer did not count
BUSTED_PPM = 3_000  # of fills
CORRECTED_PPM = 2_000  # of fills
LATE_STEPS_MAX = 3  # a late fill comes one to so many steps later
CHANGE_STEPS_MIN, CHANGE_STEPS_MAX = 5, 20  # a bust or correction comes so many steps later


def is_refused(terms: Terms, child_id: str) -> bool:
    return chance(terms.seed, "reject", child_id, REJECTED_PPM)


def race_quantity(terms: Terms, child: Child, at_ns: int) -> tuple[int, int]:
    """Return what fills just before the cancel, and when it is told; 0, 0 for nothing."""
    return _late(terms, child, at_ns, "race", RACED_PPM)


def unspoken_quantity(terms: Terms, child: Child, at_ns: int) -> tuple[int, int]:
    """Return what fills although the cancel's answer denies it, and when; 0, 0 for nothing."""
    return _late(terms, child, at_ns, "unspoken", UNSPOKEN_PPM)


def _late(
    terms: Terms, child: Child, at_ns: int, purpose: str, per_million: int
) -> tuple[int, int]:
    lots = child.leaves // terms.instruments[child.instrument_id].lot
    if not lots or not chance(terms.seed, purpose, child.child_id, per_million):
        return 0, 0
    bits = draw(terms.seed, f"{purpose}-size", child.child_id)
    due_ns = at_ns + (1 + bits % LATE_STEPS_MAX) * terms.step_ns
    if due_ns > terms.last_ns - terms.step_ns:
        return 0, 0
    return (1 + (bits >> 8) % lots) * terms.instruments[child.instrument_id].lot, due_ns


def later_change(terms: Terms, report: ExecutionReport, at_ns: int) -> Delayed | None:
    """Return the bust or correction that an execution will meet; None for most."""
    seed, exec_id = terms.seed, report.exec_id
    is_correction = chance(seed, "correct", exec_id, CORRECTED_PPM)
    if not is_correction and not chance(seed, "bust", exec_id, BUSTED_PPM):
        return None
    steps = draw(seed, "change", exec_id) % (CHANGE_STEPS_MAX - CHANGE_STEPS_MIN + 1)
    due_ns = at_ns + (CHANGE_STEPS_MIN + steps) * terms.step_ns
    if due_ns > terms.last_ns - terms.step_ns:
        return None
    return Delayed(
        due_ns=due_ns,
        child_id=report.child_id,
        report=None,
        changes_exec_id=exec_id,
        is_correction=is_correction,
    )


def apply_change(
    terms: Terms, child: Child, change: Delayed, volumes: dict[str, int]
) -> ExecutionReport:
    """Bust the execution, or correct it: half the quantity, or one tick off the price.

    What is taken back does not come back to the book: leaves stay. It is no volume of ours any
    more in `volumes`, and what stands is charged by the tier that the rest of it has reached.
    """
    fill = next(each for each in child.executions if each.exec_id == change.changes_exec_id)
    assert fill.last_price_e9 is not None
    lot = terms.instruments[child.instrument_id].lot
    price_e9, quantity = fill.last_price_e9, fill.last_quantity
    if not change.is_correction:
        quantity = 0
    elif draw(terms.seed, "correct-what", fill.exec_id) % 2 and quantity >= 2 * lot:
        quantity = quantity // lot // 2 * lot
    else:
        price_e9 += terms.instruments[child.instrument_id].tick_e9
    child.cumulative -= fill.last_quantity - quantity
    own_quantity = volumes.get(child.venue_id, 0) - fill.last_quantity
    volumes[child.venue_id] = own_quantity + quantity
    is_full = child.cumulative == child.quantity
    if child.status is OrderStatus.FILLED and not is_full:
        child.status = OrderStatus.CANCELED  # nothing is left at the venue, and it is not full
    kind = ExecType.TRADE_CORRECT if change.is_correction else ExecType.TRADE_CANCEL
    is_maker = fill.liquidity is Liquidity.ADDED
    return next_report(
        child,
        kind,
        change.due_ns,
        exec_ref_id=fill.exec_id,
        last_quantity=quantity if change.is_correction else fill.last_quantity,
        last_price_e9=price_e9,
        fee_e9=terms.fee_e9(
            child.venue_id,
            child.instrument_id,
            price_e9,
            quantity,
            is_maker=is_maker,
            own_quantity=own_quantity,
        ),
        liquidity=fill.liquidity,
        text="corrected" if change.is_correction else "trade broken",
    )
