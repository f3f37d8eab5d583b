"""The folds: what messages and events change of the gateway's state."""

from collections.abc import Mapping
from typing import Any

from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.core import CommandKind, Envelope, Liquidity
from schemas.messages.fix import FixReceived
from schemas.messages.intake import (
    BasketAnswered,
    CommandRepeated,
    MassCancelAnswered,
    NewOrder,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderRejected,
    OrderReplaced,
)
from schemas.messages.netting import CrossExecuted
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.runtime import JournalRecord
from services.fix.clients.asked import Asked, Indexed
from services.fix.clients.cash import fold_cash
from services.fix.clients.commands import read_order, request_of
from services.fix.clients.executions import apply_step, corrected, restated, traded
from services.fix.clients.lifecycle import ORDER_EVENTS, after, fold_order, opened
from services.fix.clients.list_status import is_over
from services.fix.clients.lists import list_of, plan_of
from services.fix.clients.mass import affected, refusal_text, scope_tag
from services.fix.clients.pruning import prune
from services.fix.clients.refusals import refused_fields
from services.fix.clients.state import (
    ClientsState,
    MassRequest,
    OrderList,
    Request,
    Trade,
    name_key,
)
from services.fix.clients.terms import Seat
from services.fix.clients.told import refusal_of
from services.fix.fields import Fields
from services.fix.values import FixValueError

__all__ = ["event", "heard", "opened", "trade_of"]

Seats = Mapping[str, Seat]
WAIT = "2"  # FIX 433
TRADES = (
    *(FillBooked, FillBusted, FillCorrected, CrossExecuted),
    *(FillAllocated, CrossAllocated, AllocationRestated),
)
ANSWERS = (
    *(OrderAccepted, OrderRejected, OrderCancelRejected),
    *(BasketAnswered, MassCancelAnswered, CommandRepeated),
)


def heard(
    state: ClientsState,
    seat: Seat,
    message: FixReceived,
    fields: Fields,
    *,
    partitions: int,
    found: NewOrder | FixValueError | None = None,
) -> None:
    """Take a message of a client. `found`: what its D was read as, if it was read before."""
    asked = Asked(seat, state.reference, message.received_ns, Indexed(fields.pairs))
    match message.message_type:
        case "D":
            found = read_order(state, asked) if found is None else found
            _remember(state, asked, found if isinstance(found, FixValueError) else None)
        case "F" | "G":
            _remember(state, asked, None)
        case "q" | "CA":
            _remember(state, asked, None)
            _ask_mass(state, asked, message.message_type, partitions)
        case "E":
            _list(state, asked, partitions)
        case "L":
            known = state.lists.get(name_key(seat.terms.source, fields.get(66)))
            if known is not None and not known.is_started and known.is_whole:
                _start(state, asked, known, partitions)
        case "K":
            known = state.lists.get(name_key(seat.terms.source, fields.get(66)))
            if known is not None:
                known.is_canceling = True
                if not known.is_started:
                    known.is_started, known.is_done = True, True


def event(state: ClientsState, seats: Seats, envelope: Envelope, message: Any) -> None:
    """Take an event of the log."""
    if isinstance(message, TRADES):
        _traded(state, envelope, message)
        if isinstance(message, CrossAllocated):
            fold_cash(state, message)
    elif isinstance(message, CashAllocated):
        fold_cash(state, message)
    elif isinstance(message, ANSWERS):
        _answered(state, seats, envelope, message)
    elif isinstance(message, ORDER_EVENTS):
        _changed(state, message)
    elif isinstance(message, JournalRecord):
        state.trades.clear()
    else:
        state.reference.fold(message, envelope.at_ns)


def trade_of(message: FillBooked | FillBusted | FillCorrected | CrossExecuted) -> Trade:
    """Return where and how an execution took place, or was changed."""
    price_e9 = message.price_e9
    match message:
        case FillBooked():
            return Trade(message.venue_id, message.liquidity, message.transact_ns, price_e9)
        case FillCorrected():
            return Trade(message.venue_id, Liquidity.UNKNOWN, message.transact_ns, price_e9)
        case FillBusted():
            return Trade(message.venue_id, Liquidity.UNKNOWN, 0, price_e9)
        case CrossExecuted():
            return Trade("", Liquidity.UNKNOWN, message.crossed_ns, price_e9, is_cross=True)


def _ask_mass(state: ClientsState, asked: Asked, kind: str, partitions: int) -> None:
    """Await the shards' answers, anew where all of them have answered before."""
    fields = asked.fields
    name = fields.get(11)
    key = name_key(asked.seat.terms.source, name)
    known = state.masses.get(key)
    if known is None or len(known.shards) >= partitions:
        state.masses[key] = MassRequest(
            asked.seat.session_id,
            name,
            fields.get(scope_tag(kind)),
            state.trade_date,
            message_type=kind,
            action=fields.get(1373),
            text="" if known is None else known.text,
        )


