"""What routing believes of a venue before the scorecard has spoken, and what that costs."""

import pytest

from schemas.messages.core import OrderKind, Side
from schemas.messages.routing import ChildRejected
from streams.core.market import Venue
from streams.routing import ROUTING, RoutingState, costs
from streams.routing.costs import Cost
from streams.routing.records import record_of
from streams.routing.settings import RoutingSettings
from streams.routing.state import Record, Track
from tests.support.builders import ACME, quote, venue, venue_book
from tests.support.routing import IDS, acknowledged, booked, canceled, opened, placed, released

E9 = 1_000_000_000
BP = E9  # one basis point in the unit of scores
FREE = venue(taker_fee_e9=0, maker_fee_e9=0, latency_ns=0)
PRICED = quote(9_999, 10_001)  # half a spread is one basis point
BUYING = costs.prices_of(Side.BUY, PRICED)
QUIET = RoutingSettings(leakage_bps_e9=0)


def believed(kind: OrderKind, state: RoutingState | None = None) -> Record:
    found = RoutingState() if state is None else state
    found.settings = QUIET
    return record_of(found, "V1", kind, ACME, Side.BUY)


def passive(terms: Venue, state: RoutingState | None = None) -> Cost:
    """Return the cost of a small child that rests where much trades."""
    book = venue_book("V1", venue=terms, size=10**12)
    cleanup = costs.fee_bps_e9(terms.taker_fee_e9, terms.taker_fee_ppm, BUYING.mid_e9)
    return costs.resting(believed(OrderKind.PASSIVE, state), book, BUYING, 100, cleanup)


def test_a_venue_without_history_costs_by_its_prior() -> None:
    """Passive: fills with 0.4 * 0.99 at -1 bp, cleans up at +1 bp otherwise."""
    assert passive(FREE).total_e9 == pytest.approx(-0.396 * BP + 0.604 * BP, abs=10)
    # Aggressive: takes with 0.8 * 0.99 at 1 bp, pays the half spread again otherwise.
    book = venue_book("V1", venue=FREE)
    taking = costs.taking(believed(OrderKind.AGGRESSIVE), book, BUYING, 100)
    assert taking.total_e9 == pytest.approx(0.792 * BP + 0.208 * 2 * BP, abs=10)


def test_fees_rebates_and_latency_enter_the_cost_in_basis_points() -> None:
    free = passive(FREE).total_e9
    rebate = venue(taker_fee_e9=0, maker_fee_e9=-10_000_000, latency_ns=0)  # 0.01 on 100
    assert passive(rebate).total_e9 == pytest.approx(free - 0.396 * BP, abs=10)
    slow = venue(taker_fee_e9=0, maker_fee_e9=0, latency_ns=5_000_000)
    assert passive(slow).total_e9 == free + 2 * 5_000_000


# A fee per unit in 1e-9 and one in parts per million, as basis points of 100.00.
@pytest.mark.parametrize(
    ("fee_e9", "ppm", "bps"), [(10_000_000, 0, 1), (0, 250, 2.5), (0, -50, -0.5)]
)
def test_a_fee_is_a_share_of_the_price(fee_e9: int, ppm: int, bps: float) -> None:
    assert costs.fee_bps_e9(fee_e9, ppm, 100 * E9) == int(bps * BP)


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
    assert believed(OrderKind.PASSIVE, lucky).fill_e9 == (12 * E9 + 8 * 4 * E9 // 10) // 20


def test_a_long_history_weighs_no_more_than_its_effective_length() -> None:
    def fill_e9(count: int) -> int:
        tracks = {"V1/passive": Track(fill_e9=E9, fill_count=count)}
        return believed(OrderKind.PASSIVE, RoutingState(tracks=tracks)).fill_e9

    assert fill_e9(30) < fill_e9(31) == fill_e9(10_000)
