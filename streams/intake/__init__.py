"""intake: source orders accepted, refused, changed and closed.

In:  orders.commands.v1 (key instrument_id). Out: orders.events.v1 (key instrument_id).
"""

from typing import Any

from streams.core.decider import Decider
from streams.intake.change import IntakeEvent
from streams.intake.commands import IntakeCommand
from streams.intake.decider import decide
from streams.intake.evolve import evolve
from streams.intake.state import IntakeState

__all__ = ["INTAKE", "IntakeEvent", "IntakeState", "timers_of"]

INTAKE: Decider[IntakeState, IntakeCommand, Any] = Decider(IntakeState, decide, evolve)


def timers_of(event: Any, state: IntakeState) -> tuple[tuple[str, int | None], ...]:
    """Return (): the ends of orders are the ends of their parents, which strategy times."""
    return ()
