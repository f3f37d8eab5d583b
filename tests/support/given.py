"""Given events, when a command, then events: the one shape of every decider test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.messages.intake import (
    CancelOrder,
    CommandRepeated,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    ReplaceOrder,
)
from streams.core.decider import Decider

CLIENT_MESSAGES = (NewOrder, CancelOrder, ReplaceOrder, MassCancelOrder, NewBasket)


@dataclass(frozen=True)
class Given:
    decider: Decider[Any, Any, Any]
    history: tuple[Any, ...]
    prepare: Callable[[Any], None] | None = None  # sets what no event carries, such as id_prefix

    def when(self, command: Any) -> When:
        return When(self, command)

    def state(self) -> Any:
        """Return a fresh state after the history."""
        state = self.decider.initial()
        if self.prepare is not None:
            self.prepare(state)
        return self.decider.fold(self.history, state)


@dataclass(frozen=True)
class When:
    given: Given
    command: Any

    def events(self) -> tuple[Any, ...]:
        """Return what the command leads to, without comparing it."""
        return self.given.decider.decide(self.given.state(), self.command)

    def then(self, *expected: Any) -> None:
        decider = self.given.decider
        state = self.given.state()
        events = decider.decide(state, self.command)
        assert events == expected
        # Every command must be harmless when redelivered; a client is told again what it was told.
        again = decider.decide(decider.fold(events, state), self.command)
        if isinstance(getattr(self.command, "message", None), CLIENT_MESSAGES):
            assert [type(event) for event in again] == [CommandRepeated]
        else:
            assert again == ()


def given(
    decider: Decider[Any, Any, Any],
    *history: Any,
    prepare: Callable[[Any], None] | None = None,
) -> Given:
    return Given(decider, history, prepare)
