"""No context misses an event: the shard's table says what the contexts themselves say."""

import inspect
import sys
from typing import Any

import pytest

from schemas.messages.index import MESSAGE_TYPES
from streams.shard.folds import FOLDS, TIMERS, USES, Use
from streams.shard.routes import ROUTES

EVENTS = {each.struct.__name__: each.struct for each in MESSAGE_TYPES if each.struct in ROUTES}
# The tables that the contexts fold by; strategy has none, it matches on the type.
OWN_TABLES = {
    "intake": ("streams.intake.evolve", "_RULES"),
    "netting": ("streams.netting.decider", "_FOLDS"),
    "routing": ("streams.routing.evolve", "_FOLDS"),
    "allocation": ("streams.allocation.decider", "_FOLDS"),
    "kill": ("streams.kill.evolve", "_FOLDS"),
    "risk": ("streams.risk.evolve", "_RULES"),
    "scorecard": ("streams.scorecard.evolve", "FOLDS"),
}


def named_in(function: Any) -> set[type[Any]]:
    """Return the events that a function names, in itself or in a tuple of its module."""
    module = sys.modules[function.__module__]
    names = set(inspect.unwrap(function).__code__.co_names)
    found = {EVENTS[name] for name in names if name in EVENTS}
    for name in names:
        value = getattr(module, name, None)
        if isinstance(value, tuple):
            found |= {each for each in value if each in ROUTES}
    return found


@pytest.mark.parametrize("use", USES, ids=lambda use: use.name)
def test_every_event_that_a_context_folds_is_shown_to_it(use: Use) -> None:
    if use.name in OWN_TABLES:
        module, name = OWN_TABLES[use.name]
        wanted = set(getattr(sys.modules[module], name))
    else:
        wanted = named_in(use.evolve)
        assert wanted
    assert set(use.folded) == wanted


@pytest.mark.parametrize("use", USES, ids=lambda use: use.name)
def test_every_event_that_a_context_times_is_shown_to_it(use: Use) -> None:
    assert set(use.timed) == named_in(use.timers_of)


def test_every_event_of_the_shard_has_a_place_in_the_table() -> None:
    assert set(FOLDS) == set(TIMERS) == set(ROUTES)
    unused = {event.__name__ for event, folds in FOLDS.items() if not folds}
    # The shard keeps the forecast; what a limit found and why a kill is refused is for people.
    assert unused == {"KillRefused", "LimitBreached", "RiskDecided", "VolumeForecast"}
