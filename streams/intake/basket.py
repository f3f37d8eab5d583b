"""Many orders asked for at once: all or none of them, or those that are valid."""

from collections.abc import Sequence
from typing import Final

from schemas.messages.core import BasketMode, RejectReason
from schemas.messages.intake import BasketAnswered, NewBasket, NewOrder
from streams.intake.answers import IntakeEvent
from streams.intake.commands import SubmitBasket
from streams.intake.ladder import (
    PARTITION_RULE,
    check_duplicate,
    check_order,
    check_printable,
    check_strings,
)
from streams.intake.refusal import NOT_REFUSED, Refusal, refuse
from streams.intake.state import IntakeState, is_taken, key_of
from streams.intake.submit import accept, refused

__all__ = ["ENTRIES_MAX", "answer_basket", "orders_of", "screen"]

ENTRIES_MAX: Final = 500  # answered in one transaction
_SHARED: Final = ("tenant", "source", "trade_date", "basket_id")


def orders_of(message: NewBasket) -> tuple[NewOrder, ...]:
    """Return the basket's entries as orders."""
    shared = {name: getattr(message, name) for name in _SHARED}
    return tuple(
        NewOrder(**shared, **{name: getattr(entry, name) for name in entry.__struct_fields__})
        for entry in message.entries
    )


def screen(state: IntakeState, command: SubmitBasket) -> tuple[bool, ...]:
    """Return which entries keep every rule but the limits, which count one after another."""
    refusals = _refusals(state, command)
    return tuple(refusal is None for refusal in refusals)


def answer_basket(
    state: IntakeState, command: SubmitBasket, *, is_duplicate: bool
) -> tuple[IntakeEvent, ...]:
    """Return each entry's answer and then the basket's. Orders are numbered as they stand in it."""
    message = command.message
    refusal = (
        check_duplicate(message.basket_id, is_duplicate=is_duplicate, name="basket_id")
        or check_strings(message)
        or check_printable(message)
        or _check_size(message)
    )
    if refusal is not None:
        return (_answered(command, refusal, 0),)
    refusals = _refusals(state, command)
    first = next((r for r in refusals if r is not None), None)
    if message.mode is BasketMode.ALL_OR_NONE and first is not None:
        refusals = [_with_others(command, refusals, ordinal) for ordinal in range(len(refusals))]
    events: list[IntakeEvent] = []
    accepted = 0
    for order, broken in zip(command.orders, refusals, strict=True):
        if broken is None:
            accepted += 1
            events.append(accept(state.id_prefix, state.orders_count + accepted, order))
        else:
            events.append(refused(order, broken))
    return (*events, _answered(command, None if accepted else _of_all(message, first), accepted))


def _refusals(state: IntakeState, command: SubmitBasket) -> list[Refusal | None]:
    seen: dict[str, int] = {}
    refusals: list[Refusal | None] = []
    for order in command.orders:
        name = order.message.client_order_id
        is_taken_before = is_taken(state, order.message)
        if not order.is_own_partition:
            reason, bound = RejectReason.BASKET_SPANS_SHARDS, PARTITION_RULE
            refusal: Refusal | None = refuse(
                reason, "instrument_id", order.message.instrument_id, bound
            )
        elif key_of(order.message) in seen:
            reason, bound = RejectReason.DUPLICATE_IN_BASKET, "an id stands once"
            refusal = refuse(reason, "client_order_id", name, bound)
        else:
            refusal = check_order(order, is_duplicate=is_taken_before)
        seen[key_of(order.message)] = 1
        refusals.append(refusal)
    return refusals


def _with_others(
    command: SubmitBasket, refusals: Sequence[Refusal | None], ordinal: int
) -> Refusal | None:
    """Return the entry's own refusal, else that of the first one that is refused."""
    own = refusals[ordinal]
    if own is not None:
        return own
    position, first = next((i, r) for i, r in enumerate(refusals) if r is not None)
    name = command.orders[position].message.client_order_id
    value = command.orders[ordinal].message.client_order_id
    bound = f"{name} of the basket is refused, {first.reason}"
    return refuse(RejectReason.BASKET_MEMBER_REFUSED, "client_order_id", value, bound)


def _of_all(message: NewBasket, first: Refusal | None) -> Refusal:
    """Return the basket's own refusal when none of its orders is accepted."""
    assert first is not None  # an empty basket was refused before
    if first.reason is RejectReason.BASKET_SPANS_SHARDS:
        return first
    bound = f"an entry breaks {first.reason}: {first.text}"
    return refuse(RejectReason.BASKET_MEMBER_REFUSED, "basket_id", message.basket_id, bound)


def _check_size(message: NewBasket) -> Refusal | None:
    if message.mode is BasketMode.UNKNOWN:
        bound = "ALL_OR_NONE, VALID_ONES"
        return refuse(RejectReason.VALUE_OUT_OF_RANGE, "mode", message.mode, bound)
    count = len(message.entries)
    if not count:
        return refuse(RejectReason.BASKET_EMPTY, "entries", count, "at least 1")
    if count > ENTRIES_MAX:
        return refuse(RejectReason.BASKET_TOO_LARGE, "entries", count, f"at most {ENTRIES_MAX}")
    return None


def _answered(command: SubmitBasket, refusal: Refusal | None, accepted: int) -> BasketAnswered:
    message, why = command.message, NOT_REFUSED if refusal is None else refusal
    return BasketAnswered(
        tenant=message.tenant,
        source=message.source,
        basket_id=message.basket_id,
        trade_date=message.trade_date,
        mode=message.mode,
        is_accepted=refusal is None,
        accepted_count=accepted,
        rejected_count=len(message.entries) - accepted,
        reason=why.reason,
        field=why.field,
        value=why.value,
        bound=why.bound,
        text=why.text,
        command_digest=command.digest,
        received_ns=command.at_ns,
    )
