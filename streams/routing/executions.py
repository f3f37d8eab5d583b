"""Executions, busts and corrections into facts, whichever comes first."""

from copy import copy
from typing import Any, Final

from schemas.messages.core import ExecType, RejectReason
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected, SuspenseRecorded
from schemas.messages.venues import ExecutionReport
from streams.core.market import Instrument
from streams.routing.commands import ApplyReport, MarketBooks
from streams.routing.fold_fills import after_fill
from streams.routing.state import Child, EarlyChange, Fill, RoutingState
from streams.routing.upkeep import wanted

__all__ = [
    "book_execution",
    "booked_of",
    "change_execution",
    "execution_problem",
    "overtaken",
    "own_key",
    "referred",
]

# Cash is a decimal of 38 digits: the cash of a million such executions still fits.
AMOUNT_MAX_E9: Final = 10**32


def execution_problem(
    state: RoutingState, command: ApplyReport, child: Child
) -> RejectReason | None:
    """Return why an execution, bust or correction of `child` cannot be applied; None when it can.

    UNKNOWN_ORDER: it refers to an execution that has not come (yet).
    VALUE_OUT_OF_RANGE: its fee or cash is beyond what anybody could pay.
    """
    report = command.report
    if command.market is None:
        return RejectReason.UNKNOWN_INSTRUMENT
    cash_e9 = (report.last_price_e9 or 0) * report.last_quantity
    is_bust = report.exec_type is ExecType.TRADE_CANCEL  # takes back what was booked, no more
    if not is_bust and max(abs(report.fee_e9), abs(cash_e9)) > AMOUNT_MAX_E9:
        return RejectReason.VALUE_OUT_OF_RANGE
    is_priced = report.last_price_e9 is not None and report.last_price_e9 > 0
    is_sound = is_priced and report.last_quantity > 0
    if report.exec_type is ExecType.TRADE:
        fill = state.fills.get(own_key(report))
        is_ours = fill is None or fill.child_id == child.child_id
    else:
        claims = state.claims.get(referred(state, report))
        fill = state.fills.get(claims[0].fill_id if claims else referred(state, report))
        if fill is None:
            return RejectReason.UNKNOWN_ORDER
        is_sound = is_sound or is_bust
        is_ours = fill.child_id == child.child_id
    return None if is_sound and is_ours else RejectReason.REPORT_CONTRADICTS


def book_execution(
    state: RoutingState, command: ApplyReport, market: MarketBooks, child: Child
) -> tuple[Any, ...]:
    """Return the fill and the changes that came before it; `()` for a repeat.

    `child` is a copy: it is brought to where the events leave it.
    """
    fill_id = own_key(command.report)
    if fill_id in state.fills:
        return ()
    booked = booked_of(state, command, child, market)
    after_fill(child, booked)
    fill = Fill(
        child.child_id,
        booked.quantity,
        booked.error_quantity,
        booked.price_e9,
        booked.cash_e9,
        booked.fee_e9,
    )
    waiting = list(state.early.get(fill_id, ()))
    return (booked, *_apply(state, child, fill_id, fill, waiting, instrument=market.instrument))


def change_execution(
    state: RoutingState, report: ExecutionReport, market: MarketBooks, child: Child
) -> tuple[Any, ...]:
    """Return a bust or correction, not applied yet, and those that waited for it.

    A busted fill is gone: whatever changes it afterwards says nothing new.
    """
    fill_id = referred(state, report)
    fill = copy(state.fills[fill_id])
    change = EarlyChange(
        report.exec_id,
        report.exec_type is ExecType.TRADE_CANCEL,
        report.last_quantity,
        report.last_price_e9,
        report.fee_e9,
        report.transact_ns,
    )
    return _apply(state, child, fill_id, fill, [change], instrument=market.instrument)


def booked_of(
    state: RoutingState,
    command: ApplyReport,
    child: Child,
    market: MarketBooks,
    *,
    before: int = 0,
) -> FillBooked:
    """Divide an execution into exposed, late and error quantity (docs/architecture.md, law 5).

    `before`: what other fills of the same decision paid the slice already.
    """
    report = command.report
    assert report.last_price_e9 is not None
    over = min(
        report.last_quantity,
        max(0, child.net + report.last_quantity - child.quantity - child.added),
    )
    # The venue's last word does not count what was busted before: its exposure is for others.
    is_counted = child.is_open or not _is_busted_early(state, report)
    exposed = min(report.last_quantity - over, child.exposure) if is_counted else 0
    beyond = report.last_quantity - over - exposed
    part = state.slices.get(child.slice_id)
    # What several children expose at once pays the slice until it is full, then the budget.
    overfill = (
        0 if part is None or not part.over else max(0, exposed - wanted(state, part) + before)
    )
    ledger = state.parents.get(child.parent_id)
    is_current = child.epoch == command.current_epoch and ledger is not None
    room = min(command.room, ledger.room) if is_current and ledger is not None else 0
    late = min(beyond, max(room, 0))
    paid = exposed - overfill + late
    return FillBooked(
        fill_id=own_key(report),
        exec_id=report.exec_id,
        **child.ids,
        side=child.side,
        quantity=paid,
        error_quantity=report.last_quantity - paid,
        late_quantity=late,
        price_e9=report.last_price_e9,
        cash_e9=market.instrument.cash_e9(report.last_price_e9, paid),
        fee_e9=report.fee_e9,
        liquidity=report.liquidity,
        midpoint_e9=market.quote.midpoint_e9 if market.quote is not None else None,
        overfill_quantity=overfill,
        transact_ns=report.transact_ns,
        booked_ns=command.at_ns,
    )


