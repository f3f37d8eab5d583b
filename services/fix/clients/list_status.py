"""ListStatus (N): where a list stands, with each of its orders."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.messages.core import Envelope, OrderStatus
from schemas.messages.intake import BasketAnswered
from services.fix.clients.layouts import kept
from services.fix.clients.reports import CANCELED, NO_ORDER, PENDING_NEW, REJECTED, status_text
from services.fix.clients.state import ClientsState, Order, OrderList, name_key
from services.fix.clients.terms import Seat
from services.fix.codes import text_of
from services.fix.fields import Fields
from services.fix.gateway.application import Outgoing
from services.fix.values import (
    FixValueError,
    price_text,
    quantity_text,
    utc_text,
)

__all__ = [
    "ACKNOWLEDGED",
    "ALL_DONE",
    "CANCELING",
    "DONE",
    "RESPONSE",
    "STARTED",
    "basket_answered",
    "is_over",
    "list_status",
    "rejected_list",
]

ACKNOWLEDGED, RESPONSE, STARTED, ALL_DONE = "1", "2", "4", "5"  # FIX 429
RECEIVED, EXECUTING, CANCELING, DONE, REFUSED = "2", "3", "4", "6", "7"  # FIX 431
ORDERS_MAX: Final = 200  # orders in one message


def list_status(
    seat: Seat,
    state: ClientsState,
    asked: OrderList,
    kind: str,
    at_ns: int,
    *,
    after: Order | None = None,
    status: str = "",
) -> Iterator[Outgoing]:
    """Yield where the list stands, in as many messages as it needs.

    `after`: an order of it as it stands now, where the state does not know yet.
    """
    names = asked.names
    is_withdrawn = asked.is_canceling or status == DONE
    waiting = _waiting(asked, CANCELED if is_withdrawn else PENDING_NEW)
    parts = [names[at : at + ORDERS_MAX] for at in range(0, len(names), ORDERS_MAX)] or [[]]
    for number, part in enumerate(parts, 1):
        fields = Fields().add(66, asked.list_id).add(429, kind).add(82, len(parts))
        fields.add(431, status or _status(asked)).add(83, number).add(444, asked.text)
        fields.add(60, utc_text(at_ns, seat.terms.time_digits)).add(68, len(names))
        fields.add(893, number == len(parts)).add(73, len(part) or None)
        for name in part:
            fields.pairs += waiting.get(name) or _order(seat, state, name, after)
        body = kept(seat.version, "N", fields)
        yield Outgoing(seat.session_id, "N", body, asked.list_id)


def rejected_list(seat: Seat, asked: OrderList, error: FixValueError, at_ns: int) -> Outgoing:
    """Return that nothing of the list could be taken."""
    fields = Fields().add(66, asked.list_id).add(429, ACKNOWLEDGED).add(82, 1)
    text = text_of(error.reason, error.bound, error.value, error.field)
    fields.add(431, REFUSED).add(83, 1).add(444, text)
    fields.add(60, utc_text(at_ns, seat.terms.time_digits)).add(68, len(asked.names))
    fields.add(893, True).add(73, len(asked.names))
    for name in asked.names:
        fields.add(11, name or NO_ORDER).add(14, 0).add(39, REJECTED).add(151, 0).add(84, 0).add(
            6, 0
        )
    return Outgoing(seat.session_id, "N", kept(seat.version, "N", fields), asked.list_id)


def basket_answered(
    seat: Seat, state: ClientsState, envelope: Envelope, event: BasketAnswered
) -> Iterator[Outgoing]:
    """Yield N when the last shard has answered for its part of the list."""
    asked = state.lists.get(name_key(event.source, event.basket_id))
    if asked is None or asked.answers != 1:
        return
    accepted = asked.accepted + event.accepted_count
    kind = STARTED if asked.execution == "2" else ACKNOWLEDGED
    status = EXECUTING if accepted else REFUSED
    yield from list_status(seat, state, asked, kind, envelope.at_ns, status=status)


def is_over(state: ClientsState, asked: OrderList, after: Order) -> bool:
    """Return whether no order of a list works any more once this one is as it says."""
    if asked.answers or asked.is_done or after.is_open:
        return False
    others: Sequence[Order] = [
        state.orders[each] for each in asked.order_ids if each != after.order_id
    ]
    return not any(order.is_open for order in others)


def _status(asked: OrderList) -> str:
    if not asked.is_started:
        return RECEIVED
    if asked.is_done:
        return DONE
    if asked.is_canceling:
        return CANCELING
    return EXECUTING if asked.accepted or asked.answers else REFUSED


def _order(
    seat: Seat, state: ClientsState, name: str, after: Order | None
) -> list[tuple[int, str]]:
    order = state.order_named(seat.terms.source, name)
    if order is None:
        return _no_order(seat, state, name)
    if after is not None and after.order_id == order.order_id:
        order = after
    scale = state.reference.scale(order.instrument_id)
    is_canceled = order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
    canceled = order.quantity - order.cumulative_quantity if is_canceled else 0
    return [
        (11, name or NO_ORDER),
        (14, quantity_text(order.cumulative_quantity, scale)),
        (39, status_text(order)),
        (151, quantity_text(order.leaves_quantity, scale)),
        (84, quantity_text(canceled, scale)),
        (6, price_text(order.average_price_e9)),
    ]


def _waiting(asked: OrderList, status: str) -> dict[str, list[tuple[int, str]]]:
    """Return the orders of a list that never went out."""
    told: dict[str, list[tuple[int, str]]] = {}
    for fragment in asked.fragments:
        for fields in Fields.parse(fragment).groups(73):
            name, quantity = fields.get(11), fields.get(38, "0")
            is_over = status == CANCELED
            leaves, canceled = ("0", quantity) if is_over else (quantity, "0")
            told[name] = [
                *((11, name or NO_ORDER), (14, "0"), (39, status)),
                *((151, leaves), (84, canceled), (6, "0")),
            ]
    return told


def _no_order(seat: Seat, state: ClientsState, name: str) -> list[tuple[int, str]]:
    """Return an order that was refused, or is on its way."""
    request = state.requests.get(name_key(seat.terms.source, name))
    refused = {} if request is None else dict(request.refused)
    if refused or request is None:
        told = [(11, name or NO_ORDER), (14, "0"), (39, REJECTED), (151, "0"), (84, "0"), (6, "0")]
        return [*told, *((tag, refused[tag]) for tag in (103, 58) if tag in refused)]
    leaves = dict(request.echo).get(38, "0")
    return [
        (11, name or NO_ORDER),
        (14, "0"),
        (39, PENDING_NEW),
        (151, leaves),
        (84, "0"),
        (6, "0"),
    ]
