"""Settle a child whose venue does not say what became of it: two persons say it instead.

The first proposes what the venue told them, the second approves it word by word. Then the fills are
booked as they were told, what the venue will not fill is free, and the child is closed.
"""

from copy import copy
from typing import Any, Final

import msgspec

from schemas.messages.control import ChildSettled
from schemas.messages.core import (
    ExecType,
    Liquidity,
    OrderStatus,
    OrderType,
    SettlementStage,
    Side,
)
from schemas.messages.core import RejectReason as R
from schemas.messages.routing import FillBooked
from schemas.messages.venues import ExecutionReport
from streams.core.errors import DecodeError
from streams.core.market import Instrument
from streams.routing.commands import ApplyReport, SettleChild
from streams.routing.executions import AMOUNT_MAX_E9, booked_of
from streams.routing.fold_fills import after_fill
from streams.routing.fold_settling import parts_of
from streams.routing.reports import close, target_met
from streams.routing.requests import STATUS_TRIES_MAX
from streams.routing.state import Child, RoutingState, find_child

__all__ = ["is_settleable", "settle_child", "settlement_refused"]

LENGTH_MAX: Final = 64  # of ids
TEXT_MAX: Final = 500  # of what people say
FILLS_MAX: Final = 500
SHOWN_MAX: Final = 80  # characters of a value in a refusal
_ASKED = (SettlementStage.PROPOSED, SettlementStage.APPROVED)
_SAID = ("settlement_id", "said_by", "evidence", "reason")
# What the second person repeats of the first one's words.
_REPEATED = ("cumulative_quantity", "fills", "said_by", "evidence")


def is_settleable(child: Child) -> bool:
    """Return whether its venue was asked as often as it is, and has not answered since."""
    return child.is_escalated and child.status_tries >= STATUS_TRIES_MAX and child.exposure > 0


def settlement_refused(state: RoutingState, command: SettleChild) -> DecodeError | None:
    """Return why it has no effect, the first that applies; None when it has."""
    message = command.message
    child = find_child(state, message.child_id)
    if child is None:
        value = _cut(message.child_id)
        return DecodeError(R.UNKNOWN_CHILD, "child_id", value, "children of this log")
    refused = (
        _child_refused(child, message)
        or _words_refused(command)
        or _persons_refused(child, command)
        or _quantity_refused(child, message)
        or _fills_refused(state, child, command)
    )
    if refused is None:
        return None
    return DecodeError(refused.reason, refused.field, _cut(refused.value), _cut(refused.bound))


def settle_child(state: RoutingState, command: SettleChild) -> tuple[Any, ...]:
    """Return the proposal as a fact, or what an approved one leads to; `()` when refused."""
    if settlement_refused(state, command) is not None:
        return ()
    child, message = state.children[command.message.child_id], command.message
    if message.stage is SettlementStage.APPROVED:
        return _settled(state, command, copy(child), child.settlements[message.settlement_id])
    proposed = msgspec.structs.replace(
        message, proposed_by=command.actor, approved_by="", freed_quantity=0
    )
    return (proposed,)


def _settled(
    state: RoutingState, command: SettleChild, child: Child, said: ChildSettled
) -> tuple[Any, ...]:
    assert command.market is not None
    fills: list[FillBooked] = []
    before = spent = 0
    for report in _reports(child, said, command.at_ns):
        booked = booked_of(state, _apply(command, report), child, command.market, before=before)
        after_fill(child, booked)
        before += booked.quantity - booked.late_quantity
        spent += booked.overfill_quantity
        fills.append(booked)
    # Of a fill what is the venue's error takes nothing of the child: that much is free as well.
    freed = child.exposure
    settled = msgspec.structs.replace(
        said, stage=SettlementStage.SETTLED, approved_by=command.actor, freed_quantity=freed
    )
    events: list[Any] = [settled, *fills]
    if freed:
        last = _apply(command, _report(child, said, ExecType.CANCELED, command.at_ns))
        canceled, *onward = close(state, last, child, OrderStatus.CANCELED, spent=spent)
        events += [msgspec.structs.replace(canceled, is_unsolicited=False), *onward]
    return (*events, *target_met(state, tuple(events), command.at_ns))


