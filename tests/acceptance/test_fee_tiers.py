"""Fees by tier: own volume makes a venue cheap, and all who believe its fees hear of it."""

from collections.abc import Iterator

import pytest

from schemas.messages.core import (
    ExecType,
    FeeTier,
    Level,
    Liquidity,
    OrderKind,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from schemas.messages.routing import ChildPlaced, FillBooked
from schemas.messages.scorecard import VenueScored
from schemas.messages.venues import ExecutionReport
from services.venues.executions import Executions
from services.venues.mishaps import apply_change
from services.venues.outbox import StepOutbox
from services.venues.state import Child, Delayed, SimulatorState
from services.venues.terms import Terms
from streams.core import topics
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.shard_host import ListHost, trading_host

PRICE, BPS_E9 = 10_000 * TICK, 10_000 * 10**9
BASE, TIER, RIVAL = 4_000_000, 1_000_000, 3_000_000  # of taking a share, 1e-9 currency units
FROM = 150
TIERS = (FeeTier(from_quantity=FROM, taker_fee_e9=TIER, maker_fee_e9=-2_500_000),)


def taking(child_id: str, quantity: int, venue_id: str = "V2") -> Child:
    """Return a child as its venue knows it."""
    return Child(
        child_id,
        "P",
        venue_id,
        ACME,
        Side.BUY,
        quantity,
        OrderType.LIMIT,
        10_001 * TICK,
        TimeInForce.IOC,
        0,
        "",
        bytes(16),
        leaves=quantity,
    )


class Street:
    """A shard, and venues that charge as the simulator's do and fill whatever comes."""

    def __init__(self, tiers: tuple[FeeTier, ...] = TIERS) -> None:
        v2 = venue_defined("V2", taker_fee_e9=BASE, fee_tiers=tiers)
        self.host: ListHost = trading_host(v2, venues=2)
        self.state = SimulatorState()
        venues = {"V1": venue_defined("V1", taker_fee_e9=RIVAL), "V2": v2}
        self.terms = Terms(
            seed=1,
            start_ns=OPEN_NS,
            step_ns=SECOND,
            last_ns=OPEN_NS + 3_600 * SECOND,
            venues=venues,
            instruments={ACME: instrument_defined()},
        )
        self._desk = Executions(self.terms, self.state, StepOutbox(OPEN_NS, venues))
        self._orders = 0

    def buy(self, quantity: int, sizes: dict[str, int]) -> list[FillBooked]:
        """Take at the offer, where each venue shows so much; return what was booked."""
        self._orders += 1
        self.show(sizes)
        order = new_order(
            f"c{self._orders}",
            quantity=quantity,
            strategy=StrategyKind.IMMEDIATE,
            urgency=Urgency.URGENT,
        )
        heard = self.host.send(topics.ORDERS_COMMANDS, order)
        heard += self.host.pass_time(2 * SECOND)
        booked: list[FillBooked] = []
        for placed in [each for each in heard if isinstance(each, ChildPlaced)]:
            said = self.host.send(
                topics.VENUES_REPORTS,
                self.fill(taking(placed.child_id, placed.quantity, placed.venue_id)),
            )
            booked += [each for each in said if isinstance(each, FillBooked)]
        return booked

    def wait(self, seconds: int) -> None:
        """Let time pass with books that stay fresh."""
        for _ in range(seconds):
            self.show({"V1": 1_000, "V2": 1_000})
            self.host.step(self.host.now_ns + SECOND)

    def show(self, sizes: dict[str, int]) -> None:
        """Publish books of one offer."""
        for venue_id, size in sizes.items():
            offer = (Level(price_e9=10_001 * TICK, quantity=size),)
            self.host.put(topics.MARKET_DATA, book_updated(venue_id, asks=offer))

    def fill(self, child: Child) -> ExecutionReport:
        """Return the report of a child that takes all that it wants."""
        child.leaves = 0
        return self._desk.execute(
            child, child.quantity, 10_001 * TICK, Liquidity.REMOVED, self.host.now_ns
        )

    def scores(self) -> Iterator[VenueScored]:
        """Yield what taking at V2 was scored, oldest first."""
        for each in self.host.messages(VenueScored):
            if (each.venue_id, each.kind, each.side) == ("V2", OrderKind.AGGRESSIVE, Side.BUY):
                yield each


def test_a_venue_that_crosses_its_tier_gets_the_next_order_and_charges_less() -> None:
    street = Street()
    both = {"V1": 1_000, "V2": 1_000}
    (before,) = street.buy(100, both)
    assert (before.venue_id, before.fee_e9) == ("V1", 100 * RIVAL)

    crossing = street.buy(200, {"V1": 40, "V2": 1_000})
    fees = {each.venue_id: (each.quantity, each.fee_e9) for each in crossing}
    assert fees == {"V1": (40, 40 * RIVAL), "V2": (160, 160 * BASE)}

    (after,) = street.buy(100, both)
    assert (after.venue_id, after.quantity, after.fee_e9) == ("V2", 100, 100 * TIER)


def test_the_scorecard_believes_the_fee_of_the_tier() -> None:
    """Two streets with the same fills at the same fees; in one of them they reached a tier."""
    known = []
    for street in (Street(()), Street()):
        street.buy(200, {"V1": 50, "V2": 1_000})
        street.wait(10)
        known.append(next(street.scores()))
    plain, cheaper = known
    assert plain.fee.mean_e9 == pytest.approx(BPS_E9 * BASE // PRICE, rel=1e-3)
    # What is believed of a venue counts four children beside the one that paid the base fee.
    assert cheaper.fee.mean_e9 == pytest.approx(BPS_E9 * (BASE + 4 * TIER) // (5 * PRICE), rel=1e-3)
    assert cheaper.score.mean_e9 < plain.score.mean_e9


def test_a_bust_takes_its_volume_back() -> None:
    street, first = Street(), taking("C1", 160)
    fill = street.fill(first)
    assert (fill.fee_e9, street.state.volumes) == (160 * BASE, {"V2": 160})
    assert street.fill(taking("C2", 10)).fee_e9 == 10 * TIER
    first.executions.append(fill)
    change = Delayed(street.host.now_ns, "C1", None, changes_exec_id=fill.exec_id)
    bust = apply_change(street.terms, first, change, street.state.volumes)
    assert (bust.exec_type, street.state.volumes) == (ExecType.TRADE_CANCEL, {"V2": 10})
    assert street.fill(taking("C3", 10)).fee_e9 == 10 * BASE
