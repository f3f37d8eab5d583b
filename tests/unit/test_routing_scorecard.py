"""The first scorecard: what it learns, from what, and how slowly it believes it."""

import pytest

from schemas.messages.routing import ChildRejected
from streams.routing import ROUTING, RoutingState
from streams.routing.scorecard import aggressive_score_e9, fee_bps_e9, passive_score_e9
from streams.routing.state import Track
from tests.support.builders import quote, venue
from tests.support.routing import IDS, acknowledged, booked, canceled, opened, placed, released

E9 = 1_000_000_000
BP = E9  # one basis point in the unit of scores
FREE = venue(taker_fee_e9=0, maker_fee_e9=0, latency_ns=0)
PRICED = quote(9_999, 10_001)  # half a spread is one basis point


def test_a_venue_without_history_scores_by_its_prior() -> None:
    """Passive: fills with 0.4 * 0.99 at -1 bp, cleans up at +1 bp otherwise."""
    assert passive_score_e9(RoutingState(), FREE, PRICED) == round(-0.396 * BP + 0.604 * BP)
    # Aggressive: takes with 0.8 * 0.99 at 1 bp, pays the half spread again otherwise.
    assert aggressive_score_e9(RoutingState(), FREE, PRICED) == round(0.792 * BP + 0.208 * 2 * BP)


def test_fees_rebates_and_latency_enter_the_score_in_basis_points() -> None:
    free = passive_score_e9(RoutingState(), FREE, PRICED)
    rebate = venue(taker_fee_e9=0, maker_fee_e9=-10_000_000, latency_ns=0)  # 0.01 on 100
    assert passive_score_e9(RoutingState(), rebate, PRICED) == free - round(0.396 * BP)
    slow = venue(taker_fee_e9=0, maker_fee_e9=0, latency_ns=5_000_000)
    assert passive_score_e9(RoutingState(), slow, PRICED) == free + 2 * 5_000_000


# A fee per unit in 1e-9 and one in parts per million, as basis points of 100.00.
@pytest.mark.parametrize(
    ("fee_e9", "ppm", "bps"), [(10_000_000, 0, 1), (0, 250, 2.5), (0, -50, -0.5)]
)
def test_a_fee_is_a_share_of_the_price(fee_e9: int, ppm: int, bps: float) -> None:
    assert fee_bps_e9(fee_e9, ppm, 100 * E9) == int(bps * BP)


def test_each_report_moves_the_measure_that_it_speaks_of() -> None:
    state = ROUTING.fold((*opened(200), released(200), placed()))
    ROUTING.evolve(state, acknowledged(ack_latency_ns=4_000))
    ROUTING.evolve(state, booked("e1", 25))
    ROUTING.evolve(state, canceled(75))
    assert state.tracks == {
        "V1/passive": Track(
            fill_e9=E9 // 4, fill_count=1, reject_count=1, latency_ns=4_000, latency_count=1
        )
    }
    ROUTING.evolve(state, placed("P.1.2"))
    ids = {**IDS, "child_id": "P.1.2", "venue_id": "V1"}
    ROUTING.evolve(state, ChildRejected(**ids, quantity=100, text=""))
    assert state.tracks["V1/passive"].reject_e9 == E9 // 16
    assert state.venues["V1"].rejects_in_row == 1
    assert state.reports == 4


def test_a_fill_that_the_last_word_counted_counts_before_it_is_reported() -> None:
    state = ROUTING.fold((*opened(), released(), placed(), canceled(60, 40)))
    assert state.tracks["V1/passive"].fill_e9 == 4 * E9 // 10


def test_a_fully_filled_child_counts_as_one() -> None:
    state = ROUTING.fold((*opened(), released(), placed(), booked("e1", 100)))
    assert state.tracks["V1/passive"].fill_e9 == E9


def test_twelve_lucky_fills_weigh_twelve_against_the_priors_eight() -> None:
    lucky = RoutingState(tracks={"V1/passive": Track(fill_e9=E9, fill_count=12)})
    chance = (12 * 1.0 + 8 * 0.4) / 20 * 0.99
    score = passive_score_e9(lucky, FREE, PRICED)
    assert abs(score - round((1 - 2 * chance) * BP)) <= 2  # rounded down twice


def test_a_long_history_weighs_no_more_than_its_effective_length() -> None:
    def score(count: int) -> int:
        tracks = {"V1/passive": Track(fill_e9=E9, fill_count=count)}
        return passive_score_e9(RoutingState(tracks=tracks), FREE, PRICED)

    assert score(30) > score(31) == score(10_000)
