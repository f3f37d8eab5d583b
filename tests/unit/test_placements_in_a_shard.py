"""Placements from the planner to a decision: solved, written, read by a shard, and named by it."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.messages.core import RoutingLogic, Side, StrategyKind, Urgency
from schemas.messages.plans import PlacementSolved
from schemas.messages.routing import ChildPlaced, RouteDecided
from services.planner.outflows import WINDOW_NS
from services.planner.placements import Placements
from services.planner.planner import Planner
from streams.adapters.codec import AvroCodec
from streams.core import topics
from streams.models.placement import MODEL
from streams.routing.logics.passive_split import CLOSED_FORM
from tests.support.builders import ACME, SECOND, book_updated, new_order, venue_defined
from tests.support.hostile import HostileShard, framed, trade_printed

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
WINDOWS = 32
# Sold into the bids of 1,000 in each window: only V2 is passed by more than stands there.
FLOWS = {"V1": 400, "V2": 1_900}


class Venue:
    """A shard whose market repeats itself, and perhaps a planner that watches it."""

    def __init__(self, **terms: Any) -> None:
        venues = (venue_defined(f"V{n}", **terms) for n in range(1, 4))
        self.shard = HostileShard(*venues, entropy=bytes)  # every bin as large as it comes out now
        self.placements = Placements(self.shard.log, CODEC, every_ns=SECOND)
        self.planner = Planner(
            self.shard.log,
            CODEC,
            LOG_ID,
            now_ns=self.shard.clock.now_ns,
            clock_ns=self.shard.clock.now_ns,
        )
        for _ in range(WINDOWS):
            self.trade()
            self.quote(WINDOW_NS // SECOND - 1)
        self.trade()

    def quote(self, seconds: int = 1) -> None:
        """Show books a tick wide, second by second."""
        for _ in range(seconds):
            self._put(*(book_updated(f"V{n}", 9_999, 10_000) for n in range(1, 4)))
            self.shard.turn()

    def trade(self) -> None:
        for venue_id, quantity in FLOWS.items():
            terms: dict[str, Any] = {"ticks": 9_999, "quantity": quantity, "aggressor": Side.SELL}
            self._put(trade_printed(venue_id=venue_id, **terms))
        self.quote()

    def solve(self) -> list[PlacementSolved]:
        """Let the planner read all that is there and publish what it solves."""
        solved = self.placements.turn()
        self.planner.write(solved)
        self.shard.turn(0)
        return solved

    def decisions(self) -> list[RouteDecided]:
        return self.shard.messages(topics.DECISIONS_EVENTS, RouteDecided)

    def order(self, strategy: StrategyKind = StrategyKind.TWAP) -> RouteDecided:
        """Buy urgently; return how the first slice is routed. Strategies do not share parents."""
        terms = {"quantity": 90_000, "urgency": Urgency.URGENT, "strategy": strategy}
        known = len(self.decisions())
        self.shard.ask(new_order(strategy.name, **terms))
        for _ in range(60):
            if len(self.decisions()) > known:
                return self.decisions()[known]
            self.quote()
        raise AssertionError("no slice was routed within a minute")

    def placed(self, found: RouteDecided) -> dict[tuple[str, bool], int]:
        """Return quantities by venue, and whether they rest."""
        children = self.shard.messages(topics.CHILDREN_EVENTS, ChildPlaced)
        return {
            (child.venue_id, child.rest_until_ns > 0): child.quantity
            for child in children
            if child.slice_id == found.slice_id
        }

    def restart(self) -> None:
        """Another process takes the shard over and folds what is recorded."""
        self.shard.host = self.shard.again()

    def load(self) -> None:
        """The shard goes on from a snapshot of itself."""
        application = self.shard.application
        application.load(application.snapshot())

    def _put(self, *messages: Any) -> None:
        at_ns = self.shard.clock.at_ns + SECOND
        for message in messages:
            self.shard.put(topics.MARKET_DATA, framed(message, at_ns=at_ns))


def split_score(found: RouteDecided) -> int:
    return next(each.score_e9 for each in found.logics if each.logic is RoutingLogic.PASSIVE_SPLIT)


@pytest.mark.parametrize("happens", [lambda _: None, Venue.restart, Venue.load])
def test_a_slice_is_split_as_the_planner_solved_it_for_one_like_it(
    happens: Callable[[Venue], None],
) -> None:
    desk = Venue(taker_fee_e9=3_000_000)
    before = desk.order()
    assert before.logic is not RoutingLogic.PASSIVE_SPLIT, "by the closed form it costs more"
    assert split_score(before) > before.logics[0].score_e9
    (solved,) = desk.solve()
    assert solved.model == MODEL
    happens(desk)
    (kept,) = desk.shard.application.state.placements[ACME].values()
    assert kept == solved
    after = desk.order(StrategyKind.VWAP)
    assert after.logic is RoutingLogic.PASSIVE_SPLIT
    assert (after.model, after.gap_bps_e9) == (solved.model, solved.gap_bps_e9)
    assert after.logics[0].score_e9 == solved.cost_bps_e9
    rests = {leg.venue_id: leg.quantity for leg in solved.legs if leg.quantity}
    placed = desk.placed(after)
    assert {venue: each for (venue, does_rest), each in placed.items() if does_rest} == rests
    # It wants more than was solved: that is taken, and nothing more rests.
    assert sum(placed.values()) == after.quantity > solved.quantity
    desk.shard.prove()


def test_without_a_planner_the_closed_form_splits_and_says_so() -> None:
    """Venues that pay who takes and charge who rests: to rest in a hurry costs more there."""
    desk = Venue(taker_fee_e9=-3_000_000, maker_fee_e9=8_000_000)
    found = desk.order()
    assert (found.logic, found.model) == (RoutingLogic.PASSIVE_SPLIT, CLOSED_FORM)
    assert found.gap_bps_e9 is None, "a closed form has no certificate"
    assert found.logics[0].reason == "nothing was solved for this size"
    assert found.logics[0].score_e9 == min(each.score_e9 for each in found.logics if each.score_e9)
    assert sum(desk.placed(found).values()) == found.quantity
    desk.shard.prove()
