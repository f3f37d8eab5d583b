"""The scorecard's integers: means, curves, quantiles, tails and shrinkage, against the vectors."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.models.dark import TailEstimate
from streams.models.shrinkage import random_effects as in_floats
from streams.scorecard.curve import AGES_NS, BINS, Curve, Hazards, incidence, pooled
from streams.scorecard.estimate import E9, MEMORY, VALUE_MAX, Known, Mean, estimate, spread_out
from streams.scorecard.shrink import random_effects
from streams.scorecard.sketch import COUNT_MAX, Sketch
from streams.scorecard.tails import LOTS, Tail, pooled_ends, tail_of
from tests.support.vectors import vectors

SCORES: Any = vectors("12_sor_scorecard.json")
SURVIVAL: Any = vectors("11_frontier_and_survival.json")
NOTHING = Hazards((0,) * BINS, (0,) * BINS)


@pytest.mark.parametrize(
    ("values", "errors", "expected"),
    [
        (
            SCORES["venue_shrinkage_example"]["markout_cost_bps"],
            SCORES["venue_shrinkage_example"]["se"],
            SCORES["venue_shrinkage_example"],
        ),
    ],
)
def test_venues_are_drawn_to_the_mean_of_all(
    values: list[float], errors: list[float], expected: Any
) -> None:
    found = random_effects([round(y * E9) for y in values], [round(e * E9) for e in errors])
    assert found.mean / E9 == pytest.approx(expected["mu"], abs=1e-6)
    assert found.between / E9**2 == pytest.approx(expected["tau2"], abs=1e-6)
    assert [each / E9 for each in found.means] == pytest.approx(expected["shrunk"], abs=1e-6)
    deviations = [each / E9 for each in found.deviations]
    assert deviations == pytest.approx(expected["posterior_sd"], abs=1e-6)


def test_eight_schools_do_not_differ() -> None:
    case = SCORES["eight_schools"]
    found = random_effects([round(y * E9) for y in case["y"]], [round(e * E9) for e in case["se"]])
    assert found.between == 0
    assert found.mean / E9 == pytest.approx(case["pooled"], abs=1e-6)
    assert found.error / E9 == pytest.approx(case["pooled_se"], abs=1e-6)
    assert set(found.means) == {found.mean}


@given(
    st.lists(
        st.tuples(st.floats(-50, 50, allow_nan=False), st.floats(0.01, 20, allow_nan=False)),
        min_size=1,
        max_size=8,
    )
)
def test_integers_say_what_floats_say(venues: list[tuple[float, float]]) -> None:
    values, errors = [y for y, _ in venues], [e for _, e in venues]
    found = random_effects([round(y * E9) for y in values], [round(e * E9) for e in errors])
    expected = in_floats(values, errors)
    assert [each / E9 for each in found.means] == pytest.approx(expected.means, abs=1e-4)
    assert [each / E9 for each in found.deviations] == pytest.approx(expected.deviations, abs=1e-3)
    assert all(
        error >= deviation for error, deviation in zip(found.errors, found.deviations, strict=True)
    )


def test_one_venue_alone_is_what_it_showed() -> None:
    found = random_effects([3 * E9], [E9])
    assert found.means == (3 * E9,)
    assert found.errors[0] == pytest.approx(E9, rel=1e-6)


def test_competing_ends_follow_aalen_and_johansen() -> None:
    """The market moving away is no censoring: Kaplan and Meier would say 1.00, not 0.61."""
    curve, case = Curve(), SURVIVAL["aalen_johansen"]
    for time, end in case["obs"]:
        tell = (curve.censored, curve.filled, curve.gone)[end]
        tell(AGES_NS[time - 1], E9)
    found = incidence(curve, NOTHING, 0)
    for row in case["table"]:
        at = row["t"] - 1
        assert found.fill[at] / E9 == pytest.approx(row["cif_fill"], abs=1e-8)
        assert found.away[at] / E9 == pytest.approx(row["cif_away"], abs=1e-8)
    assert found.fill[-1] / E9 == pytest.approx(0.6083, abs=1e-4)


@given(
    st.lists(
        st.tuples(st.integers(0, 400_000_000_000), st.integers(0, 2), st.integers(1, E9)),
        max_size=40,
    ),
    st.integers(0, 8),
)
def test_chances_are_chances_whatever_comes(ends: list[tuple[int, int, int]], weight: int) -> None:
    curve = Curve()
    for age_ns, end, part in ends:
        curve.forget(E9)
        (curve.censored, curve.filled, curve.gone)[end](age_ns, part)
    prior = pooled([curve], Hazards((E9 // 20,) * BINS, (E9 // 20,) * BINS))
    found = incidence(curve, prior, weight * E9)
    previous = (0, 0)
    for fill, away, error in zip(found.fill, found.away, found.error, strict=True):
        assert previous[0] <= fill and previous[1] <= away and fill + away <= E9
        assert 0 < error < E9
        previous = (fill, away)


def test_twelve_fills_in_a_row_are_not_certain() -> None:
    lucky, proven = Curve(), Curve()
    for _ in range(12):
        lucky.filled(AGES_NS[0], E9)
    for _ in range(90):
        proven.filled(AGES_NS[0], E9)
    prior = Hazards((E9 // 20,) * BINS, (E9 // 20,) * BINS)
    few, many = incidence(lucky, prior, 4 * E9), incidence(proven, prior, 4 * E9)
    assert few.fill[0] < many.fill[0] < E9
    assert few.error[0] > 2 * many.error[0]


def test_a_mean_forgets() -> None:
    mean = Mean()
    for _ in range(1_000):
        mean.observe(10 * E9)
    assert mean.weight <= MEMORY * E9
    assert mean.weight > (MEMORY - 1) * E9
    for _ in range(64):
        mean.observe(0)
    assert mean.mean / E9 == pytest.approx(5, abs=0.05)


@given(st.lists(st.tuples(st.integers(-(10**14), 10**14), st.integers(1, E9)), max_size=200))
def test_a_mean_stays_within_64_bits_and_its_values(seen: list[tuple[int, int]]) -> None:
    mean = Mean()
    for value, weight in seen:
        mean.observe(value, weight)
        assert -(2**63) <= mean.squares < 2**63
        assert abs(mean.mean) <= VALUE_MAX + E9
        assert mean.variance >= 0


def test_three_equal_observations_are_no_certainty() -> None:
    mean, prior = Mean(), Known(0, VALUE_MAX, 4 * E9)
    for _ in range(3):
        mean.observe(-5 * E9)
    found = estimate(mean, prior, 25 * E9)  # others scatter by 5 bp
    assert -5 * E9 < found.mean < -2 * E9
    assert found.error > E9
    assert found.weight == mean.weight


def test_nothing_seen_is_what_was_thought() -> None:
    assert estimate(Mean(), Known(7, 3, 0), 1) == Known(7, 3, 0)
    assert estimate(Mean(), Known(7, 3, E9), E9).mean == 7


def test_the_scatter_is_that_of_all_venues() -> None:
    one = Mean()
    for value in (-E9, E9) * 40:
        one.observe(value)
    assert spread_out([one, Mean()], 1) == pytest.approx(E9, rel=1e-3)
    assert spread_out([Mean()], 77) == 77


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300))
def test_a_quantile_is_at_most_an_eighth_too_high(values: list[int]) -> None:
    sketch = Sketch()
    for value in values:
        sketch.observe(value)
    for part_e9 in (E9 // 2, E9 // 100 * 99):
        rank = -(-len(values) * part_e9 // E9)
        exact = sorted(values)[rank - 1]
        found = sketch.quantile(part_e9)
        assert found is not None
        assert exact <= found <= exact + exact // 8 + 1


def test_old_answers_weigh_less_and_the_sketch_stays_small() -> None:
    sketch = Sketch()
    for _ in range(5_000):
        sketch.observe(1_000_000)
    for _ in range(COUNT_MAX):
        sketch.observe(9_000_000)
    assert sketch.total < COUNT_MAX
    assert (sketch.quantile(E9 // 2) or 0) > 8_000_000
    assert Sketch().quantile(E9 // 2) is None


@given(st.lists(st.tuples(st.sampled_from(LOTS[:9]), st.integers(0, 100)), min_size=1, max_size=30))
def test_hidden_size_is_the_censored_product_limit(orders: list[tuple[int, int]]) -> None:
    """Share by share in floats, size by size here: the same where sizes are on the grid."""
    tail, exact = Tail(), TailEstimate(units_max=101, memory=1 - 1 / MEMORY)
    for asked, there in orders:
        known = max((size for size in (0, *LOTS) if size <= min(there, asked)), default=0)
        tail.observe(asked * 100, known * 100, 100)
        exact.observe(asked, known)
    found, expected = tail_of(tail, (0,) * len(LOTS), 0), exact.tail()
    reach = max(asked for asked, _ in orders)
    for lots, chance in zip(LOTS, found, strict=True):
        if lots <= reach and lots <= 100 and tail.at_risk[LOTS.index(lots)]:
            assert chance / E9 == pytest.approx(expected[lots], abs=1e-6)


def test_what_was_filled_whole_says_nothing_of_more() -> None:
    tail = Tail()
    for _ in range(20):
        tail.observe(10, 10, 1)
    ends = pooled_ends([tail])
    chances = tail_of(tail, ends, E9)
    assert chances[LOTS.index(10)] > 900_000_000
    assert tail.at_risk[LOTS.index(20)] == 0
    assert chances[LOTS.index(20)] < 500_000_000
