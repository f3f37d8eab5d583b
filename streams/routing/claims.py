"""What the venue reports late of a child that people settled: the same fills, or others.

An execution is held against what was settled and no report has named yet. What is the same is said
once, as suspense of the reason NOTHING_CHANGED; at another price it is disputed, with
REPORT_CONTRADICTS, and stays as it was settled; what goes beyond is booked as any late fill is.
A bust or correction of such an execution changes the part of the settled fill that it is; what one
adds is first held against what no report has named, for people told a count with it.
"""

from copy import copy
from typing import Any

import msgspec

from schemas.messages.core import ExecType, RejectReason
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected, SuspenseRecorded
from schemas.messages.venues import ExecutionReport
from streams.core.market import Instrument
from streams.routing.commands import ApplyReport, MarketBooks
from streams.routing.executions import booked_of, overtaken, own_key, referred
from streams.routing.fold_fills import after_fill
from streams.routing.settled import Part, is_named
from streams.routing.state import Child, EarlyChange, Fill, RoutingState

__all__ = ["change_claim", "claim_execution", "is_claimable"]


class _Target(msgspec.Struct):
    """A fill and what of it is one execution of the venue; both are brought along."""

    fill_id: str
    fill: Fill
    quantity: int

    @property
    def is_whole(self) -> bool:
        """Return whether the fill is nothing else."""
        return self.quantity == _total(self.fill)


def claim_execution(
    state: RoutingState, command: ApplyReport, market: MarketBooks, child: Child
) -> tuple[Any, ...]:
    """Return what an execution is of what was settled, and what it is beyond; `()` if nothing.

    `child` is a copy: it is brought to where the events leave it.
    """
    report, key = command.report, own_key(command.report)
    parts = state.settled.get(child.child_id)
    if parts is None or (key in state.fills and key not in parts):
        return ()
    named = parts.get(key)
    if named is not None:
        is_same = (named.quantity, named.price_e9) == (report.last_quantity, report.last_price_e9)
        return (_claimed(report, key, report.last_quantity, is_same=is_same),)
    taken = _matched(parts, report)
    if not taken:
        return ()
    events: list[Any] = []
    targets: list[_Target] = []
    for fill_id, quantity in taken:
        is_same = parts[fill_id].price_e9 == report.last_price_e9
        events.append(_claimed(report, fill_id, quantity, is_same=is_same))
        targets.append(_Target(fill_id, copy(state.fills[fill_id]), quantity))
    beyond = report.last_quantity - sum(quantity for _, quantity in taken)
    if beyond:
        rest = msgspec.structs.replace(command, report=_of(report, beyond))
        booked = booked_of(state, rest, child, market)
        after_fill(child, booked)
        events.append(booked)
        targets.append(_Target(key, _fill_of(booked), beyond))
    waiting = list(state.early.get(key, ()))
    unnamed = _unnamed(parts)
    for fill_id, quantity in taken:
        if fill_id in unnamed:
            unnamed[fill_id] -= quantity
    changes = _apply(
        state, child, key, targets, waiting, instrument=market.instrument, unnamed=unnamed
    )
    return (*events, *changes)


def is_claimable(state: RoutingState, report: ExecutionReport, child: Child) -> bool:
    """Return whether a change is of what was settled, or may have been told with it."""
    if referred(state, report) in state.claims:
        return True
    return any(part.open for part in state.settled.get(child.child_id, {}).values())


def change_claim(
    state: RoutingState, report: ExecutionReport, market: MarketBooks, child: Child
) -> tuple[Any, ...]:
    """Return what a bust or correction makes of the fills that its execution turned out to be."""
    key = referred(state, report)
    claims = state.claims.get(key, [])
    targets = [
        _Target(claim.fill_id, copy(state.fills[claim.fill_id]), claim.quantity)
        for claim in claims
        if not state.fills[claim.fill_id].is_busted
    ]
    own = state.fills.get(key)
    corrected_ns = max([claim.corrected_ns for claim in claims], default=0)
    is_own = own is not None and not own.is_busted
    if own is not None and is_own and all(claim.fill_id != key for claim in claims):
        corrected_ns = max(corrected_ns, own.corrected_ns)
        others = (claim for some in state.claims.values() for claim in some)
        named = sum(claim.quantity for claim in others if claim.fill_id == key)
        targets.append(_Target(key, copy(own), _total(own) - named))
    unnamed = _unnamed(state.settled.get(child.child_id, {}))
    change = EarlyChange(
        report.exec_id,
        report.exec_type is ExecType.TRADE_CANCEL,
        report.last_quantity,
        report.last_price_e9,
        report.fee_e9,
        report.transact_ns,
    )
    return _apply(
        state,
        child,
        key,
        targets,
        [change],
        instrument=market.instrument,
        unnamed=unnamed,
        corrected_ns=corrected_ns,
    )


