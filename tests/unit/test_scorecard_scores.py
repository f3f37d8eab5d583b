"""What venues show is what they are ranked by, and luck is not."""

from itertools import pairwise

import msgspec
import pytest

from schemas.messages.core import Side
from schemas.messages.routing import FillBusted
from streams.scorecard import MARK_TIMER, SCORECARD
from streams.scorecard.curve import AGES_NS
from streams.scorecard.estimate import E9
from streams.scorecard.state import ScorecardState
from tests.support.builders import OPEN_NS, SECOND, TICK, venue
from tests.support.routing import placed
from tests.support.scoring import MID_E9, Street

BPS_E9 = E9  # a tick of the test's instrument is one basis point of its price


def test_a_fill_is_marked_at_six_horizons_and_against_the_quote_before_it() -> None:
    street = Street()
    street.midpoint_e9 = lambda at_ns: MID_E9 + max(0, at_ns - OPEN_NS) // (10 * SECOND) * TICK
    street.fill(street.send(), price_e9=MID_E9 - TICK)
    street.wait(301)
    cell = next(iter(street.state.cells.values()))
    assert cell.effective.mean == -BPS_E9
    gains = [round(each.mean / BPS_E9) for each in cell.markouts]
    assert gains == [1, 1, 1, 4, 7, 31]  # the price moved our way by a tick every ten seconds
    assert not (street.state.fills or street.state.sent or street.state.ends)
    assert street.timers[MARK_TIMER] is None


def test_a_sale_gains_where_the_price_falls() -> None:
    street = Street()
    street.midpoint_e9 = lambda at_ns: MID_E9 - (5 * TICK if at_ns > OPEN_NS else 0)
    street.fill(street.send(side=Side.SELL), price_e9=MID_E9 + TICK, side=Side.SELL)
    street.wait(301)
    cell = next(iter(street.state.cells.values()))
    assert [round(each.mean / BPS_E9) for each in cell.markouts] == [6] * 6


def test_marks_are_made_at_most_every_five_seconds() -> None:
    street = Street()
    for _ in range(50):
        street.fill(street.send())
        street.at_ns += SECOND // 20
    street.wait(400)
    marks = [each.until_ns for each in street.events if type(each).__name__ == "FillsMarked"]
    assert all(later - earlier >= 5 * SECOND for earlier, later in pairwise(marks))
    assert not street.state.fills


def test_a_quote_that_is_not_there_marks_nothing() -> None:
    street = Street()
    child = street.send(arrival_price_e9=MID_E9)
    street.midpoint_e9 = lambda _at_ns: None
    street.fill(child)
    street.wait(301)
    cell = next(iter(street.state.cells.values()))
    assert not any(each.weight for each in cell.markouts)
    assert cell.fee.weight and not cell.sent.weight


def test_the_market_moving_away_is_told_from_our_own_cancel() -> None:
    stayed, moved = Street(), Street()
    moved.midpoint_e9 = lambda at_ns: MID_E9 + (3 * TICK if at_ns > OPEN_NS else 0)
    for street in (stayed, moved):
        child = street.send(price_e9=MID_E9 - TICK)
        street.wait(2)
        street.cancel(child)
        street.wait(10)
    (left,), (away,) = stayed.state.cells.values(), moved.state.cells.values()
    assert sum(left.curve.away) == 0
    assert sum(away.curve.away) == E9
    assert left.missed.mean == 0
    assert away.missed.mean == 3 * BPS_E9


def test_a_part_that_fills_is_a_part_of_the_curve() -> None:
    street = Street()
    child = street.send()
    street.at_ns += SECOND // 10
    street.fill(child, 40)
    street.wait(3)
    street.cancel(child, 60)
    street.wait(2)
    (cell,) = street.state.cells.values()
    assert cell.curve.fill[0] == 4 * E9 // 10
    assert cell.curve.at_risk[0] == E9
    assert cell.curve.at_risk[AGES_NS.index(2 * SECOND)] == 6 * E9 // 10
    assert not street.state.children


def test_late_fills_of_a_canceled_child_are_still_its_own() -> None:
    street = Street()
    child = street.send()
    street.cancel(child, 70, outstanding=30)
    assert child in street.state.children
    street.fill(child, 30)
    assert child not in street.state.children
    (cell,) = street.state.cells.values()
    assert sum(cell.curve.fill) == 3 * E9 // 10


