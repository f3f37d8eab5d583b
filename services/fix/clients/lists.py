"""Lists of orders: E with its fragments, L (start), K (cancel), M (status), and the plan of one."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from schemas.messages.core import (
    BasketEntry,
    BasketMode,
    MassCancelScope,
    RejectReason,
)
from schemas.messages.intake import MassCancelOrder, NewBasket
from services.fix.clients.asked import Asked, MissingTagError, content_digest
from services.fix.clients.commands import check_new, published
from services.fix.clients.list_status import (
    ACKNOWLEDGED,
    ALL_DONE,
    CANCELING,
    DONE,
    RESPONSE,
    list_status,
    rejected_list,
)
from services.fix.clients.orders import check_present, entry_of, trade_date_of
from services.fix.clients.refusals import Desk, business_reject, refuse_order
from services.fix.clients.state import ClientsState, Order, OrderList, name_key
from services.fix.clients.terms import Seat
from services.fix.fields import Fields
from services.fix.gateway.application import Published
from services.fix.values import FixValueError, whole
from streams.core.murmur import partition_of
from streams.core.topics import ORDERS_COMMANDS

__all__ = [
    "Plan",
    "cancel_list",
    "cancel_of",
    "list_of",
    "new_list",
    "plan_of",
    "start_list",
    "tell_list",
]

AT_ONCE, WAIT = "1", "2"  # FIX 433: WAIT is until it is told to
NO_BIDDING: Final = "3"  # FIX 394
EXECUTIONS: Final = (AT_ONCE, WAIT)


class Plan(NamedTuple):
    """What a list becomes when it is started."""

    baskets: tuple[NewBasket, ...]
    refused: tuple[tuple[Fields, FixValueError], ...]


def new_list(desk: Desk) -> Iterator[Any]:
    """Decide an E. It is answered when its last fragment is here."""
    try:
        asked = list_of(desk.state, desk.seat, desk.heard.fields)
    except FixValueError as error:
        tag = error.tag if isinstance(error, MissingTagError) else 0
        yield from business_reject(desk, error, desk.heard.fields.get(66), tag)
        return
    if asked is None:
        yield from tell_list(desk)  # the same once more
        return
    if not asked.is_whole:
        return
    if asked.execution == WAIT:
        yield from list_status(desk.seat, desk.state, asked, ACKNOWLEDGED, desk.heard.at_ns)
        return
    yield from _started(desk, asked)


def start_list(desk: Desk) -> Iterator[Any]:
    """Decide an L."""
    known = _known(desk)
    if known is None or known.is_started or not known.is_whole:
        bound = "a whole list that waits to be started"
        yield from _stranger(desk, bound)
        return
    yield from _started(desk, known)


def cancel_list(desk: Desk) -> Iterator[Any]:
    """Decide a K: every order of the list that still works, and those that come yet."""
    known = _known(desk)
    if known is None:
        yield from _stranger(desk, "a list of this session")
        return
    for order_id in known.order_ids:
        order = desk.state.orders.get(order_id)
        if order is not None and order.is_open:
            yield cancel_of(desk.seat, order, desk.partitions)
    at_ns = desk.heard.at_ns
    if known.is_started:
        yield from list_status(desk.seat, desk.state, known, RESPONSE, at_ns, status=CANCELING)
    else:
        yield from list_status(desk.seat, desk.state, known, ALL_DONE, at_ns, status=DONE)


def tell_list(desk: Desk) -> Iterator[Any]:
    """Decide an M."""
    known = _known(desk)
    if known is None:
        yield from _stranger(desk, "a list of this session")
        return
    yield from list_status(desk.seat, desk.state, known, RESPONSE, desk.heard.at_ns)


def cancel_of(seat: Seat, order: Order, partitions: int) -> Published:
    """Return the cancel of one order of a list: K has no ClOrdID of its own."""
    command = MassCancelOrder(
        tenant=seat.terms.tenant,
        source=seat.terms.source,
        client_order_id=f"{order.order_id}/K",
        trade_date=order.trade_date,
        scope=MassCancelScope.ORDER,
        scope_id=order.order_id,
        is_every_source=False,
    )
    instrument_id = order.instrument_id
    partition = partition_of(instrument_id, partitions)
    name, actor = order.order_id, seat.actor
    return Published(ORDERS_COMMANDS, command, instrument_id, partition, name, actor)


def list_of(state: ClientsState, seat: Seat, fields: Fields) -> OrderList | None:
    """Return the list as it is with this fragment; None for a fragment that came before.

    Raises: FixValueError.
    """
    name = fields.get(66)
    if not name:
        raise MissingTagError(RejectReason.FIELD_EMPTY, 66, "ListID", "a value in tag 66")
    try:
        entries = fields.groups(73)
    except ValueError as error:
        value = fields.get(73)
        raise FixValueError(RejectReason.BASKET_EMPTY, "NoOrders", value, str(error)) from error
    digest = content_digest(fields)
    known = state.lists.get(name_key(seat.terms.source, name))
    if known is not None:
        if digest in known.digests:
            return None
        if known.is_whole:
            bound = "one content per session and id"
            raise FixValueError(RejectReason.DUPLICATE_ORDER, "ListID", name, bound)
        if known.is_canceling:  # before it was whole: what else comes of it is not wanted
            bound = "a list that is not canceled"
            raise FixValueError(RejectReason.TOO_LATE, "ListID", name, bound)
    if not entries:
        raise MissingTagError(RejectReason.BASKET_EMPTY, 73, "NoOrders", "at least 1 in tag 73")
    total = whole(fields.get(68) or str(len(entries)), "TotNoOrders")
    execution = fields.get(433) or (known.execution if known else AT_ONCE)
    before = known or OrderList(seat.session_id, name, state.trade_date, total, execution)
    names = [*before.names, *(entry.get(11) for entry in entries)]
    is_last = fields.get(893) == "Y" if 893 in fields else len(names) >= total
    _check_whole(fields, before, (total, execution), len(names), is_last=is_last)
    return OrderList(
        seat.session_id,
        name,
        before.kept_date,
        total,
        execution,
        names,
        [*before.fragments, fields.body()],
        [*before.digests, digest],
        is_whole=is_last,
    )


def _check_whole(
    fields: Fields, before: OrderList, told: tuple[int, str], count: int, *, is_last: bool
) -> None:
    """Hold a fragment against its list. `told`: FIX 68 and 433; `count`: orders with it.

    Raises: FixValueError.
    """
    total, execution = told
    wrong = RejectReason.VALUE_OUT_OF_RANGE
    if fields.get(394, NO_BIDDING) != NO_BIDDING:
        bound = f"{NO_BIDDING}: no list is bid for"
        raise FixValueError(wrong, "BidType", fields.get(394), bound)
    if execution not in EXECUTIONS:
        bound = "one of " + ", ".join(EXECUTIONS)
        raise FixValueError(wrong, "ListExecInstType", execution, bound)
    if execution != before.execution:
        bound = f"{before.execution}, as in its first fragment"
        raise FixValueError(wrong, "ListExecInstType", execution, bound)
    if total != before.total:
        bound = f"{before.total}, as in its first fragment"
        raise FixValueError(wrong, "TotNoOrders", fields.get(68), bound)
    if count > total or (is_last and count < total):
        bound = f"{count}: as many orders have come"
        raise FixValueError(wrong, "TotNoOrders", fields.get(68), bound)


def plan_of(state: ClientsState, seat: Seat, at_ns: int, asked: OrderList, partitions: int) -> Plan:
    """Return the baskets that a list becomes, and the orders of it that cannot be."""
    terms = seat.terms
    good: dict[tuple[int, int], list[BasketEntry]] = {}
    refused: list[tuple[Fields, FixValueError]] = []
    for fragment in asked.fragments:
        for fields in Fields.parse(fragment).groups(73):
            entry = Asked(seat, state.reference, at_ns, fields)
            try:
                check_present(entry)
                trade_date = trade_date_of(entry)
                entry.account_id()
                check_new(state, entry, trade_date)
                order = entry_of(entry)
            except FixValueError as error:
                plain = FixValueError(error.reason, error.field, error.value, error.bound)
                refused.append((fields, plain))
                continue
            partition = partition_of(order.instrument_id, partitions)
            if terms.basket_mode is BasketMode.ALL_OR_NONE:
                partition = -1  # the shard of its first instrument says if it owns them all
            good.setdefault((partition, trade_date), []).append(order)
    if refused and terms.basket_mode is BasketMode.ALL_OR_NONE:
        return Plan((), tuple(refused))
    return Plan(
        tuple(
            NewBasket(
                tenant=terms.tenant,
                source=terms.source,
                basket_id=asked.list_id,
                trade_date=trade_date,
                mode=terms.basket_mode,
                entries=tuple(entries),
            )
            for (_, trade_date), entries in good.items()
        ),
        tuple(refused),
    )


def _started(desk: Desk, asked: OrderList) -> Iterator[Any]:
    state, seat = desk.state, desk.seat
    plan = plan_of(state, seat, desk.heard.message.received_ns, asked, desk.partitions)
    for number, (fields, error) in enumerate(plan.refused, 1):
        yield from refuse_order(desk, error, fields, number, asked.list_id)
    for basket in plan.baskets:
        yield published(desk, basket, basket.entries[0].instrument_id)
    if not plan.baskets:
        yield rejected_list(seat, asked, plan.refused[0][1], desk.heard.at_ns)


def _known(desk: Desk) -> OrderList | None:
    return desk.state.lists.get(name_key(desk.source, desk.heard.fields.get(66)))


def _stranger(desk: Desk, bound: str) -> Iterator[Any]:
    name = desk.heard.fields.get(66)
    error = FixValueError(RejectReason.UNKNOWN_ORDER, "ListID", name, bound)
    yield from business_reject(desk, error, name)
