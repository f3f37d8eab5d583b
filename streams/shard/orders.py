"""From client messages and timers about orders to the commands that intake is asked."""

from collections.abc import Callable
from typing import Any, Final

from schemas.messages.intake import (
    BasketAnswered,
    CancelOrder,
    MassCancelAnswered,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    OrderCancelRejected,
    OrderRejected,
    ReplaceOrder,
)
from streams import intake
from streams.intake.commands import ExpireOrder, ResumeOrder
from streams.shard.baskets import submit_basket
from streams.shard.knowledge import Knowledge
from streams.shard.submission import submission, submit_mass_cancel

__all__ = ["ORDER_MESSAGES", "is_refused", "order_command", "timer_command", "waking_commands"]

ORDER_MESSAGES: Final = (NewOrder, CancelOrder, ReplaceOrder, MassCancelOrder, NewBasket)


def order_command(
    knows: Knowledge, message: Any, is_here: Callable[[str], bool]
) -> tuple[Any, str]:
    """Return what intake is asked and the key of its answers; `is_here` tells of an instrument."""
    match message:
        case MassCancelOrder():
            return submit_mass_cancel(knows, message), message.source
        case NewBasket():
            return submit_basket(knows, message, is_here), message.basket_id
        case _:
            is_own = is_here(message.instrument_id)
            return submission(knows, message, is_own=is_own), message.instrument_id


def is_refused(event: Any) -> bool:
    """Return whether the event is a refusal, of which a dead letter keeps the command."""
    match event:
        case OrderRejected() | OrderCancelRejected():
            return True
        case BasketAnswered() | MassCancelAnswered():
            return not event.is_accepted
        case _:
            return False


def timer_command(knows: Knowledge, timer_id: str) -> tuple[Any, str]:
    """Return what a due timer asks of intake, and the instrument."""
    order_id = timer_id.rpartition(":")[2]
    if timer_id.startswith(intake.EXPIRE):
        instrument_id = knows.state.intake.orders[order_id].terms.instrument_id
        return ExpireOrder(order_id=order_id, at_ns=knows.at_ns), instrument_id
    return _resume(knows, order_id)


def waking_commands(knows: Knowledge) -> list[tuple[Any, str]]:
    """Return the question to every order that is done for the day: has a session come?"""
    return [_resume(knows, order_id) for order_id in knows.state.intake.dormant]


def _resume(knows: Knowledge, order_id: str) -> tuple[Any, str]:
    instrument_id = knows.state.intake.orders[order_id].terms.instrument_id
    instrument = knows.instrument(instrument_id)
    command = ResumeOrder(order_id=order_id, instrument=instrument, at_ns=knows.at_ns)
    return command, instrument_id
