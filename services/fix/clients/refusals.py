"""What the gateway itself refuses: a decision for the log, and the answer that FIX has for it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from services.fix.clients.asked import Asked, MissingTagError
from services.fix.clients.layouts import kept
from services.fix.clients.orders import ECHOED
from services.fix.clients.reports import NO_ORDER, REJECTED, STATUS, Report, unordered_report
from services.fix.clients.state import ClientsState, Order
from services.fix.clients.terms import Seat
from services.fix.codes import Version, is_known, reason_codes, text_of
from services.fix.fields import Fields
from services.fix.gateway.application import Heard, Outgoing, Refusal
from services.fix.refusals import REJECTS
from services.fix.values import ORDER_STATUS_TEXTS, FixValueError, price_e9, utc_text

__all__ = [
    "Desk",
    "business_reject",
    "cancel_reject",
    "echo_of",
    "message_id",
    "refuse_cancel",
    "refuse_order",
    "refuse_status",
    "refused_fields",
]


class Desk(NamedTuple):
    """What a decision on a message looks at, and never changes."""

    state: ClientsState
    seat: Seat
    partitions: int
    heard: Heard
    number: int = 0  # of the gateway: partition of the fix.* topics

    @property
    def asked(self) -> Asked:
        heard = self.heard
        return Asked(self.seat, self.state.reference, heard.message.received_ns, heard.fields)

    @property
    def source(self) -> str:
        return self.seat.terms.source


def message_id(heard: Heard, mark: str, number: int = 0) -> str:
    """Return FIX 17 of a report that no event led to: the message that it answers."""
    message = heard.message
    day, epoch, sequence = message.session_day, message.session_epoch, message.sequence
    return f"{mark}{day}.{epoch}.{sequence}" + (f".{number}" if number else "")


def refuse_order(
    desk: Desk, error: FixValueError, fields: Fields, number: int = 0, list_id: str = ""
) -> Iterator[Any]:
    """Yield the refusal of a new order: 8 with 103, or j where a tag is missing."""
    if isinstance(error, MissingTagError):
        yield from business_reject(desk, error, fields.get(11), error.tag)
        return
    seat, text = desk.seat, _text(error)
    yield _decision(desk.heard, error, "8", text)
    said = Report(
        REJECTED,
        message_id(desk.heard, "R", number),
        desk.heard.at_ns,
        text=text,
        more=((66, list_id),),
    )
    code = reason_codes(error.reason, seat.version).order
    yield unordered_report(seat, fields.get(11), said, echo_of(seat.version, fields), code=code)


def refuse_cancel(
    desk: Desk, error: FixValueError, original: str, order: Order | None, status: str = REJECTED
) -> Iterator[Any]:
    """Yield the refusal of a cancel or replace: 9 with 102, or j where a tag is missing.

    `status`: FIX 39 of what is no order.
    """
    fields = desk.heard.fields
    if isinstance(error, MissingTagError):
        yield from business_reject(desk, error, fields.get(11), error.tag)
        return
    text = _text(error)
    yield _decision(desk.heard, error, "9", text)
    code = reason_codes(error.reason, desk.seat.version).cancel
    response = "1" if desk.heard.message.message_type == "F" else "2"
    at_ns = desk.heard.at_ns
    names = (fields.get(11), original)
    yield cancel_reject(
        desk.seat,
        order,
        names,
        code=code,
        response=response,
        text=text,
        at_ns=at_ns,
        status=status,
    )


def cancel_reject(
    seat: Seat,
    order: Order | None,
    names: tuple[str, str],
    *,
    code: int,
    response: str,
    text: str,
    at_ns: int,
    status: str = REJECTED,
) -> Outgoing:
    """Return an OrderCancelReject. `names`: FIX 11 and 41; `status`: 39 of what is no order."""
    if order is not None:
        status = ORDER_STATUS_TEXTS[order.order_status]
    fields = Fields().add(37, NO_ORDER if order is None else order.order_id)
    fields.add(11, names[0]).add(41, names[1] or "NONE").add(39, status)
    if order is not None:
        fields.add(66, order.list_id).add(1, order.account_id)
    fields.add(60, utc_text(at_ns, seat.terms.time_digits))
    fields.add(434, response).add(102, code).add(58, text)
    return Outgoing(seat.session_id, "9", kept(seat.version, "9", fields), names[0])


def refuse_status(desk: Desk, error: FixValueError, more: list[tuple[int, str]]) -> Iterator[Any]:
    """Yield the answer to who asks for an order that is not there: 150=I with 39=8."""
    text = _text(error)
    yield _decision(desk.heard, error, "8", text)
    code = reason_codes(error.reason, desk.seat.version).order
    said = Report(STATUS, message_id(desk.heard, "S"), desk.heard.at_ns, text=text, more=more)
    fields = desk.heard.fields
    echo = echo_of(desk.seat.version, fields)
    yield unordered_report(desk.seat, fields.get(11), said, echo, code=code)


def business_reject(
    desk: Desk, error: FixValueError, reference: str, tag: int = 0, *, code: int | None = None
) -> Iterator[Any]:
    """Yield a BusinessMessageReject (j). `reference`: the id that the message had.

    `code`: FIX 380 where the reason does not say it.
    """
    heard, seat = desk.heard, desk.seat
    text = _text(error)
    if heard.message.message_type in REJECTS:
        yield _decision(heard, error, "", text)
        return
    yield _decision(heard, error, "j", text)
    fields = Fields().add(45, heard.message.sequence).add(371, tag or None)
    fields.add(372, heard.message.message_type).add(379, reference)
    fields.add(380, reason_codes(error.reason, seat.version).business if code is None else code)
    fields.add(58, text)
    yield Outgoing(seat.session_id, "j", kept(seat.version, "j", fields), reference)


def refused_fields(seat: Seat, error: FixValueError) -> list[tuple[int, str]]:
    """Return what a list's status tells of an order that the gateway refused."""
    code = reason_codes(error.reason, seat.version).order
    return [(103, str(code)), (58, _text(error))]


def _decision(heard: Heard, error: FixValueError, answer_type: str, text: str) -> Refusal:
    return Refusal(heard, answer_type, error.reason, error.field, error.value, error.bound, text)


def _text(error: FixValueError) -> str:
    return text_of(error.reason, error.bound, error.value, error.field)


def echo_of(version: Version, fields: Fields) -> list[tuple[int, str]]:
    """Return what an answer repeats of an order: what can be no value of its tag is left out."""
    told = ((tag, fields.get(tag)) for tag in ECHOED)
    return [(tag, text) for tag, text in told if text and _is_value(version, tag, text)]


def _is_value(version: Version, tag: int, text: str) -> bool:
    if tag not in (38, 44):
        return is_known(version, tag, text)
    try:
        price_e9(text)
    except FixValueError:
        return False
    return True