def test_what_an_immediate_order_does_not_get_was_not_there() -> None:
    street = Street()
    child = street.take()
    street.fill(child, 25)
    street.cancel(child, 75)
    street.wait(6)
    (cell,) = street.state.cells.values()
    assert (cell.curve.fill[0], cell.curve.away[0]) == (E9 // 4, 3 * E9 // 4)


def test_a_busted_fill_teaches_nothing_more() -> None:
    street = Street()
    street.fill(street.send())
    fill = street.events[-1]
    kept = FillBusted.__struct_fields__
    fields = {name: getattr(fill, name) for name in fill.__struct_fields__ if name in kept}
    bust = FillBusted(**fields, bust_exec_id="b1")
    street.tell(bust)
    street.wait(301)
    (cell,) = street.state.cells.values()
    assert not cell.effective.weight and not any(each.weight for each in cell.markouts)
    assert cell.busts.mean > E9 // 3


@pytest.mark.parametrize("fills", [2, 12, 25])
def test_a_lucky_venue_does_not_top_the_table(fills: int) -> None:
    """All of its few children filled, and at the best prices, against venues that are proven."""
    street = Street((venue("LUCKY"), venue("POOR"), venue("PROVEN")))
    for turn in range(120):
        for venue_id, part in (("PROVEN", 9), ("POOR", 2)):
            child = street.send(venue_id)
            street.at_ns += SECOND
            if turn % 10 < part:
                noise = (turn * 7 % 5 - 2) * TICK
                street.fill(child, price_e9=MID_E9 - TICK + noise, venue_id=venue_id)
            else:
                street.cancel(child)
        street.wait(1)
    for _ in range(fills):
        child = street.send("LUCKY")
        street.at_ns += SECOND
        street.fill(child, price_e9=MID_E9 - 6 * TICK, venue_id="LUCKY")
    street.wait(10)
    scores = street.score()
    lucky, proven, poor = (scores[f"rest {name}"] for name in ("LUCKY", "PROVEN", "POOR"))
    assert lucky.realized.mean_e9 < proven.realized.mean_e9  # it looks the best by far
    assert lucky.score.mean_e9 < proven.score.mean_e9
    assert proven.shrunk_e9 < lucky.shrunk_e9  # and is not first
    assert proven.shrunk_e9 < poor.shrunk_e9
    assert lucky.shrunk_error_e9 > proven.shrunk_error_e9


def test_few_children_are_drawn_to_what_all_show() -> None:
    """Nobody is proven yet: the best of two fills is worth less than it looks."""
    street = Street((venue("V1"), venue("V2"), venue("V3")))
    for venue_id, gain in (("V1", 5), ("V2", 0), ("V3", 1)):
        for _ in range(2):
            child = street.send(venue_id)
            street.fill(child, price_e9=MID_E9 - gain * TICK, venue_id=venue_id)
    street.wait(10)
    scores = street.score()
    spread = {name: each.score.mean_e9 for name, each in scores.items()}
    shrunk = {name: each.shrunk_e9 for name, each in scores.items()}
    assert max(shrunk.values()) - min(shrunk.values()) < max(spread.values()) - min(spread.values())


def test_the_cost_of_a_venue_is_all_that_it_takes() -> None:
    """Fee, spread and depth, time on the way and information: each alone moves the score."""

    def cost(  # what one venue costs where the other is always plain
        *, fee_bps: int = 0, depth: int = 0, drift: int = 0, leak: int = 0
    ) -> int:
        street = Street((venue("V1"), venue("V2")))
        late_ns = SECOND // 2
        for _ in range(80):
            for venue_id in ("V1", "V2"):
                start_ns, is_odd = street.at_ns, venue_id == "V1"

                def price(at_ns: int, start_ns: int = start_ns, is_odd: bool = is_odd) -> int:
                    moved = drift if is_odd and start_ns < at_ns <= start_ns + late_ns else 0
                    after = leak if is_odd and at_ns > start_ns + 2 * late_ns else 0
                    return MID_E9 + (moved + after) * TICK

                street.midpoint_e9 = price
                child = street.take(venue_id)
                street.at_ns += late_ns
                paid = MID_E9 + TICK + ((depth + drift) * TICK if is_odd else 0)
                fee = paid * 100 * fee_bps // 10_000 if is_odd else 0
                street.fill(child, price_e9=paid, venue_id=venue_id, fee_e9=fee)
                street.wait(12)
        return street.score()["take V1"].score.mean_e9

    plain = cost()
    for name in ("fee_bps", "depth", "drift", "leak"):
        dearer = cost(**{name: 3}) - plain
        assert dearer == pytest.approx(3 * BPS_E9, rel=0.15), name


def test_what_was_never_tried_is_ranked_by_its_terms() -> None:
    street = Street((venue("CHEAP", maker_fee_e9=-9_000_000), venue("V1"), venue("V2")))
    for _ in range(4):
        street.fill(street.send("V1"), price_e9=MID_E9 - TICK)
    street.wait(10)
    scores = street.score()
    assert scores["rest CHEAP"].score.weight_e9 == 0
    assert scores["rest CHEAP"].shrunk_e9 < scores["rest V2"].shrunk_e9


def test_rejects_count_against_a_venue() -> None:
    street = Street((venue("V1"), venue("V2")))
    for turn in range(40):
        for venue_id in ("V1", "V2"):
            if venue_id == "V2" and turn % 2:
                street.tell(placed(f"R.1.{turn}", venue_id="V2", placed_ns=street.at_ns))
                street.reject(f"R.1.{turn}", "V2")
            else:
                child = street.send(venue_id)
                street.fill(child, price_e9=MID_E9 - TICK, venue_id=venue_id)
        street.wait(2)
    street.wait(10)
    scores = street.score()
    assert scores["rest V2"].rejects.mean_e9 > 4 * E9 // 10
    assert scores["rest V1"].shrunk_e9 < scores["rest V2"].shrunk_e9


def test_scores_come_only_when_a_third_more_was_seen() -> None:
    street = Street()
    for _ in range(15):
        street.fill(street.send())
    street.wait(10)
    assert street.score()
    assert street.score() == {}
    for _ in range(4):
        street.fill(street.send())
    street.wait(10)
    assert street.score() == {}
    street.fill(street.send())
    street.wait(10)
    assert street.score()


def test_who_was_never_asked_is_not_held_for_the_fastest() -> None:
    street = Street((venue("V1"), venue("V2")))
    for _ in range(6):
        street.fill(street.send("V1"), price_e9=MID_E9 - TICK)
    for cell in street.state.cells.values():
        for _ in range(20):
            cell.answers.observe(2 * SECOND)
    street.wait(10)
    scores = street.score()
    assert scores["rest V2"].ack_p50_ns is None
    assert scores["rest V2"].shrunk_e9 > E9  # two seconds cost it two basis points as well


def test_a_dark_pool_has_tails_and_a_lit_one_has_none() -> None:
    street = Street()
    for _ in range(10):
        child = street.hide()
        street.fill(child, 20, venue_id="D1")
        street.cancel(child, 80)
        street.fill(street.send())
        street.wait(2)
    street.wait(10)
    scores = street.score()
    dark, lit = scores["hide D1"], scores["rest V1"]
    at = dark.tail_lots.index(20)
    assert dark.tail_e9[at] > 8 * E9 // 10 > 2 * E9 // 10 > dark.tail_e9[at + 1]
    assert lit.tail_lots == lit.tail_e9 == ()


def test_a_recovery_folds_to_the_same_state() -> None:
    street = Street()
    for turn in range(30):
        child = street.send(side=Side.SELL if turn % 3 else Side.BUY)
        street.at_ns += SECOND // 3
        if turn % 4:
            street.fill(child, 30 + turn, side=Side.SELL if turn % 3 else Side.BUY)
        street.wait(turn % 5)
        street.score()
    packed = msgspec.msgpack.encode(street.state)
    assert msgspec.msgpack.encode(street.again()) == packed
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(packed, type=ScorecardState)) == packed


def test_nothing_is_observed_before_the_instrument_has_a_bucket() -> None:
    state = SCORECARD.initial()
    SCORECARD.evolve(state, placed("P.1.1", placed_ns=OPEN_NS))
    assert not state.children and state.passed_over == 1
