"""A wide market: dark pools and an ATS of different quality, which somebody can learn."""

from collections import Counter, defaultdict
from statistics import mean
from typing import Any

import pytest

from schemas.messages.control import VenueDefined
from schemas.messages.core import BookState, ExecType, OrderType, Side, VenueKind
from schemas.messages.market import BookUpdated, TradePrinted
from schemas.messages.venues import ExecutionReport
from services.venues.assumptions import LIT_SHARES
from services.venues.conditions import Conditions
from services.venues.dark import midpoint
from services.venues.pools import ATS, HORIZON_NS, POOLS
from services.venues.scenario import Day, Scenario, definitions, plan_day
from tests.support.venue_driver import VenueDriver, child_placed

SECOND = 1_000_000_000
STEP_NS = 5 * SECOND
WIDE = Conditions(is_wide=True, impact_per_cent=0)
SCENARIO = Scenario(seed=3, minutes=30, orders=0, step_ns=STEP_NS, conditions=WIDE)
DARK = ("DUSK", "MIRK", "NOOK")


class Outcome:
    """What resting at the midpoint of each pool came to."""

    def __init__(self, day: Day) -> None:
        self.fills: dict[str, list[tuple[int, str, int, int]]] = defaultdict(list)
        self.mids: dict[str, list[int]] = defaultdict(list)
        self.heard: list[Any] = []
        self.placed = Counter[str]()
        driver = VenueDriver(day)
        for step in range(1, day.open_steps - 1):
            heard = [each.message for each in driver.step(self._children(day, step))]
            self.heard += heard
            for message in heard:
                if isinstance(message, ExecutionReport) and message.exec_type is ExecType.TRADE:
                    sign = 1 if message.side is Side.BUY else -1
                    fill = (step, message.instrument_id, sign, message.last_price_e9 or 0)
                    self.fills[message.venue_id].append(fill)
            books = [*driver.simulator.state.books.values()]
            for instrument_id in day.terms.instruments:
                own = (book for book in books if book.instrument_id == instrument_id)
                self.mids[instrument_id].append(midpoint(own) or 0)

    def _children(self, day: Day, step: int) -> list[Any]:
        children = []
        for number, instrument_id in enumerate(day.terms.instruments):
            for venue_id in DARK:
                self.placed[venue_id] += 1
                child = child_placed(
                    f"c{venue_id}.{step}.{number}",
                    venue_id=venue_id,
                    instrument_id=instrument_id,
                    side=Side.BUY if (step + number) % 2 else Side.SELL,
                    quantity=100,
                    order_type=OrderType.MIDPOINT,
                    price_e9=None,
                    self_trade_id="",
                )
                children.append(child)
        return children

    def markout_bps(self, venue_id: str) -> float:
        """Return the mean gain after the horizon; negative: whoever filled us knew."""
        later = HORIZON_NS // STEP_NS
        found = [
            sign * (self.mids[name][step - 1 + later] - price) / price * 1e4
            for step, name, sign, price in self.fills[venue_id]
            if step - 1 + later < len(self.mids[name])
        ]
        return mean(found)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return Outcome(plan_day(SCENARIO))


def test_the_pools_fill_at_different_rates(outcome: Outcome) -> None:
    counts = {venue_id: len(outcome.fills[venue_id]) for venue_id in DARK}
    assert counts["MIRK"] > 100 and counts["DUSK"] > 100
    assert all(count > 10 for count in counts.values()), counts


def test_whoever_fills_us_in_the_toxic_pool_knew(outcome: Outcome) -> None:
    assert outcome.markout_bps("MIRK") < -1
    assert abs(outcome.markout_bps("DUSK")) < 1
    assert outcome.markout_bps("MIRK") < outcome.markout_bps("DUSK") - 1


def test_the_block_pool_has_blocks_and_the_others_have_not() -> None:
    sizes = {pool.venue_id: max(pool.sizes) for pool in POOLS}
    assert sizes["NOOK"] > 10 * sizes["MIRK"]
    rates = {pool.venue_id: pool.per_mille for pool in POOLS}
    assert rates["NOOK"] < rates["MIRK"] / 10


def test_the_ats_shows_a_book_that_makes_no_quote(outcome: Outcome) -> None:
    books = [m for m in outcome.heard if isinstance(m, BookUpdated) and m.venue_id == ATS]
    assert sum(bool(b.bids and b.asks) for b in books if b.state is BookState.OPEN) > 1_000
    assert all(b.bids[0].price_e9 < b.asks[0].price_e9 for b in books if b.bids and b.asks)
    prints = Counter(m.venue_id for m in outcome.heard if isinstance(m, TradePrinted))
    share = prints[ATS] / sum(prints[venue_id] for venue_id in (*LIT_SHARES, ATS))
    assert 0.03 < share < 0.15


def test_the_venues_are_defined_as_what_they_are() -> None:
    kinds = {m.venue_id: m.kind for m in definitions(SCENARIO) if isinstance(m, VenueDefined)}
    assert Counter(kinds.values()) == {VenueKind.LIT: 3, VenueKind.DARK: 3, VenueKind.ATS: 1}
    assert kinds[ATS] is VenueKind.ATS


def test_an_ordinary_day_has_none_of_it() -> None:
    ordinary = plan_day(Scenario(seed=3, minutes=1, orders=0))
    assert set(ordinary.terms.venues) == {*LIT_SHARES, "DUSK"}