def _matched(parts: dict[str, Part], report: ExecutionReport) -> list[tuple[str, int]]:
    """Return of which settled fills it is how much: those of its price first, in their order."""
    left, taken = report.last_quantity, []
    # What was told by an ExecID is that execution; one of its size may be it by another id.
    fitting = {
        key: part
        for key, part in parts.items()
        if not is_named(key) or part.quantity == report.last_quantity
    }
    at_price = [key for key, part in fitting.items() if part.price_e9 == report.last_price_e9]
    others = [key for key, part in fitting.items() if part.price_e9 != report.last_price_e9]
    for fill_id in (*at_price, *others):
        quantity = min(left, parts[fill_id].open)
        if quantity:
            taken.append((fill_id, quantity))
            left -= quantity
    return taken


def _claimed(
    report: ExecutionReport, fill_id: str, quantity: int, *, is_same: bool
) -> SuspenseRecorded:
    reason = RejectReason.NOTHING_CHANGED if is_same else RejectReason.REPORT_CONTRADICTS
    return SuspenseRecorded(
        venue_id=report.venue_id,
        child_id=report.child_id,
        exec_id=report.exec_id,
        exec_type=ExecType.TRADE,
        quantity=quantity,
        price_e9=report.last_price_e9,
        reason=reason,
        exec_ref_id=fill_id.partition("/")[2],
        fee_e9=report.fee_e9,
        transact_ns=report.transact_ns,
    )


def _apply(
    state: RoutingState,
    child: Child,
    key: str,
    targets: list[_Target],
    waiting: list[EarlyChange],
    *,
    instrument: Instrument,
    unnamed: dict[str, int],
    corrected_ns: int = 0,
) -> tuple[Any, ...]:
    """Return what the changes make of an execution, and those that waited for them."""
    events: list[Any] = []
    seen: dict[str, bool] = {}  # a venue may name changes in a circle; each counts once
    while waiting and any(target.quantity for target in targets):
        waiting.sort(key=lambda change: change.transact_ns)
        change = waiting.pop(0)
        if change.exec_id in seen:
            continue
        seen[change.exec_id] = True
        if change.is_bust or change.transact_ns >= corrected_ns:
            told = _tell(state, key, targets, unnamed, change)
            if told:
                events.append(_told(child, key, told, change))
            made = _change(child, key, targets, change, instrument)
            if made and not change.is_bust and not isinstance(made[-1], FillCorrected):
                made.append(_told(child, key, 0, change))  # a bust does not say when
            events += made or (() if told else _kept(state, child, key, targets, change))
            corrected_ns = corrected_ns if change.is_bust else change.transact_ns
        else:
            events += _overtaken(
                state, child, key, targets, change, instrument=instrument, unnamed=unnamed
            )
        waiting += state.early.get(f"{child.venue_id}/{change.exec_id}", ())
    return tuple(events)


def _change(
    child: Child,
    key: str,
    targets: list[_Target],
    change: EarlyChange,
    instrument: Instrument,
) -> list[Any]:
    """Divide what is left of an execution over its fills, those that were settled first."""
    left = 0 if change.is_bust else change.quantity
    events: list[Any] = []
    standing = [target for target in targets if _total(target.fill)]
    for ordinal, target in enumerate(standing, 1):
        is_last = ordinal == len(standing)
        quantity = left if is_last else min(left, target.quantity)
        left -= quantity
        price_e9 = change.price_e9 if target.is_whole and quantity else None
        is_new = price_e9 not in (None, target.fill.price_e9)
        if quantity == target.quantity and not is_new:
            continue
        child.net += quantity - target.quantity
        names: dict[str, Any] = {
            "fill_id": target.fill_id,
            "exec_id": key.partition("/")[2],
            **child.ids,
            "side": child.side,
        }
        events.append(_changed(names, target, quantity, change, instrument))
    return events


