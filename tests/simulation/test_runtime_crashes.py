"""A shard that dies at any call of any kind ends as the one that never died."""

import pytest

from streams.adapters.memory import Faults
from tests.support.crash_runs import STEPS, clean, every_fault, random_faults, run

SEEDS = 300


def test_the_clean_run_does_all_that_a_crash_could_hit() -> None:
    outcome, names = clean()
    assert {"init", "poll", "begin", "send", "commit", "stable_offset", "end_offset"} <= set(names)
    assert len(outcome.outputs) > STEPS * 3
    assert any("reported" in output for output in outcome.outputs)
    assert any("modeled" in output for output in outcome.outputs)


def test_one_fault_at_any_call_changes_nothing() -> None:
    expected, _ = clean()
    hit = 0
    for call, fault in every_fault():
        faults = Faults({call: fault})
        outcome, _ = run(faults)
        assert outcome == expected, f"{fault} at call {call}"
        hit += 1
    assert hit > 200


@pytest.mark.parametrize("slots", [1, 4])
def test_many_faults_in_one_run_change_nothing(slots: int) -> None:
    expected, names = clean(slots)
    for seed in range(SEEDS):
        faults = random_faults(seed, len(names))
        outcome, _ = run(faults, slots=slots)
        assert outcome == expected, f"seed {seed}: {faults.fault_by_call}"
