"""D, F and G to commands of the engine, or to their refusal."""

from collections.abc import Iterator
from typing import Any

from schemas.messages.core import Constraints, RejectReason, StrategyParameters
from schemas.messages.intake import CancelOrder, NewOrder, ReplaceOrder
from services.fix.clients.algorithms import algorithm_of
from services.fix.clients.asked import Asked, MissingTagError, content_digest
from services.fix.clients.fixed import check_fixed, check_same
from services.fix.clients.orders import (
    check_conditional,
    check_present,
    constraints_of,
    order_of,
    trade_date_of,
)
from services.fix.clients.refusals import Desk, echo_of, message_id, refuse_cancel, refuse_order
from services.fix.clients.reports import (
    CANCELED,
    PENDING_NEW,
    REJECTED,
    Report,
    unordered_report,
)
from services.fix.clients.state import ClientsState, Order, OrderList, Request, name_key
from services.fix.clients.unworkable import check_workable
from services.fix.gateway.application import Published
from services.fix.values import FixValueError, date, price_e9, quantity
from streams.core.murmur import partition_of
from streams.core.topics import ORDERS_COMMANDS

__all__ = ["check_new", "day_of", "new_order", "published", "read_order", "request_of", "working"]


def new_order(desk: Desk, command: NewOrder | FixValueError) -> Iterator[Any]:
    """Decide a D, which was read as `command`."""
    asked = desk.asked
    if isinstance(command, FixValueError):
        yield from refuse_order(desk, command, asked.fields)
        return
    if desk.seat.terms.has_pending_new and not _is_known(desk.state, asked):
        said = Report(PENDING_NEW, message_id(desk.heard, "P"), desk.heard.at_ns)
        yield unordered_report(
            desk.seat,
            command.client_order_id,
            said,
            echo_of(desk.seat.version, asked.fields),
            status=PENDING_NEW,
            leaves=asked.fields.get(38),
        )
    yield published(desk, command, command.instrument_id)


def read_order(state: ClientsState, asked: Asked) -> NewOrder | FixValueError:
    """Return the command of a D, or why it is refused."""
    try:
        check_present(asked)
        trade_date = trade_date_of(asked)
        asked.account_id()
        check_new(state, asked, trade_date)
        return order_of(asked, trade_date)
    except FixValueError as error:
        return error


def check_new(state: ClientsState, asked: Asked, trade_date: int) -> None:
    """Refuse a ClOrdID that the source used that day for something else. Raises: FixValueError."""
    name = asked.fields.get(11)
    known = state.requests.get(name_key(asked.seat.terms.source, name))
    if known is None or known.trade_date != trade_date:
        return
    if known.digest != content_digest(asked.fields):
        bound = "one content per session, id and trade date"
        raise FixValueError(RejectReason.DUPLICATE_ORDER, "ClOrdID", name, bound)


def request_of(state: ClientsState, asked: Asked) -> Request:
    """Return what is remembered of a message with a ClOrdID."""
    try:
        trade_date = _trade_date(state, asked)
    except FixValueError:
        trade_date = 0  # it is refused, whenever it comes
    tags = asked.fields
    is_order = tags.get(35, "D") == "D"  # an order of a list has no header of its own
    is_group = 957 in tags
    is_tagged = any(tag in tags for tag in (847, 848, 849))
    return Request(
        digest=content_digest(tags),
        trade_date=trade_date,
        kept_date=state.trade_date,
        echo=echo_of(asked.seat.version, tags) if is_order else [],
        is_order=is_order,
        style=("T" if is_tagged else "") + ("G" if is_group else ""),
        list_id=tags.get(66),
    )


def day_of(state: ClientsState, asked: Asked) -> int:
    """Return the trade date of a message that names no instrument: that of the newest order."""
    source = asked.seat.terms.source
    return state.days.get(source, 0) or state.trade_date or int(asked.day)


def working(desk: Desk) -> Iterator[Any]:
    """Decide a F or G."""
    asked, order, original, status = desk.asked, None, "", REJECTED
    try:
        original, order = _named(desk)
        asked.need(11, "ClOrdID")
        asked.need(54, "Side")
        if order is None and name_key(desk.source, original) not in desk.state.requests:
            listed = desk.state.waiting(desk.seat.session_id, original)
            if listed is not None:
                status = CANCELED if listed[0].is_canceling else PENDING_NEW
                raise _unstarted(listed[0], original)
        instrument_id = _instrument_id(asked, order)
        trade_date = _date_of(desk.state, asked, order, original, instrument_id)
        check_new(desk.state, asked, trade_date)
        check_same(asked, order)
        terms = desk.seat.terms
        named: dict[str, Any] = {
            "tenant": terms.tenant,
            "source": terms.source,
            "client_order_id": asked.fields.get(11),
            "original_client_order_id": original,
            "instrument_id": instrument_id,
            "trade_date": trade_date,
        }
        is_cancel = desk.heard.message.message_type == "F"
        command = CancelOrder(**named) if is_cancel else _replace(asked, order, named)
    except FixValueError as error:
        yield from refuse_cancel(desk, error, original, order, status)
        return
    yield published(desk, command, instrument_id)


