"""intake: source orders accepted, refused, changed, carried over sessions and closed.

In:  orders.commands.v1 (key instrument_id). Out: orders.events.v1 (key instrument_id).
"""

from typing import Any

from schemas.messages.intake import OrderAccepted, OrderDoneForDay
from streams.core.decider import Decider
from streams.intake.answers import IntakeEvent
from streams.intake.change import order_named
from streams.intake.commands import IntakeCommand
from streams.intake.decider import decide
from streams.intake.evolve import evolve
from streams.intake.lifecycle import LIFECYCLE
from streams.intake.state import IntakeState, open_orders

__all__ = [
    "EXPIRE",
    "INTAKE",
    "LIFECYCLE",
    "IntakeEvent",
    "IntakeState",
    "open_orders",
    "order_named",
    "timers_of",
]

INTAKE: Decider[IntakeState, IntakeCommand, Any] = Decider(IntakeState, decide, evolve)

EXPIRE = "intake:expire:"
RESUME = "intake:resume:"


def timers_of(event: Any, state: IntakeState) -> tuple[tuple[str, int | None], ...]:
    """Return the timers that `event` sets or cancels; other ends are those of the parents.

    A timer of an order that has ended since fires in vain.
    """
    match event:
        case OrderAccepted():
            if not event.expire_ns:
                return ()
            return ((f"{EXPIRE}{event.order_id}", event.expire_ns),)
        case OrderDoneForDay():
            return ((f"{RESUME}{event.order_id}", event.resume_ns or None),)
        case _:
            return ()
