"""One side of a book: who is served first, what a queue position is worth, what comes back."""

from services.venues.frames import HiddenOrder
from services.venues.matching import Match, join, refresh, take
from services.venues.state import BookSide, Child
from tests.support.matching import resting

TICK = 10_000_000
BID = 100 * TICK


def bids(*levels: tuple[int, int]) -> BookSide:
    side = BookSide(sign=1)
    refresh(side, {}, levels, None)
    return side


def with_children(side: BookSide, *children: Child) -> dict[str, Child]:
    by_id: dict[str, Child] = {}
    for child in children:
        by_id[child.child_id] = child
        join(side, by_id, child)
    return by_id


def test_a_taker_walks_from_the_best_price_to_its_limit() -> None:
    side = bids((BID, 50), (BID - TICK, 60), (BID - 2 * TICK, 70))
    matches = take(side, {}, 500, worst_e9=BID - TICK)
    assert matches == [Match(BID, 50, 0, ()), Match(BID - TICK, 60, 0, ())]
    assert side.levels == [[BID - 2 * TICK, 70]]


def test_a_child_waits_for_what_was_displayed_before_it() -> None:
    side = bids((BID, 50))
    children = with_children(side, resting("c1", 30))
    assert take(side, children, 50) == [Match(BID, 50, 0, ())]
    assert take(side, children, 10) == [Match(BID, 0, 0, (("c1", 10),))]
    assert children["c1"].leaves == 20


def test_quantity_that_joins_later_stands_behind_the_child() -> None:
    side = bids((BID, 50))
    children = with_children(side, resting("c1", 30))
    refresh(side, children, ((BID, 90),), None)
    assert take(side, children, 80) == [Match(BID, 50, 0, (("c1", 30),))]
    assert side.own == [] and side.levels == [[BID, 40]]


def test_children_at_one_price_are_served_in_order_of_time() -> None:
    side = bids((BID, 10))
    children = with_children(side, resting("c1", 30), resting("c2", 30))
    assert take(side, children, 50) == [Match(BID, 10, 0, (("c1", 30), ("c2", 10)))]


def test_a_better_price_goes_before_an_earlier_child() -> None:
    side = bids()
    children = with_children(side, resting("c1", 30), resting("c2", 30, BID + TICK))
    assert side.own == ["c2", "c1"]
    assert take(side, children, 40) == [
        Match(BID + TICK, 0, 0, (("c2", 30),)),
        Match(BID, 0, 0, (("c1", 10),)),
    ]


def test_cancels_of_others_move_a_child_up_in_proportion_and_never_too_far() -> None:
    side = bids((BID, 90))
    children = with_children(side, resting("c1", 30))
    children["c1"].ahead = 40
    refresh(side, children, ((BID, 50),), None)
    assert children["c1"].ahead == 23  # 40 * 50 / 90 is 22.2: rounded against us


def test_hidden_quantity_goes_after_displayed_quantity_at_its_price() -> None:
    side = bids((BID, 50))
    refresh(side, {}, ((BID, 50),), HiddenOrder(1, BID, 30))
    assert take(side, {}, 70) == [Match(BID, 50, 20, ())]
    assert side.hidden[2] == 10


def test_hidden_quantity_inside_the_spread_goes_first() -> None:
    side = bids((BID, 50))
    refresh(side, {}, ((BID, 50),), HiddenOrder(1, BID + TICK, 30))
    assert take(side, {}, 40) == [Match(BID + TICK, 0, 30, ()), Match(BID, 10, 0, ())]


def test_a_taker_never_meets_a_child_of_its_own_house() -> None:
    side = bids((BID, 50))
    children = with_children(side, resting("c1", 30, self_trade_id="H"))
    assert take(side, children, 100, self_trade_id="H") == [Match(BID, 50, 0, ())]
    assert children["c1"].leaves == 30 and children["c1"].ahead == 0


def test_what_was_taken_is_missing_and_comes_back_by_and_by() -> None:
    side = bids((BID, 100))
    take(side, {}, 80)
    shown = []
    for _ in range(20):
        refresh(side, {}, ((BID, 100),), None)
        shown.append(side.levels[0][1])
    assert shown[0] == 40 and shown == sorted(shown) and shown[-1] == 100


def test_a_printed_trade_fills_better_prices_then_the_queue_then_the_others() -> None:
    side = bids((BID, 50))
    children = with_children(side, resting("c1", 20), resting("c2", 10, BID + TICK))
    matches = take(side, children, 100, printed_e9=BID)
    assert matches == [
        Match(BID + TICK, 0, 0, (("c2", 10),)),
        Match(BID, 70, 0, (("c1", 20),)),
    ]
    assert sum(match.quantity for match in matches) == 100
    assert side.consumed == {}  # the tape's own next book already lacks it


def iceberg(child_id: str, quantity: int, display: int) -> Child:
    child = resting(child_id, quantity)
    child.display_quantity = display
    return child


def test_an_iceberg_shows_its_tip_and_each_new_tip_queues_again() -> None:
    side = bids((BID, 50))
    children = with_children(side, iceberg("c1", 100, 30))
    assert children["c1"].shown == 30
    assert take(side, children, 60) == [Match(BID, 50, 0, (("c1", 10),))]
    assert (children["c1"].shown, children["c1"].ahead) == (20, 0)
    refresh(side, children, ((BID, 78),), None)  # others join behind the tip, 40 show
    assert take(side, children, 20) == [Match(BID, 0, 0, (("c1", 20),))]
    assert (children["c1"].shown, children["c1"].ahead) == (30, 40)
    assert take(side, children, 40) == [Match(BID, 40, 0, ())]


def test_what_an_iceberg_hides_comes_after_all_that_is_shown() -> None:
    side = bids()
    children = with_children(side, iceberg("c1", 100, 30), resting("c2", 20))
    assert take(side, children, 70) == [Match(BID, 0, 0, (("c1", 50), ("c2", 20)))]
    assert children["c1"].shown == 10  # two tips and a part of the third are gone


def test_the_last_tip_keeps_its_place_while_it_lasts() -> None:
    side = bids()
    children = with_children(side, iceberg("c1", 50, 30))
    take(side, children, 30)
    refresh(side, children, ((BID, 40),), None)
    assert take(side, children, 10) == [Match(BID, 0, 0, (("c1", 10),))]
    assert (children["c1"].shown, children["c1"].ahead) == (10, 0)