def published(desk: Desk, command: Any, instrument_id: str) -> Published:
    """Return a command for the shard of its instrument."""
    name = getattr(command, "client_order_id", "") or command.basket_id
    partition = partition_of(instrument_id, desk.partitions)
    return Published(ORDERS_COMMANDS, command, instrument_id, partition, name, desk.seat.actor)


def _trade_date(state: ClientsState, asked: Asked) -> int:
    kind = asked.fields.get(35)
    if kind in ("q", "CA"):
        return day_of(state, asked)
    if kind not in ("F", "G"):
        return trade_date_of(asked)
    original = asked.fields.get(41)
    order = state.order_named(asked.seat.terms.source, original)
    instrument_id = _instrument_id(asked, order)
    return _date_of(state, asked, order, original, instrument_id)


def _named(desk: Desk) -> tuple[str, Order | None]:
    """Return FIX 41, and the order if it is known already: it may be on its way."""
    fields, state = desk.heard.fields, desk.state
    original = fields.get(41)
    if original:
        return original, state.order_named(desk.source, original)
    order = state.orders.get(fields.get(37))
    if order is None or order.source != desk.source:
        raise MissingTagError(RejectReason.FIELD_EMPTY, 41, "OrigClOrdID", "a value in tag 41")
    return order.client_order_id, order


def _unstarted(asked: OrderList, original: str) -> FixValueError:
    """Return why an order that never went out with its list is not changed by itself."""
    reason = RejectReason.ALREADY_PENDING
    bound = f"started: list {asked.list_id} waits for L, or K for all of it"
    if asked.is_canceling:
        reason, bound = RejectReason.TOO_LATE, f"withdrawn with list {asked.list_id}"
    return FixValueError(reason, "OrigClOrdID", original, bound)


def _instrument_id(asked: Asked, order: Order | None) -> str:
    symbol = asked.fields.get(asked.seat.terms.symbol_tag)
    if order is None:
        return asked.instrument()[0]
    if symbol and asked.seat.terms.instrument_id(symbol) != order.instrument_id:
        bound = asked.seat.terms.symbol(order.instrument_id)
        raise FixValueError(RejectReason.UNKNOWN_ORDER, "Symbol", symbol, bound)
    return order.instrument_id


def _date_of(
    state: ClientsState, asked: Asked, order: Order | None, original: str, instrument_id: str
) -> int:
    """Return the trade date under which the engine finds the order."""
    if order is not None:
        return order.trade_date
    request = state.requests.get(name_key(asked.seat.terms.source, original))
    if request is not None and request.trade_date:
        return request.trade_date
    if text := asked.fields.get(75):
        return date(text, "TradeDate")
    return asked.reference.session(instrument_id, asked.at_ns).trade_date


def _replace(asked: Asked, order: Order | None, named: dict[str, Any]) -> ReplaceOrder:
    """Return the replace: what it leaves out of parameters and mandate is given up."""
    fields, terms, instrument_id = asked.fields, asked.seat.terms, named["instrument_id"]
    asked.need(38, "OrderQty", "shares")
    check_conditional(asked)
    check_workable(asked, asked.reference.currency(instrument_id))
    scale = asked.reference.scale(instrument_id)
    strategy, urgency = terms.default_strategy, None
    if order is not None:
        strategy, urgency = order.strategy, order.urgency
    algorithm = algorithm_of(asked, scale, strategy, urgency)
    if order is not None:
        check_fixed(asked, order, algorithm)
    is_limit = fields.get(40) == "2"
    return ReplaceOrder(
        **named,
        quantity=quantity(fields.get(38), scale, "OrderQty"),
        limit_price_e9=price_e9(fields.get(44), "Price") if is_limit else None,
        constraints=constraints_of(fields, algorithm) or Constraints(),
        end_ns=algorithm.end_ns if not (order and algorithm.end_ns == order.expire_ns) else 0,
        parameters=algorithm.parameters or StrategyParameters(),
    )


def _is_known(state: ClientsState, asked: Asked) -> bool:
    return name_key(asked.seat.terms.source, asked.fields.get(11)) in state.requests
