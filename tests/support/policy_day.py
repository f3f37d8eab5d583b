"""A shard, one order with a policy, a market that trades as foreseen, a venue that fills or not."""

from typing import Any, TypeVar

from schemas.messages.core import ExecType, OrderStatus, Side, StrategyKind
from schemas.messages.market import TradePrinted
from schemas.messages.routing import ChildCancelRequested, ChildPlaced, ChildStatusRequested
from streams.core import topics
from tests.support.builders import (
    ACME,
    MINUTE,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    instrument_defined,
    new_order,
    volume_curve,
)
from tests.support.model_venue import ModelVenue
from tests.support.shard_host import ListHost, trading_host

__all__ = ["PolicyDay"]

VENUES = ("V1", "V2", "V3")
VOLUME_PER_SECOND = 28  # as volume_curve() expects: 8,400 in five minutes
EXPIRED = (OrderStatus.EXPIRED, ExecType.EXPIRED)
Found = TypeVar("Found")


class PolicyDay:
    """Half an hour for an order to buy; the market stands at 100.00 and trades all the time."""

    def __init__(self, *definitions: Any, **order: Any) -> None:
        self.host: ListHost = trading_host(
            instrument_defined(average_daily_volume=650_000), volume_curve(), *definitions
        )
        self.venue = ModelVenue(lambda choices: choices - 1)
        self.volume = VOLUME_PER_SECOND
        self.middle, self.half_spread = 10_000, 1  # ticks
        terms = {
            "strategy": StrategyKind.IMPLEMENTATION_SHORTFALL,
            "quantity": 4_000,
            "end_ns": OPEN_NS + 30 * MINUTE,
        }
        self._deliver(self.host.send(topics.ORDERS_COMMANDS, new_order(**{**terms, **order})))

    @property
    def minutes(self) -> float:
        return (self.host.now_ns - OPEN_NS) / MINUTE

    def run(self, seconds: int, *, is_filling: bool = True) -> None:
        """Let time pass; without filling, children rest and sweeps find nothing."""
        for _ in range(seconds):
            books = [
                book_updated(name, self.middle - self.half_spread, self.middle + self.half_spread)
                for name in VENUES
            ]
            self.host.put(topics.MARKET_DATA, *books, *self._trades())
            self._answer(is_filling=is_filling)
            self._deliver(self.host.step(self.host.now_ns + SECOND))

    def put(self, topic: str, *messages: Any) -> None:
        """Let the shard read these with the next step, which is now."""
        self._deliver(self.host.send(topic, *messages))

    def all(self, *kinds: type[Found]) -> list[Found]:
        return self.host.messages(*kinds)

    def _trades(self) -> list[TradePrinted]:
        if not self.volume:
            return []
        return [
            TradePrinted(
                venue_id="V1",
                instrument_id=ACME,
                price_e9=self.middle * TICK,
                quantity=self.volume,
                own_quantity=0,
                aggressor=Side.BUY,
                is_hidden=False,
            )
        ]

    def _answer(self, *, is_filling: bool) -> None:
        venue = self.venue
        for child_id in list(venue.live):
            if is_filling:
                venue.fill(child_id, venue.orders[child_id].leaves)
        while venue.inbox:
            what, child_id, _ = venue.inbox[0]
            order = venue.orders[child_id]
            if what == "new" and order.is_immediate and not is_filling:
                order.is_immediate = False
                venue.answer()
                venue.close(child_id, *EXPIRED)
            else:
                venue.answer()
        reports, venue.outbox = venue.outbox, []
        self.host.put(topics.VENUES_REPORTS, *reports)

    def _deliver(self, messages: list[Any]) -> None:
        for message in messages:
            if isinstance(message, ChildPlaced):
                self.venue.place(message)
            elif isinstance(message, ChildCancelRequested):
                self.venue.ask("cancel", message.child_id, message.request)
            elif isinstance(message, ChildStatusRequested):
                self.venue.ask("status", message.child_id, message.request)
