"""q and CA (mass cancel): many orders let go with one word; answered by r and BZ."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.messages.core import Envelope, MassCancelScope, RejectReason, StrategyKind
from schemas.messages.intake import CommandRepeated, MassCancelAnswered, MassCancelOrder
from services.fix.clients.algorithms import STRATEGIES
from services.fix.clients.asked import MissingTagError
from services.fix.clients.commands import check_new, day_of
from services.fix.clients.layouts import kept
from services.fix.clients.refusals import Desk, business_reject
from services.fix.clients.state import ClientsState, MassRequest, name_key
from services.fix.clients.terms import Seat
from services.fix.codes import reason_codes, text_of
from services.fix.fields import Fields
from services.fix.gateway.application import Outgoing, Published, Refusal
from services.fix.values import FixValueError, side, utc_text
from streams.core.topics import ORDERS_COMMANDS

__all__ = ["ACTION", "affected", "mass_answered", "mass_cancel", "refusal_text", "scope_tag"]

CANCEL, ACTION = "q", "CA"
SECURITY, ALL = "1", "7"  # FIX 530 and 1374
CANCEL_ORDERS: Final = "3"  # FIX 1373
REJECTED, ACCEPTED = "0", "1"  # FIX 1375: each order's own 8 follows
# Session, market and target party: who names one means less than all, and we would cancel more.
UNREAD: Final = (336, 625, 1300, 1301, 1461)


def mass_cancel(desk: Desk) -> Iterator[Any]:
    """Decide a q or CA: one command for each shard; what they answer is told together."""
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
            yield from _rejected(desk, error)
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
    """Yield r or BZ when the last shard has answered; all of them accept or none does."""
    request = state.masses.get(name_key(event.source, event.client_order_id))
    if request is None or envelope.shard in request.shards:
        return
    if len(request.shards) + 1 < partitions:
        return
    if event.is_accepted:
        count = request.orders + affected(event)
        yield _answer(seat, request, envelope.at_ns, count=count)
        return
    code = reason_codes(event.reason, seat.version).mass_cancel
    text = refusal_text(event) or request.text
    yield _answer(seat, request, envelope.at_ns, code=code, text=text)


def affected(event: MassCancelAnswered | CommandRepeated) -> int:
    """Return how many orders an answer let go; a repeated command lets none go."""
    if isinstance(event, CommandRepeated):
        return 0
    return event.canceled_count + event.pending_count


def refusal_text(event: MassCancelAnswered | CommandRepeated) -> str:
    """Return FIX 58 of a refusal; "" of none, and of a repetition, which does not say why."""
    if event.is_accepted or isinstance(event, CommandRepeated):
        return ""
    return text_of(event.reason, event.bound, event.value, event.field)


def scope_tag(message_type: str) -> int:
    """Return the tag that says which orders are meant."""
    return 1374 if message_type == ACTION else 530


def _rejected(desk: Desk, error: FixValueError) -> Iterator[Any]:
    """Yield the refusal: r with 531=0 and 532, BZ with 1375=0 and 1376; and for the log."""
    heard, fields = desk.heard, desk.heard.fields
    text = text_of(error.reason, error.bound, error.value, error.field)
    kind = heard.message.message_type
    scope = fields.get(scope_tag(kind))
    request = MassRequest(desk.seat.session_id, fields.get(11), scope, 0, message_type=kind)
    request.action = fields.get(1373) or CANCEL_ORDERS
    code = reason_codes(error.reason, desk.seat.version).mass_cancel
    answer = _answer(desk.seat, request, heard.at_ns, code=code, text=text)
    reason, field = error.reason, error.field
    yield Refusal(heard, answer.message_type, reason, field, error.value, error.bound, text)
    yield answer


def _answer(
    seat: Seat,
    request: MassRequest,
    at_ns: int,
    *,
    count: int | None = None,
    code: int | None = None,
    text: str = "",
) -> Outgoing:
    """Return r or BZ. `count`: of the orders let go; `code`: FIX 532 or 1376 of a refusal."""
    name, scope, is_action = request.client_order_id, request.request_type, _is_action(request)
    fields = Fields().add(37, name).add(11, name).add(1369, name)
    if is_action:
        fields.add(1373, request.action).add(1374, scope or ALL)
        fields.add(1375, ACCEPTED if code is None else REJECTED).add(1376, code)
    else:
        fields.add(530, scope).add(531, scope if code is None else REJECTED).add(532, code)
    fields.add(533, count).add(60, utc_text(at_ns, seat.terms.time_digits)).add(58, text)
    kind = "BZ" if is_action else "r"
    return Outgoing(seat.session_id, kind, kept(seat.version, kind, fields), name)


def _is_action(request: MassRequest) -> bool:
    return request.message_type == ACTION


def _scope(desk: Desk) -> tuple[MassCancelScope, str]:
    """Return which orders are meant; narrower than all by side, account or strategy, one only."""
    asked, fields = desk.asked, desk.heard.fields
    is_action = desk.heard.message.message_type == ACTION
    action = fields.get(1373)
    if is_action and action != CANCEL_ORDERS:
        bound = f"{CANCEL_ORDERS}: orders are canceled, not held"
        raise FixValueError(RejectReason.UNKNOWN_SCOPE, "MassActionType", action, bound)
    kind = fields.get(scope_tag(desk.heard.message.message_type))
    narrowed = [tag for tag in (54, 1, 847) if fields.get(tag)]
    unread = [tag for tag in UNREAD if fields.get(tag)]
    if kind == SECURITY and not narrowed and not unread:
        return MassCancelScope.INSTRUMENT, asked.instrument()[0]
    if kind != ALL or len(narrowed) > 1 or unread:
        value = "+".join([kind, *map(str, (*narrowed, *unread))])
        bound = f"{SECURITY} with a symbol, {ALL}, {ALL} with one of the tags 54, 1, 847"
        name = "MassActionScope" if is_action else "MassCancelRequestType"
        raise FixValueError(RejectReason.UNKNOWN_SCOPE, name, value, bound)
    if not narrowed:
        return MassCancelScope.ALL, ""
    match narrowed[0]:
        case 54:
            return MassCancelScope.SIDE, side(fields.get(54))[0].value
        case 1:
            return MassCancelScope.ACCOUNT, asked.account_id()
        case _:
            return MassCancelScope.STRATEGY, _strategy(fields.get(847)).value


def _strategy(text: str) -> StrategyKind:
    found = STRATEGIES.get(text)
    if found is None:
        bound = f"one of {', '.join(STRATEGIES)}"
        raise FixValueError(RejectReason.UNSUPPORTED_STRATEGY, "TargetStrategy", text, bound)
    return found
