"""H and AF (orders as they stand), q (mass cancel), Q (a client disputes a trade)."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.messages.core import Envelope, MassCancelScope, RejectReason, StrategyKind
from schemas.messages.fix import FillDisputed
from schemas.messages.intake import CommandRepeated, MassCancelAnswered, MassCancelOrder
from services.fix.clients.algorithms import STRATEGIES
from services.fix.clients.asked import MissingTagError
from services.fix.clients.commands import check_new, day_of
from services.fix.clients.layouts import kept
from services.fix.clients.refusals import (
    Desk,
    business_reject,
    echo_of,
    message_id,
    refuse_status,
    reject_mass,
)
from services.fix.clients.reports import (
    CANCELED,
    PENDING_NEW,
    STATUS,
    Report,
    report,
    unordered_report,
)
from services.fix.clients.state import ClientsState, name_key
from services.fix.clients.terms import Seat
from services.fix.codes import reason_codes, text_of
from services.fix.fields import Fields
from services.fix.gateway.application import Outgoing, Published
from services.fix.values import FixValueError, printable, side, utc_text
from streams.core.topics import FIX_DECISIONS, ORDERS_COMMANDS

__all__ = [
    "affected",
    "dispute",
    "mass_answered",
    "mass_cancel",
    "mass_status",
    "status",
]

SECURITY, ALL = "1", "7"  # FIX 530 and 585
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


def mass_cancel(desk: Desk) -> Iterator[Any]:
    """Decide a q: one command for each shard; what they answer is told together."""
    asked, terms = desk.asked, desk.seat.terms
    try:
        asked.need(11, "ClOrdID")
        trade_date = day_of(desk.state, asked)
        check_new(desk.state, asked, trade_date)
        scope, scope_id = _scope(desk)
    except FixValueError as error:
        if isinstance(error, MissingTagError):
            yield from business_reject(desk, error, asked.fields.get(11), error.tag)
        else:
            yield from reject_mass(desk, error)
        return
    name = asked.fields.get(11)
    for partition in range(desk.partitions):
        command = MassCancelOrder(
            tenant=terms.tenant,
            source=terms.source,
            client_order_id=name,
            trade_date=trade_date,
            scope=scope,
            scope_id=scope_id,
            is_every_source=False,
        )
        actor = desk.seat.actor
        yield Published(ORDERS_COMMANDS, command, name, partition, name, actor)


def mass_answered(
    seat: Seat,
    state: ClientsState,
    envelope: Envelope,
    event: MassCancelAnswered | CommandRepeated,
    partitions: int,
) -> Iterator[Outgoing]:
    """Yield r when the last shard has answered; all of them accept or none does."""
    request = state.masses.get(name_key(event.source, event.client_order_id))
    if request is None or envelope.shard in request.shards:
        return
    if len(request.shards) + 1 < partitions:
        return
    name, at_ns = request.client_order_id, envelope.at_ns
    fields = Fields().add(37, name).add(11, name).add(1369, name)
    fields.add(530, request.request_type)
    if event.is_accepted:
        fields.add(531, request.request_type).add(533, request.orders + affected(event))
    else:
        code = reason_codes(event.reason, seat.version).mass_cancel
        fields.add(531, "0").add(532, code)
    fields.add(60, utc_text(at_ns, seat.terms.time_digits))
    if isinstance(event, MassCancelAnswered) and not event.is_accepted:
        fields.add(58, text_of(event.reason, event.bound, event.value, event.field))
    yield Outgoing(seat.session_id, "r", kept(seat.version, "r", fields), name)


def affected(event: MassCancelAnswered | CommandRepeated) -> int:
    """Return how many orders an answer let go; a repeated command lets none go."""
    if isinstance(event, CommandRepeated):
        return 0
    return event.canceled_count + event.pending_count


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


def _scope(desk: Desk) -> tuple[MassCancelScope, str]:
    """Return what a q means; narrower than all by side, account or strategy. One of them only."""
    asked, fields = desk.asked, desk.heard.fields
    kind = fields.get(530)
    narrowed = [tag for tag in (54, 1, 847) if fields.get(tag)]
    if kind == SECURITY and not narrowed:
        return MassCancelScope.INSTRUMENT, asked.instrument()[0]
    if kind != ALL or len(narrowed) > 1:
        value = "+".join([kind, *map(str, narrowed)])
        bound = f"{SECURITY} with a symbol, {ALL}, {ALL} with one of the tags 54, 1, 847"
        raise FixValueError(RejectReason.UNKNOWN_SCOPE, "MassCancelRequestType", value, bound)
    if not narrowed:
        return MassCancelScope.ALL, ""
    match narrowed[0]:
        case 54:
            return MassCancelScope.SIDE, side(fields.get(54))[0].value
        case 1:
            return MassCancelScope.ACCOUNT, asked.account_id()
        case _:
            kind_847 = STRATEGIES.get(fields.get(847), StrategyKind.UNKNOWN)
            return MassCancelScope.STRATEGY, kind_847.value
