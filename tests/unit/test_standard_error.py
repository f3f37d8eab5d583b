"""The clustered standard error against its vector, and what it must not claim."""

import pytest

from streams.models.standard_error import estimate, sample_size, student_95
from tests.support.vectors import vectors


def test_the_vector() -> None:
    known = vectors("08_tca.json")["standard_error"]
    found = estimate(known["x_bps"], known["w"], known["cluster"])
    assert found.mean == pytest.approx(known["weighted_mean"], rel=1e-12)
    assert found.error == pytest.approx(known["se_ratio"], rel=1e-12)
    assert found.clustered == pytest.approx(known["se_cluster"], rel=1e-12)
    assert found.effective == pytest.approx(known["effective_n"], rel=1e-12)
    assert (found.observations, found.clusters) == (8, 4)


def test_how_many_parents_it_takes() -> None:
    for row in vectors("08_tca.json")["sample_size_95_80"]:
        assert sample_size(row["sd_bps"], row["effect_bps"]) == row["n"]


def test_the_same_day_again_and_again_proves_nothing() -> None:
    alone = estimate([1.0, 2.0, 3.0], [1, 1, 1], ["a", "b", "c"])
    repeated = estimate([1.0, 2.0, 3.0] * 10, [1] * 30, ["a", "b", "c"] * 10)
    assert repeated.error < alone.error
    assert repeated.clustered == pytest.approx(alone.clustered)


def test_two_clusters_are_never_significant() -> None:
    assert not estimate([5.0, 5.1], [1, 1], ["a", "b"]).is_significant
    assert estimate([5.0, 5.1, 4.9], [1, 1, 1], ["a", "b", "c"]).is_significant
    assert not estimate([5.0, -5.1, 4.9], [1, 1, 1], ["a", "b", "c"]).is_significant


@pytest.mark.parametrize(
    ("freedom", "bound"), [(3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (1_000, 1.962)]
)
def test_few_clusters_have_to_be_further_from_zero(freedom: int, bound: float) -> None:
    assert student_95(freedom) == pytest.approx(bound, rel=0.01)
