"""Schedule arithmetic: participation, volume tracking, bins; vectors 04b and 05."""

import json
from typing import Any

import pytest

from streams.strategy.schedule import (
    PARTS_MAX,
    bin_volumes,
    equal_bins,
    expected_volume,
    floor_lot,
    participation_due,
    tracked_target,
    volume_targets,
)
from tests.support.builders import MINUTE, OPEN_NS, SECOND
from tests.support.parents import forecast
from tests.support.shared import shared


def pov_vector() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("quant/vectors/05_pov_twap.json").read_text())
    return found


def test_participation_is_measured_against_others_volume() -> None:
    for row in pov_vector()["pov_identity"]:
        own = participation_due(row["other"], 0, round(row["p"] * 10_000))
        assert own == int(row["own"])
        # The naive p * other would stay below the rate; this is the most that does not exceed it.
        assert own / (own + row["other"]) <= row["p"]
        assert (own + 1) / (own + 1 + row["other"]) > row["p"]


def test_participation_carries_its_deficit_through_the_band() -> None:
    case = pov_vector()["pov_band_catchup"]
    rate, low, high = [round(case[name] * 10_000) for name in ("p", "p_lo", "p_hi")]
    own = others = 0
    bins = zip(case["other_volume"], case["available"], case["rows"], strict=True)
    for volume, available, row in bins:
        others += volume
        least, most = participation_due(volume, 0, low), participation_due(volume, 0, high)
        due = min(max(participation_due(others, own, rate), least), most, case["X"] - own)
        target = floor_lot(due, case["lot"])
        assert target == row["target"]
        own += min(target, int(available))
        assert own == row["cum"]
        assert own / (own + others) == pytest.approx(row["realised_pov"], abs=1e-12)


def test_participation_is_never_negative() -> None:
    assert participation_due(1_000, 500, 1_000) == 0
    assert participation_due(1_000, 0, 0) == 0


def test_tracking_gives_the_vectors_children() -> None:
    case = json.loads(shared("quant/vectors/04b_vwap_synthetic.json").read_text())["schedule"]
    done = traded = 0
    children = []
    for row in case["rows"]:
        expected = [round(volume) for volume in row["forecast_remaining"]]
        target = tracked_target(case["X"], traded, expected[0], sum(expected))
        assert target == pytest.approx(row["target_cum"], abs=2.0)  # whole shares
        child = floor_lot(target - done, case["lot"])
        assert child == row["child"]
        children.append(child)
        done += child
        traded += row["market_volume"]
    assert children == [37_700, 14_400, 8_500, 10_100, 11_300, 18_000]


def test_more_bins_than_shares_still_ends_with_every_share() -> None:
    assert volume_targets(3, 0, (100,) * 10) == (0, 0, 0, 1, 1, 1, 2, 2, 2, 3)
    assert volume_targets(0, 0, (5, 5)) == (0, 0)


# start, end, grid in seconds -> starts in seconds, bins of 60 seconds
@pytest.mark.parametrize(
    ("start", "end", "grid", "starts"),
    [
        (0, 180, 0, (0, 60, 120)),
        (45, 180, 0, (45, 120)),  # 15 s to the grid: joined to the next bin
        (20, 180, 0, (20, 60, 120)),
        (0, 200, 0, (0, 60, 120)),  # 20 s left over: joined to the last bin
        (0, 215, 0, (0, 60, 120, 180)),
        (10, 40, 0, (10,)),
        (0, 120, -30, (0, 30, 90)),
    ],
)
def test_bins_lie_on_the_grid_and_none_is_shorter_than_half(
    start: int, end: int, grid: int, starts: tuple[int, ...]
) -> None:
    found = equal_bins(start * SECOND, end * SECOND, grid * SECOND, MINUTE)
    assert tuple(at // SECOND for at in found) == starts


def test_expected_volume_takes_parts_of_bins() -> None:
    curve = forecast(600, 1_200, 300)
    assert expected_volume(curve, OPEN_NS, OPEN_NS + 3 * MINUTE) == 2_100
    assert expected_volume(curve, OPEN_NS + 30 * SECOND, OPEN_NS + 90 * SECOND) == 900
    assert expected_volume(curve, OPEN_NS - MINUTE, OPEN_NS + 10 * SECOND) == 100
    assert expected_volume(curve, OPEN_NS + 3 * MINUTE, OPEN_NS + 9 * MINUTE) == 0


def test_without_a_shape_bins_weigh_as_long_as_they_are() -> None:
    starts, end = (OPEN_NS, OPEN_NS + MINUTE), OPEN_NS + 3 * MINUTE
    assert bin_volumes(starts, end, None) == (MINUTE, 2 * MINUTE)
    assert bin_volumes(starts, end, forecast(0, 0, 0)) == (MINUTE, 2 * MINUTE)
    assert bin_volumes(starts, end, forecast(5, 6, 7)) == (5, 13)


def test_a_window_of_ages_has_no_more_bins_than_a_plan_may_have() -> None:
    """Found by fuzzing: an end centuries away asked for billions of bins."""
    starts = equal_bins(0, 2**62, 0, 60 * 10**9)
    assert PARTS_MAX // 2 <= len(starts) <= PARTS_MAX + 1
