"""The decider: a pure state machine, stated as three values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State")
Command = TypeVar("Command")
Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Decider(Generic[State, Command, Event]):
    """Business logic with no clock, no randomness, no I/O.

    `decide` reads the state and may refuse (by a rejection event) but never raises on business
    grounds. `evolve` writes the state in place and may not refuse: an event is a fact, and it
    raises only CorruptHistoryError. Events that a context does not use are passed over by `evolve`,
    so that the shard can show every event to every context.
    """

    initial: Callable[[], State]
    decide: Callable[[State, Command], tuple[Event, ...]]
    evolve: Callable[[State, Event], None]

    def fold(self, events: Iterable[Event], state: State | None = None) -> State:
        """Return the state after `events`, starting from `state` (default: a new one)."""
        state = self.initial() if state is None else state
        for event in events:
            self.evolve(state, event)
        return state
