"""H and AF (orders as they stand), Q (a client disputes a trade)."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.messages.core import RejectReason
from schemas.messages.fix import FillDisputed
from services.fix.clients.refusals import (
    Desk,
    business_reject,
    echo_of,
    message_id,
    refuse_status,
)
from services.fix.clients.reports import (
    CANCELED,
    PENDING_NEW,
    STATUS,
    Report,
    report,
    unordered_report,
)
from services.fix.clients.state import name_key
from services.fix.gateway.application import Published
from services.fix.values import FixValueError, printable
from streams.core.topics import FIX_DECISIONS

__all__ = ["dispute", "mass_status", "status"]

SECURITY, ALL = "1", "7"  # FIX 585
DISPUTES: Final = {  # FIX 127
    "A": "unknown symbol",
    "B": "wrong side",
    "C": "quantity exceeds the order",
    "D": "no matching order",
    "E": "price exceeds the limit",
    "F": "calculation difference",
    "G": "no matching execution report",
    "Z": "other",
}


def status(desk: Desk) -> Iterator[Any]:
    """Decide an H: the order as it stands, or that there is none."""
    fields, state, seat = desk.heard.fields, desk.state, desk.seat
    name, more = fields.get(11), [(790, fields.get(790))]
    order = state.order_named(desk.source, name) or state.orders.get(fields.get(37))
    said = Report(STATUS, message_id(desk.heard, "S"), desk.heard.at_ns, more=more)
    if order is not None and order.source == desk.source:
        yield report(seat, state.reference, order, said)
        return
    request = state.requests.get(name_key(desk.source, name))
    if request is not None and not request.refused and request.is_order:
        # On its way: the engine has not answered yet.
        leaves = dict(request.echo).get(38, "0")
        yield unordered_report(seat, name, said, request.echo, status=PENDING_NEW, leaves=leaves)
        return
    if name and request is None and (listed := state.waiting(seat.session_id, name)) is not None:
        asked, own = listed
        is_withdrawn = asked.is_canceling
        echo = [*echo_of(seat.version, own), (66, asked.list_id)]
        standing = CANCELED if is_withdrawn else PENDING_NEW
        leaves = "0" if is_withdrawn else own.get(38, "0")
        yield unordered_report(seat, name, said, echo, status=standing, leaves=leaves)
        return
    value = name or fields.get(37)
    error = FixValueError(
        RejectReason.UNKNOWN_ORDER, "ClOrdID", value, f"orders of {desk.source} of late"
    )
    yield from refuse_status(desk, error, more)


def mass_status(desk: Desk) -> Iterator[Any]:
    """Decide an AF: every open order of the session, or of an instrument."""
    asked, state = desk.asked, desk.state
    fields, kind = asked.fields, asked.fields.get(585)
    try:
        if kind not in (SECURITY, ALL):
            bound = f"{SECURITY} (an instrument), {ALL} (all)"
            raise FixValueError(RejectReason.UNKNOWN_SCOPE, "MassStatusReqType", kind, bound)
        instrument_id = asked.instrument()[0] if kind == SECURITY else ""
    except FixValueError as error:
        yield from business_reject(desk, error, fields.get(584))
        return
    found = [
        order
        for order in state.orders.values()
        if order.source == desk.source
        and order.is_open
        and (not instrument_id or order.instrument_id == instrument_id)
    ]
    more = [(584, fields.get(584))]
    if not found:
        name, bound = "MassStatusReqID", "an open order"
        nothing = FixValueError(RejectReason.UNKNOWN_ORDER, name, more[0][1], bound)
        yield from refuse_status(desk, nothing, [*more, (911, "0"), (912, "Y")])
        return
    for number, order in enumerate(found, 1):
        is_last = "Y" if number == len(found) else "N"
        numbers = [*more, (911, str(len(found))), (912, is_last)]
        name = message_id(desk.heard, "S", number)
        said = Report(STATUS, name, desk.heard.at_ns, more=numbers)
        yield report(desk.seat, state.reference, order, said)


def dispute(desk: Desk) -> Iterator[Any]:
    """Decide a Q: people must look; the execution stands until its venue takes it back."""
    fields = desk.heard.fields
    reason, name = fields.get(127, "Z"), fields.get(17)
    order = desk.state.orders.get(fields.get(37))
    own = () if order is None or order.source != desk.source else order.executions
    known = next((each for each in own if each.exec_id == name), None)
    text = f"{desk.source} disputes {name} of {fields.get(37)}: {DISPUTES.get(reason, 'other')}"
    if known is None:
        text += ", an execution that does not stand"
    if fields.get(58):
        text += f"; {fields.get(58)}"
    disputed = FillDisputed(
        session_id=desk.seat.session_id,
        source=desk.source,
        order_id=fields.get(37),
        exec_id=name,
        fill_id="" if known is None else known.fill_id,
        quantity=0 if known is None else known.quantity,
        price_e9=0 if known is None else known.price_e9,
        dispute=reason,
        text=printable(text),
    )
    session_id, number = desk.seat.session_id, desk.number
    yield Published(FIX_DECISIONS, disputed, session_id, number, disputed.order_id, desk.seat.actor)
