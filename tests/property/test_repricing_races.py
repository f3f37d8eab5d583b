"""Races in which children follow a market that moves: exposure, limits, display, cancels."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_exposure_races import choices_of
from tests.support.pegged_race import PeggedRace

RACES = 20_000
SOME_RACES = 600


def run_race(seed: int) -> PeggedRace:
    try:
        race = PeggedRace(choices_of(seed), has_busts=seed % 2 == 1)
        race.run()
    except Exception as error:
        error.add_note(f"race {seed}")
        raise
    return race


@pytest.mark.slow
def test_twenty_thousand_races_after_the_market_break_no_law() -> None:
    for seed in range(RACES):
        run_race(seed)


@given(st.lists(st.integers(0, 59), max_size=160), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_short_race_after_the_market_breaks_no_law(numbers: list[int], has_busts: bool) -> None:
    drawn = iter(numbers)
    PeggedRace(lambda n: next(drawn, n - 1) % n, has_busts=has_busts).run()


def test_the_races_do_move_children() -> None:
    """A race in which nothing follows proves nothing."""
    races = [run_race(seed) for seed in range(SOME_RACES)]
    assert sum(race.reprices_in_all for race in races) > SOME_RACES // 4
    assert max(race.reprices_in_all for race in races) > 3