def _apply(command: SettleChild, report: ExecutionReport) -> ApplyReport:
    return ApplyReport(
        report=report,
        at_ns=command.at_ns,
        market=command.market,
        current_epoch=command.current_epoch,
        room=command.room,
        is_stopped=command.is_stopped,
    )


def _reports(child: Child, said: ChildSettled, at_ns: int) -> list[ExecutionReport]:
    """Return the executions as the venue would have reported them."""
    reports = []
    for exec_id, part in parts_of(said).items():
        fills = [
            fill
            for fill in said.fills
            if exec_id == fill.exec_id or (not fill.exec_id and fill.price_e9 == part.price_e9)
        ]
        named = [fill for fill in fills if fill.exec_id == exec_id] or fills
        report = _report(child, said, ExecType.TRADE, at_ns)
        reports.append(
            msgspec.structs.replace(
                report,
                exec_id=exec_id,
                last_quantity=part.quantity,
                last_price_e9=part.price_e9,
                fee_e9=sum(fill.fee_e9 for fill in named),
                transact_ns=max(fill.transact_ns for fill in named) or at_ns,
            )
        )
    return reports


def _report(child: Child, said: ChildSettled, exec_type: ExecType, at_ns: int) -> ExecutionReport:
    return ExecutionReport(
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        child_id=child.child_id,
        venue_order_id="",
        exec_id="",
        exec_ref_id="",
        exec_type=exec_type,
        order_status=OrderStatus.CANCELED,
        side=child.side,
        last_quantity=0,
        last_price_e9=None,
        cumulative_quantity=said.cumulative_quantity,
        leaves_quantity=0,
        fee_e9=0,
        liquidity=Liquidity.UNKNOWN,
        text="",
        transact_ns=at_ns,
    )


def _cut(text: str) -> str:
    """Return the text as a dead letter may say it."""
    return (text if text.isprintable() else ascii(text)[1:-1])[:SHOWN_MAX]


def _child_refused(child: Child, message: ChildSettled) -> DecodeError | None:
    for name in ("parent_id", "venue_id", "instrument_id"):
        told, known = getattr(message, name), getattr(child, name)
        if told != known:
            return DecodeError(R.REPORT_CONTRADICTS, name, told, known)
    if is_settleable(child):
        return None
    phase = child.phase.value
    if child.is_open and child.is_unresolved:
        return DecodeError(R.ALREADY_PENDING, "child_id", phase, "its venue is being asked")
    return DecodeError(R.TOO_LATE, "child_id", phase, "a child that its venue does not answer for")


def _words_refused(command: SettleChild) -> DecodeError | None:
    message = command.message
    if message.stage not in _ASKED:
        stage = message.stage.value
        return DecodeError(R.UNEXPECTED_MESSAGE, "stage", stage, "PROPOSED, APPROVED")
    if not command.actor.strip():
        return DecodeError(R.FIELD_EMPTY, "actor", "", "the person who says it")
    for name in _SAID:
        text = getattr(message, name)
        length_max = LENGTH_MAX if name == "settlement_id" else TEXT_MAX
        if not text.strip():
            return DecodeError(R.FIELD_EMPTY, name, text, f"1 to {length_max} characters")
        if len(text) > length_max:
            return DecodeError(R.FIELD_TOO_LONG, name, text, f"1 to {length_max} characters")
        if not text.isprintable():
            return DecodeError(R.TEXT_NOT_PRINTABLE, name, text, "printable")
    return None


def _persons_refused(child: Child, command: SettleChild) -> DecodeError | None:
    message = command.message
    known = child.settlements.get(message.settlement_id)
    if message.stage is SettlementStage.PROPOSED:
        if known is None:
            return None
        return DecodeError(
            R.STALE_VERSION, "settlement_id", message.settlement_id, "an id used once"
        )
    if known is None:
        bound = "settlements that wait for approval"
        return DecodeError(R.UNKNOWN_PROPOSAL, "settlement_id", message.settlement_id, bound)
    if command.actor.strip().casefold() == known.proposed_by.strip().casefold():
        bound = f"not {known.proposed_by}"
        return DecodeError(R.SAME_PERSON, "actor", command.actor, bound)
    name = next((name for name in _REPEATED if getattr(message, name) != getattr(known, name)), "")
    if not name:
        return None
    bound = f"as proposed: {getattr(known, name)}"
    return DecodeError(R.HASH_MISMATCH, name, str(getattr(message, name)), bound)


