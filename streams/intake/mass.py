"""Cancel every open order of a scope."""

from collections.abc import Callable
from typing import Final

from schemas.messages.core import Cause, MassCancelScope, RejectReason, Side
from schemas.messages.core import StrategyKind as Kind
from schemas.messages.intake import MassCancelAnswered, MassCancelOrder, OrderAccepted
from streams.intake.answers import IntakeEvent
from streams.intake.change import cancel_unasked
from streams.intake.commands import SubmitMassCancel
from streams.intake.ladder import check_duplicate, check_printable, check_strings
from streams.intake.refusal import NOT_REFUSED, Refusal, refuse
from streams.intake.state import IntakeState, Order

__all__ = ["mass_cancel"]

_SCOPES: Final[dict[MassCancelScope, Callable[[OrderAccepted], str]]] = {
    MassCancelScope.ALL: lambda terms: "",
    MassCancelScope.INSTRUMENT: lambda terms: terms.instrument_id,
    MassCancelScope.SIDE: lambda terms: terms.side,
    MassCancelScope.ACCOUNT: lambda terms: terms.account_id,
    MassCancelScope.CLIENT: lambda terms: terms.client_id,
    MassCancelScope.DESK: lambda terms: terms.desk_id,
    MassCancelScope.SOURCE: lambda terms: terms.source,
    MassCancelScope.STRATEGY: lambda terms: terms.strategy,
    MassCancelScope.ORDER: lambda terms: terms.order_id,
}
# Scopes whose ids are among a few words.
_WORDS: Final = {
    MassCancelScope.SIDE: tuple(side.value for side in Side if side is not Side.UNKNOWN),
    MassCancelScope.STRATEGY: tuple(kind.value for kind in Kind if kind is not Kind.UNKNOWN),
}


def mass_cancel(
    state: IntakeState, command: SubmitMassCancel, *, is_duplicate: bool
) -> tuple[IntakeEvent, ...]:
    """Return each order's cancel, done or pending, and then what came of them all.

    An order whose cancel is pending already counts as pending and gets no second one.
    """
    message = command.message
    refusal = (
        check_duplicate(message.client_order_id, is_duplicate=is_duplicate)
        or check_strings(message)
        or _check_scope(message)
        or check_printable(message)
    )
    if refusal is not None:
        return (_answer(command, refusal),)
    cause = Cause.DESK if message.is_every_source else Cause.CLIENT
    events: list[IntakeEvent] = []
    canceled = pending = too_late = 0
    for order in state.orders.values():
        if not _is_meant(order, message):
            continue
        if not order.is_open:
            too_late += order.trade_date == message.trade_date
            continue
        if order.parent_id:
            pending += 1
        else:
            canceled += 1
        events += cancel_unasked(order, cause, command.at_ns)
    return (*events, _answer(command, None, canceled, pending, too_late))


def _is_meant(order: Order, message: MassCancelOrder) -> bool:
    terms = order.terms
    return (
        terms.tenant == message.tenant
        and (message.is_every_source or terms.source == message.source)
        and _SCOPES[message.scope](terms) == message.scope_id
    )


def _check_scope(message: MassCancelOrder) -> Refusal | None:
    scope, scope_id = message.scope, message.scope_id
    if scope not in _SCOPES:
        bound = ", ".join(_SCOPES)
        return refuse(RejectReason.UNKNOWN_SCOPE, "scope", scope, bound)
    if scope is MassCancelScope.ALL and scope_id:
        return refuse(RejectReason.UNKNOWN_SCOPE, "scope_id", scope_id, "empty for ALL")
    if scope is not MassCancelScope.ALL and not scope_id:
        bound = f"a {scope} has one"
        return refuse(RejectReason.FIELD_EMPTY, "scope_id", scope_id, bound)
    words = _WORDS.get(scope)
    if words is not None and scope_id not in words:
        return refuse(RejectReason.UNKNOWN_SCOPE, "scope_id", scope_id, ", ".join(words))
    if (
        scope is MassCancelScope.SOURCE
        and not message.is_every_source
        and scope_id != message.source
    ):
        bound = f"{message.source}: a source cancels its own orders"
        return refuse(RejectReason.NOT_ENTITLED, "scope_id", scope_id, bound)
    return None


def _answer(
    command: SubmitMassCancel,
    refusal: Refusal | None,
    canceled: int = 0,
    pending: int = 0,
    too_late: int = 0,
) -> MassCancelAnswered:
    message, why = command.message, NOT_REFUSED if refusal is None else refusal
    return MassCancelAnswered(
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        trade_date=message.trade_date,
        scope=message.scope,
        scope_id=message.scope_id,
        is_accepted=refusal is None,
        canceled_count=canceled,
        pending_count=pending,
        too_late_count=too_late,
        reason=why.reason,
        field=why.field,
        value=why.value,
        bound=why.bound,
        text=why.text,
        command_digest=command.digest,
        received_ns=command.at_ns,
    )
