"""Random days of joins, leaves, fills, tails, late fills and busts: every law at every step."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.netting_actions import Choice, step
from tests.support.netting_world import World

NUMBER = st.integers(0, 10_000)
CHOICES = st.lists(st.tuples(st.integers(0, 18), NUMBER, NUMBER), max_size=60)


@settings(max_examples=200, deadline=None)
@given(CHOICES)
def test_no_law_breaks_in_a_short_day(choices: list[Choice]) -> None:
    world = World()
    for choice in choices:
        step(world, choice)


# Days in which everybody changes his mind, and days in which the parents get on with it.
RESTLESS = tuple(range(19))
CALM = (*(a for a in range(19) if a not in (12, 14, 17) for _ in range(6)), 12, 14, 17)


@pytest.mark.parametrize("actions", [RESTLESS, CALM], ids=["restless", "calm"])
@pytest.mark.parametrize("seed", range(4))
def test_no_law_breaks_in_a_long_day(seed: int, actions: tuple[int, ...]) -> None:
    source = random.Random(seed)
    world = World()
    for _ in range(800):
        step(world, (source.choice(actions), source.randrange(10_000), source.randrange(10_000)))