def _is_busted_early(state: RoutingState, report: ExecutionReport) -> bool:
    return any(change.is_bust for change in state.early.get(own_key(report), ()))


def _apply(
    state: RoutingState,
    child: Child,
    fill_id: str,
    fill: Fill,
    waiting: list[EarlyChange],
    *,
    instrument: Instrument,
) -> tuple[Any, ...]:
    """Return what the changes make of the fill, and those that waited for them, by venue time."""
    events: list[Any] = []
    seen: dict[str, bool] = {}  # a venue may name changes in a circle; each counts once
    while waiting and not fill.is_busted:
        waiting.sort(key=lambda change: change.transact_ns)
        change = waiting.pop(0)
        if change.exec_id in seen:
            continue
        seen[change.exec_id] = True
        if change.is_bust or change.transact_ns >= fill.corrected_ns:
            events.append(_changed(child, fill_id, fill, change, instrument))
        else:
            events.append(overtaken(child, fill_id, change))
        waiting += state.early.get(f"{child.venue_id}/{change.exec_id}", ())
    return tuple(events)


def overtaken(child: Child, fill_id: str, change: EarlyChange) -> SuspenseRecorded:
    """Return the record of a correction that came after a newer one."""
    return SuspenseRecorded(
        venue_id=child.venue_id,
        child_id=child.child_id,
        exec_id=change.exec_id,
        exec_type=ExecType.TRADE_CORRECT,
        quantity=change.quantity,
        price_e9=change.price_e9,
        reason=RejectReason.TOO_LATE,
        exec_ref_id=fill_id.partition("/")[2],
        fee_e9=change.fee_e9,
        transact_ns=change.transact_ns,
    )


def _changed(
    child: Child, fill_id: str, fill: Fill, change: EarlyChange, instrument: Instrument
) -> FillBusted | FillCorrected:
    """Return the event and bring `child` and `fill`, copies both, to where it leaves them."""
    exec_id = fill_id.partition("/")[2]
    child.net -= fill.quantity + fill.error_quantity
    if change.is_bust:
        fill.is_busted = True
        return FillBusted(
            fill_id=fill_id,
            exec_id=exec_id,
            **child.ids,
            side=child.side,
            bust_exec_id=change.exec_id,
            quantity=fill.quantity,
            error_quantity=fill.error_quantity,
            price_e9=fill.price_e9,
            cash_e9=fill.cash_e9,
            fee_e9=fill.fee_e9,
        )
    previous_quantity, previous_price_e9 = fill.quantity, fill.price_e9
    # Upwards, only the error account moves; downwards, it is the first to give.
    fill.quantity = min(previous_quantity, change.quantity)
    fill.error_quantity = change.quantity - fill.quantity
    fill.price_e9 = change.price_e9 if change.price_e9 is not None else previous_price_e9
    fill.cash_e9 = instrument.cash_e9(fill.price_e9, fill.quantity)
    fill.fee_e9 = change.fee_e9
    fill.corrected_ns = change.transact_ns
    child.net += change.quantity
    return FillCorrected(
        fill_id=fill_id,
        exec_id=exec_id,
        **child.ids,
        side=child.side,
        correction_exec_id=change.exec_id,
        previous_quantity=previous_quantity,
        quantity=fill.quantity,
        error_quantity=fill.error_quantity,
        previous_price_e9=previous_price_e9,
        price_e9=fill.price_e9,
        cash_e9=fill.cash_e9,
        fee_e9=fill.fee_e9,
        transact_ns=change.transact_ns,
    )


def own_key(report: ExecutionReport) -> str:
    """Return by what an execution is known."""
    return f"{report.venue_id}/{report.exec_id}"


def referred(state: RoutingState, report: ExecutionReport) -> str:
    """Return by what the execution is known that a bust or correction changes."""
    key = f"{report.venue_id}/{report.exec_ref_id}"
    return state.changes.get(key, key)
