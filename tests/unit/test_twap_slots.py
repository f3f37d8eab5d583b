"""TWAP with in-slot jitter: SPEC section 5 and vector 05."""

import json
from fractions import Fraction
from typing import Any

from streams.strategy.schedule import jittered_targets, jittered_times
from tests.support.shared import shared

SESSION_NS = 23_400 * 1_000_000_000
TIME_BPS, SIZE_BPS = 8_000, 6_000


def slots_vector() -> dict[str, Any]:
    text = shared("quant/vectors/05_pov_twap.json").read_text()
    found: dict[str, Any] = json.loads(text)["twap_slot_jitter"]
    return found


def deviation(quantity: int, slots: int, lot: int, seed: bytes) -> Fraction:
    """Return the largest |cum(t) - X t / T| at any instant, in slices X / N, exactly."""
    jitter = TIME_BPS
    times = jittered_times(0, SESSION_NS, slots, seed=seed, time_jitter_bps=jitter)
    targets = jittered_targets(quantity, slots, lot, seed=seed, size_jitter_bps=SIZE_BPS)
    worst, before = Fraction(0), 0
    for at, target in zip((*times, SESSION_NS), (*targets, quantity), strict=True):
        line = Fraction(quantity * at, SESSION_NS)
        worst = max(worst, abs(before - line), abs(target - line))
        before = target
    return worst * slots / quantity


def test_the_proven_bound_of_the_vector_holds_and_is_nearly_reached() -> None:
    case = slots_vector()
    assert (case["time_jitter"], case["size_jitter"]) == (TIME_BPS / 10_000, SIZE_BPS / 10_000)
    seeds = [seed.to_bytes(4, "big") for seed in range(100)]
    found = [deviation(case["X"], case["N"], case["lot"], seed) for seed in seeds]
    assert max(found) <= Fraction(str(case["analytic_bound_slices"]))
    # Jitter that did nothing would stay below half a slice plus half a lot.
    assert max(found) > 1


def test_child_sizes_vary_as_the_vector_says() -> None:
    case = slots_vector()
    sizes: list[float] = []
    for seed in range(100):
        name = seed.to_bytes(4, "big")
        targets = jittered_targets(
            case["X"], case["N"], case["lot"], seed=name, size_jitter_bps=SIZE_BPS
        )
        starts = (0, *targets[:-1])
        sizes += [target - start for target, start in zip(targets, starts, strict=True)]
    mean = sum(sizes) / len(sizes)
    spread = (sum((size - mean) ** 2 for size in sizes) / len(sizes)) ** 0.5
    assert abs(spread / mean - case["cv_child_size"]) < 0.01


def test_times_stay_inside_their_slots_and_differ_by_seed() -> None:
    slot_ns = SESSION_NS // 60
    times = jittered_times(0, SESSION_NS, 60, seed=b"a", time_jitter_bps=TIME_BPS)
    assert [at // slot_ns for at in times] == list(range(60))
    assert times != jittered_times(0, SESSION_NS, 60, seed=b"b", time_jitter_bps=TIME_BPS)
    plain = jittered_times(0, SESSION_NS, 60, seed=b"a", time_jitter_bps=0)
    assert all(at % slot_ns == slot_ns // 2 for at in plain)


def test_fewer_shares_than_slots_end_with_every_share() -> None:
    targets = jittered_targets(7, 60, 1, seed=b"a", size_jitter_bps=SIZE_BPS)
    assert targets[-1] == 7
    assert list(targets) == sorted(targets)
    assert set(targets) == set(range(8))