def _changed(
    names: dict[str, Any],
    target: _Target,
    quantity: int,
    change: EarlyChange,
    instrument: Instrument,
) -> FillBusted | FillCorrected:
    """Return the event and bring the target to where it leaves it.

    Of a fill that is more than the execution the price stays as it was settled.
    """
    fill, is_whole = target.fill, target.is_whole
    whole = _total(fill) - target.quantity + quantity
    target.quantity = quantity
    if not whole:
        busted = FillBusted(
            **names,
            bust_exec_id=change.exec_id,
            quantity=fill.quantity,
            error_quantity=fill.error_quantity,
            price_e9=fill.price_e9,
            cash_e9=fill.cash_e9,
            fee_e9=fill.fee_e9,
        )
        fill.quantity = fill.error_quantity = 0
        return busted
    previous_quantity, previous_price_e9 = fill.quantity, fill.price_e9
    fill.quantity = min(previous_quantity, whole)
    fill.error_quantity = whole - fill.quantity
    if is_whole and change.price_e9 is not None and not change.is_bust:
        fill.price_e9, fill.fee_e9 = change.price_e9, change.fee_e9
    fill.cash_e9 = instrument.cash_e9(fill.price_e9, fill.quantity)
    return FillCorrected(
        **names,
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


def _overtaken(
    state: RoutingState,
    child: Child,
    key: str,
    targets: list[_Target],
    change: EarlyChange,
    *,
    instrument: Instrument,
    unnamed: dict[str, int],
) -> list[Any]:
    """Return what a correction makes that a newer one came before.

    Shares that it added were told with the count, and the newer one has taken them back.
    """
    standing = sum(target.quantity for target in targets)
    told = _tell(state, key, targets, unnamed, change)
    if not told:
        return [overtaken(child, key, change)]
    newest = msgspec.structs.replace(change, quantity=standing, price_e9=None)
    return [
        _told(child, key, told, change),
        *_change(child, key, targets, newest, instrument),
    ]


def _unnamed(parts: dict[str, Part]) -> dict[str, int]:
    return {
        fill_id: part.open for fill_id, part in parts.items() if part.open and not is_named(fill_id)
    }


def _tell(
    state: RoutingState,
    key: str,
    targets: list[_Target],
    unnamed: dict[str, int],
    change: EarlyChange,
) -> int:
    """Return how much of what a correction adds was told; it is the execution's from now on.

    A bust of more than we know of an execution speaks of a correction that is still on its way.
    """
    added = change.quantity - sum(each.quantity for each in targets)
    told = 0
    for fill_id, left in unnamed.items():
        quantity = min(max(added, 0) - told, left)
        if not quantity:
            continue
        unnamed[fill_id] -= quantity
        told += quantity
        target = next((each for each in targets if each.fill_id == fill_id), None)
        if target is None:
            target = _Target(fill_id, copy(state.fills[fill_id]), 0)
            # What was booked beyond stays last: a correction to less takes of that first.
            is_own = bool(targets) and targets[-1].fill_id == key
            targets.insert(len(targets) - is_own, target)
        target.quantity += quantity
    return told


def _told(child: Child, key: str, quantity: int, change: EarlyChange) -> SuspenseRecorded:
    """Return that people told this already, as a count."""
    said = overtaken(child, key, change)
    return msgspec.structs.replace(said, quantity=quantity, reason=RejectReason.NOTHING_CHANGED)


def _kept(
    state: RoutingState, child: Child, key: str, targets: list[_Target], change: EarlyChange
) -> tuple[SuspenseRecorded, ...]:
    """Keep for people what changes nothing but the price of a part of a fill."""
    if all(change.price_e9 in (None, target.fill.price_e9) for target in targets):
        return (_told(child, key, 0, change),)
    if f"{child.venue_id}/{change.exec_id}/{child.child_id}" in state.suspense:
        return ()
    disputed = overtaken(child, key, change)
    return (msgspec.structs.replace(disputed, reason=RejectReason.REPORT_CONTRADICTS),)


def _total(fill: Fill) -> int:
    return fill.quantity + fill.error_quantity


def _of(report: ExecutionReport, quantity: int) -> ExecutionReport:
    return msgspec.structs.replace(report, last_quantity=quantity)


def _fill_of(booked: FillBooked) -> Fill:
    return Fill(
        booked.child_id,
        booked.quantity,
        booked.error_quantity,
        booked.price_e9,
        booked.cash_e9,
        booked.fee_e9,
    )