def _quantity_refused(child: Child, message: ChildSettled) -> DecodeError | None:
    told, said = message.cumulative_quantity, sum(fill.quantity for fill in message.fills)
    name, value = "cumulative_quantity", str(told)
    if told < child.net:
        return DecodeError(R.QUANTITY_BELOW_FILLED, name, value, f"at least {child.net} booked")
    if told > child.net + child.exposure:
        bound = f"at most {child.net} booked and {child.exposure} exposed"
        return DecodeError(R.QUANTITY_TOO_LARGE, name, value, bound)
    if len(message.fills) > FILLS_MAX:
        bound = f"at most {FILLS_MAX}"
        return DecodeError(R.LIST_TOO_LONG, "fills", str(len(message.fills)), bound)
    if said != told - child.net:
        bound = f"{told - child.net}, as {told} less {child.net} booked"
        return DecodeError(R.REPORT_CONTRADICTS, "fills.quantity", str(said), bound)
    return None


def _fills_refused(state: RoutingState, child: Child, command: SettleChild) -> DecodeError | None:
    if command.market is None:
        bound = "defined instruments"
        return DecodeError(R.UNKNOWN_INSTRUMENT, "instrument_id", child.instrument_id, bound)
    instrument, known = command.market.instrument, dict[str, bool]()
    for fill in command.message.fills:
        if fill.quantity <= 0:
            return DecodeError(
                R.QUANTITY_NOT_POSITIVE, "fills.quantity", str(fill.quantity), "at least 1"
            )
        refused = _price_refused(child, instrument, fill.price_e9)
        if refused is not None:
            return refused
        if max(abs(fill.fee_e9), fill.price_e9 * fill.quantity) > AMOUNT_MAX_E9:
            bound = f"at most {AMOUNT_MAX_E9}"
            return DecodeError(R.VALUE_OUT_OF_RANGE, "fills.fee_e9", str(fill.fee_e9), bound)
        key = f"{child.venue_id}/{fill.exec_id}"
        is_known = key in known or any(
            key in each for each in (state.fills, state.early, state.claims, state.changes)
        )
        is_known = is_known or f"{key}/{child.child_id}" in state.suspense
        if fill.exec_id and (is_known or len(fill.exec_id) > LENGTH_MAX):
            bound = "an ExecID that is not booked and that nothing has changed"
            return DecodeError(R.REPORT_CONTRADICTS, "fills.exec_id", fill.exec_id, bound)
        known[key] = True
    return None


def _price_refused(child: Child, instrument: Instrument, price_e9: int) -> DecodeError | None:
    name, value = "fills.price_e9", str(price_e9)
    if price_e9 <= 0:
        return DecodeError(R.PRICE_NOT_POSITIVE, name, value, "positive")
    tick_e9 = instrument.tick_at(price_e9)
    # A midpoint lies between two prices of the grid.
    if price_e9 * (2 if child.order_type is OrderType.MIDPOINT else 1) % tick_e9:
        return DecodeError(R.PRICE_OFF_TICK, name, value, f"a multiple of {tick_e9}")
    limits = [limit for limit in (child.price_e9,) if limit is not None]
    if child.is_replacing and child.asked_price_e9 is not None:
        limits.append(child.asked_price_e9)
    if not limits:
        return None
    limit_e9 = max(limits) if child.side is Side.BUY else min(limits)
    is_worse = price_e9 > limit_e9 if child.side is Side.BUY else price_e9 < limit_e9
    if is_worse:
        bound = f"no worse than its limit {limit_e9}"
        return DecodeError(R.VALUE_OUT_OF_RANGE, name, value, bound)
    return None
