"""Mutants of every golden record, of fixed seeds: `make fuzz` looks at many more."""

import pytest

from tests.fuzz.decoder import by_chance


@pytest.mark.parametrize("seed", range(4))
def test_a_mutant_is_refused_in_words_that_last_or_read_and_written_as_equal(seed: int) -> None:
    count, messages = by_chance(20, seed, most=4_000)
    assert count > 0 and messages > 0