def _remember(state: ClientsState, asked: Asked, refusal: FixValueError | None) -> Request:
    """Keep the ClOrdID, unless it was used that day; return what is kept of it."""
    key = name_key(asked.seat.terms.source, asked.fields.get(11))
    request = request_of(state, asked)
    known = state.requests.get(key)
    if known is not None and known.trade_date == request.trade_date:
        return known
    if refusal is not None:
        request.refused = refused_fields(asked.seat, refusal)
    elif request.is_order and request.trade_date:
        state.days[asked.seat.terms.source] = request.trade_date
    state.requests[key] = request
    return request


def _list(state: ClientsState, asked: Asked, partitions: int) -> None:
    source = asked.seat.terms.source
    try:
        found = list_of(state, asked.seat, asked.fields)
    except FixValueError:
        return
    if found is None:
        return
    state.lists[name_key(source, found.list_id)] = found
    if found.is_whole and found.execution != WAIT:
        _start(state, asked, found, partitions)


def _start(state: ClientsState, asked: Asked, found: OrderList, partitions: int) -> None:
    plan = plan_of(state, asked.seat, asked.at_ns, found, partitions)
    refusals = [(each.get(11), error) for each, error in plan.refused]
    told = dict(refusals)
    for fragment in found.fragments:
        for fields in Fields.parse(fragment).groups(73):
            entry = asked._replace(fields=fields)
            request = _remember(state, entry, told.get(fields.get(11)))
            request.list_id = found.list_id
    found.answers, found.is_started, found.fragments = len(plan.baskets), True, []


def _traded(state: ClientsState, envelope: Envelope, message: Any) -> None:
    match message:
        case FillCorrected():
            steps = [*corrected(state, envelope, message)]
            state.trades[message.fill_id] = trade_of(message)
        case FillBooked() | FillBusted():
            steps, state.trades[message.fill_id] = [], trade_of(message)
        case CrossExecuted():
            steps, state.trades[message.cross_id] = [], trade_of(message)
        case AllocationRestated():
            steps = [*restated(state, envelope, message)]
        case _:
            steps = [*traded(envelope, message)]
    for order_id, step in steps:
        if order_id in state.orders:
            apply_step(state, state.orders[order_id], step, envelope.at_ns)


def _answered(state: ClientsState, seats: Seats, envelope: Envelope, message: Any) -> None:
    match message:
        case OrderAccepted():
            _accepted(state, seats, message)
        case OrderRejected() | OrderCancelRejected():
            _refused(state, seats, envelope, message)
        case BasketAnswered():
            _basket(state, message)
        case MassCancelAnswered():
            _mass(state, envelope, message)
        case CommandRepeated() if message.command is CommandKind.MASS_CANCEL:
            _mass(state, envelope, message)


def _accepted(state: ClientsState, seats: Seats, message: OrderAccepted) -> None:
    if message.trade_date > state.trade_date:
        prune(state, message.trade_date)
    seat = seats.get(message.source)
    if seat is None or seat.terms.tenant != message.tenant:
        return
    state.orders[message.order_id] = opened(message)
    key = name_key(message.source, message.client_order_id)
    state.order_ids[key] = message.order_id
    request = state.requests.get(key)
    if request is not None:
        request.echo = []  # only what is no order, or not yet, is told from it
    asked = state.lists.get(name_key(message.source, message.basket_id))
    if asked is not None and message.basket_id:
        asked.order_ids.append(message.order_id)


def _refused(
    state: ClientsState,
    seats: Seats,
    envelope: Envelope,
    message: OrderRejected | OrderCancelRejected,
) -> None:
    seat = seats.get(message.source)
    request = state.requests.get(name_key(message.source, message.client_order_id))
    if seat is not None and request is not None:
        request.refused = refusal_of(seat, envelope, message)
    if isinstance(message, OrderCancelRejected):
        _changed(state, message)


def _changed(state: ClientsState, message: Any) -> None:
    order = state.orders.get(message.order_id)
    if order is None:
        return
    if order.list_id and isinstance(message, OrderCanceled | OrderClosed):
        asked = state.lists.get(name_key(order.source, order.list_id))
        if asked is not None and is_over(state, asked, after(order, message)):
            asked.is_done = True
    fold_order(order, message)
    if isinstance(message, OrderReplaced):
        order.names.append(message.client_order_id)
        state.order_ids[name_key(order.source, message.client_order_id)] = order.order_id


def _basket(state: ClientsState, message: BasketAnswered) -> None:
    asked = state.lists.get(name_key(message.source, message.basket_id))
    if asked is None or not asked.answers:
        return
    asked.answers -= 1
    asked.accepted += message.accepted_count
    asked.text = asked.text or message.text


def _mass(
    state: ClientsState, envelope: Envelope, message: MassCancelAnswered | CommandRepeated
) -> None:
    request = state.masses.get(name_key(message.source, message.client_order_id))
    if request is None or envelope.shard in request.shards:
        return
    request.shards.append(envelope.shard)
    request.orders += affected(message)
    request.text = refusal_text(message) or request.text
