"""Execution reports (8): an order as it stands, and what has just happened to it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.messages.core import OrderStatus
from services.fix.clients.layouts import kept
from services.fix.clients.reference import Reference
from services.fix.clients.state import Order
from services.fix.clients.terms import Seat
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.gateway.application import Outgoing
from services.fix.values import (
    ORDER_STATUS_TEXTS,
    order_type_text,
    price_text,
    quantity_text,
    side_text,
    time_in_force_text,
    utc_text,
)

__all__ = [
    "BUST",
    "CALCULATED",
    "CORRECT",
    "NEW",
    "NO_ORDER",
    "REJECTED",
    "RESTATED",
    "STATUS",
    "TRADE",
    "Last",
    "Report",
    "exec_id",
    "report",
    "status_text",
    "unordered_report",
]

# FIX 150.
NEW, PENDING_NEW, TRADE, BUST, CORRECT = "0", "A", "F", "H", "G"
DONE_FOR_DAY, CANCELED, REPLACED, EXPIRED, REJECTED = "3", "4", "5", "C", "8"
PENDING_CANCEL, PENDING_REPLACE, RESTATED, CALCULATED, STATUS = "6", "E", "D", "B", "I"
# In 4.2 the transaction (20) says what later versions say in 150, which then repeats 39.
TRANSACTIONS: Final = {BUST: "1", CORRECT: "2", STATUS: "3"}
PARTIAL_FILL, FILL = "1", "2"
NO_ORDER: Final = "NONE"  # FIX 37 of what never became an order
# Every version wants a side and 4.2 a symbol, also of an order that nobody has heard of.
UNDISCLOSED: Final = "7"
NO_SYMBOL: Final = "[N/A]"


class Last(NamedTuple):
    """The execution that a report tells of. Units: smallest units, 1e-9 currency units."""

    quantity: int
    price_e9: int
    market: str = ""  # FIX 30
    capacity: str = ""  # FIX 29
    liquidity: str = ""  # FIX 851


class Report(NamedTuple):
    """What has happened to an order."""

    exec_type: str  # FIX 150 as 4.4 has it
    exec_id: str
    at_ns: int
    client_order_id: str = ""  # of a request; empty for the order's own
    original: str = ""  # FIX 41
    last: Last | None = None
    reference_id: str = ""  # FIX 19
    restatement: str = ""  # FIX 378
    text: str = ""
    average_price_e9: int | None = None  # FIX 6 where it is not that of the trades
    more: Sequence[tuple[int, str]] = ()  # echoed parameters, numbers of a status answer


def exec_id(event_id: bytes, entry: int = 0, part: int = 0) -> str:
    """Return FIX 17: the event that it tells of, with its place where one event tells many."""
    suffix = f".{entry}" if entry or part else ""
    return f"{event_id.hex()}{suffix}" + (f".{part}" if part else "")


def status_text(order: Order) -> str:
    """Return FIX 39."""
    return ORDER_STATUS_TEXTS[order.order_status]


def report(seat: Seat, reference: Reference, order: Order, said: Report) -> Outgoing:
    """Return an execution report of the order as it stands."""
    scale = reference.scale(order.instrument_id)
    fields = (
        Fields()
        .add(37, order.order_id)
        .add(11, said.client_order_id or order.client_order_id)
        .add(41, said.original)
        .add(66, order.list_id)
        .add(17, said.exec_id)
        .add(19, said.reference_id)
    )
    _add_kind(fields, seat.version, order, said)
    fields.add(378, said.restatement).add(1, order.account_id)
    _add_instrument(fields, seat, order.instrument_id)
    fields.add(54, side_text(order.side, order.is_short_sale))
    fields.add(38, quantity_text(order.quantity, scale))
    fields.add(40, order_type_text(order.order_type))
    if order.limit_price_e9 is not None:
        fields.add(44, price_text(order.limit_price_e9))
    fields.add(15, reference.currency(order.instrument_id))
    fields.add(59, time_in_force_text(order.time_in_force))
    _add_last(fields, said.last, scale)
    fields.add(151, quantity_text(order.leaves_quantity, scale))
    fields.add(14, quantity_text(order.cumulative_quantity, scale))
    average_e9 = said.average_price_e9
    fields.add(6, price_text(order.average_price_e9 if average_e9 is None else average_e9))
    fields.add(75, order.trade_date).add(60, utc_text(said.at_ns, seat.terms.time_digits))
    fields.add(58, said.text)
    fields.pairs += said.more
    body = kept(seat.version, "8", fields, is_plain=seat.terms.is_plain)
    return Outgoing(seat.session_id, "8", body, said.client_order_id or order.client_order_id)


def unordered_report(
    seat: Seat,
    client_order_id: str,
    said: Report,
    echo: Sequence[tuple[int, str]],
    *,
    status: str = REJECTED,
    code: int | None = None,
    leaves: str = "0",
) -> Outgoing:
    """Return an execution report of what is no order, or not yet. `code`: FIX 103."""
    version, kind = seat.version, said.exec_type
    fields = Fields().add(37, NO_ORDER).add(11, client_order_id).add(17, said.exec_id)
    fields.add(20, TRANSACTIONS.get(kind, "0"))
    is_kept = version.has_trade_exec_type or kind not in TRANSACTIONS
    fields.add(150, kind if is_kept else status).add(39, status).add(103, code)
    fields.pairs += echo
    if not any(tag == 54 for tag, _ in echo):
        fields.add(54, UNDISCLOSED)
    if not any(tag == 55 for tag, _ in echo):
        fields.add(55, NO_SYMBOL)
    fields.add(151, leaves).add(14, "0").add(6, "0")
    fields.add(60, utc_text(said.at_ns, seat.terms.time_digits)).add(58, said.text)
    fields.pairs += said.more
    body = kept(version, "8", fields, is_plain=seat.terms.is_plain)
    return Outgoing(seat.session_id, "8", body, client_order_id)


def _add_kind(fields: Fields, version: Version, order: Order, said: Report) -> None:
    """Add 20, 150 and 39."""
    status, kind = status_text(order), said.exec_type
    if not version.has_trade_exec_type:
        fields.add(20, TRANSACTIONS.get(kind, "0"))
        if kind == TRADE:
            kind = FILL if order.cumulative_quantity >= order.quantity else PARTIAL_FILL
        elif kind in TRANSACTIONS:
            kind = status
    fields.add(150, kind).add(39, status)


def _add_instrument(fields: Fields, seat: Seat, instrument_id: str) -> None:
    symbol = seat.terms.symbol(instrument_id)
    fields.add(55, symbol)
    if seat.terms.symbol_tag == 48:
        fields.add(48, symbol).add(22, seat.terms.symbol_source)


def _add_last(fields: Fields, last: Last | None, scale: int) -> None:
    if last is None:
        return
    fields.add(32, quantity_text(last.quantity, scale)).add(31, price_text(last.price_e9))
    fields.add(30, last.market).add(29, last.capacity).add(851, last.liquidity)


ENDS: Final = {
    OrderStatus.CANCELED: CANCELED,
    OrderStatus.EXPIRED: EXPIRED,
    OrderStatus.DONE_FOR_DAY: DONE_FOR_DAY,
}
