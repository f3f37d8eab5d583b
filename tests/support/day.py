"""A seeded day of one shard in memory: clients, a market, and a venue with or without manners."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random
from typing import Any

import msgspec

from schemas.messages.control import VolumeCurveDefined
from schemas.messages.core import OrderType, Side, StrategyKind, TimeInForce, Urgency, VenueKind
from schemas.messages.market import TradePrinted
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    ChildStatusRequested,
)
from streams.core import topics
from streams.runtime.ports import RecordedBatch
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    cancel_order,
    crossing_declared,
    instrument_defined,
    new_order,
    replace_order,
    settings_loaded,
    venue_defined,
)
from tests.support.model_venue import ModelVenue
from tests.support.shard_host import ListHost, trading_host

__all__ = ["STRATEGY", "Day", "main"]

NAMES = ("ACME", "BOLT")
VENUES = ("V1", "V2", "V3")
TRADING_SECONDS = 90  # in which clients send orders
END_SECONDS = 150  # when every order ends
DAY_SECONDS = 190  # time for the last answers
STRATEGY = {"slot_ns": 10 * SECOND, "bin_ns": 10 * SECOND}


def curve(instrument_id: str) -> VolumeCurveDefined:
    """Return a flat curve of bins of 30 s."""
    return VolumeCurveDefined(
        instrument_id=instrument_id,
        model="flat/1",
        bin_ns=30 * SECOND,
        first_bin_ns=OPEN_NS,
        log_volume_e9=(6_900_000_000,) * 10,
        a_eta_e9=1_000_000_000,
        a_mu_e9=500_000_000,
        var_eta_e9=10_000_000,
        var_mu_e9=50_000_000,
        var_noise_e9=100_000_000,
    )


class Day:
    """One run. `is_calm`: the venue rejects nothing, answers all and fills whatever rests.

    `definitions` come behind the usual ones and replace them.
    """

    def __init__(self, seed: int, *, is_calm: bool, definitions: Sequence[Any] = ()) -> None:
        self.random = Random(seed)
        self.is_calm = is_calm
        self.host: ListHost = trading_host(
            instrument_defined(instrument_id="BOLT"),
            venue_defined("D1", kind=VenueKind.DARK),
            crossing_declared(),
            curve("ACME"),
            settings_loaded(strategy=STRATEGY),
            *definitions,
        )
        choose = self._last if is_calm else self.random.randrange
        self.venue = ModelVenue(choose)
        self.sent: list[str] = []  # client order ids of new orders
        self._commands = 0

    @staticmethod
    def _last(choices: int) -> int:
        return choices - 1

    def run(self, after_batch: Callable[[RecordedBatch], None] = lambda batch: None) -> None:
        """Play the day second by second; `after_batch` sees each batch as it was recorded."""
        for second in range(1, DAY_SECONDS + 1):
            now_ns = OPEN_NS + second * SECOND
            if second <= TRADING_SECONDS:
                self._trade_clients()
            self._publish_market()
            is_over = second > END_SECONDS + 20  # from then on the venue only clears up
            self._work_venue(is_generous=self.is_calm or second > END_SECONDS)
            if not (self.is_calm or is_over) and self.random.randrange(8) == 0:
                self._mishap()
            self._deliver(self.host.step(now_ns), is_prompt=self.is_calm or is_over)
            after_batch(self.host.batches[-1])

    def digest(self) -> str:
        """Return a hash of every event and of the state at the end."""
        digest = sha256()
        for batch in self.host.batches:
            for event in batch.outputs:
                digest.update(event.envelope.event_id)
                digest.update(event.envelope.causation_id)
                digest.update(msgspec.msgpack.encode(event.message))
        digest.update(self.host.app.snapshot())
        return digest.hexdigest()

    def _trade_clients(self) -> None:
        for _ in range(self.random.randrange(4)):
            self._send(self._new_order())
        if self.sent and self.random.randrange(6) == 0:
            self._send(cancel_order(self._id(), self.random.choice(self.sent), **self._other()))
        if self.sent and self.random.randrange(6) == 0:
            quantity = self.random.randrange(1, 400)
            original = self.random.choice(self.sent)
            self._send(replace_order(self._id(), original, quantity=quantity, **self._other()))

    def _id(self) -> str:
        self._commands += 1
        return f"c{self._commands}"

    def _other(self) -> dict[str, Any]:
        return {"instrument_id": self.random.choice(NAMES)}

    def _send(self, message: Any) -> None:
        self.host.put(topics.ORDERS_COMMANDS, message)
        if self.random.randrange(10) == 0:  # an OMS that did not see the answer
            self.host.put(topics.ORDERS_COMMANDS, message)

    def _new_order(self) -> Any:
        random = self.random
        client_order_id = self._id()
        self.sent.append(client_order_id)
        side = random.choice((Side.BUY, Side.SELL))
        is_limited = random.randrange(4) == 0
        limit = (10_010 if side is Side.BUY else 9_990) * TICK
        strategy = random.choice((StrategyKind.VWAP, StrategyKind.TWAP, StrategyKind.IMMEDIATE))
        is_ioc = strategy is StrategyKind.IMMEDIATE and random.randrange(4) == 0
        return new_order(
            client_order_id,
            account_id=f"A{random.randrange(1, 10)}",
            instrument_id=random.choice(NAMES),
            side=side,
            quantity=random.randrange(1, 300),
            order_type=OrderType.LIMIT if is_limited else OrderType.MARKET,
            limit_price_e9=limit if is_limited else None,
            time_in_force=TimeInForce.IOC if is_ioc else TimeInForce.DAY,
            strategy=strategy,
            urgency=random.choice((Urgency.NEUTRAL, Urgency.NEUTRAL, Urgency.URGENT)),
            end_ns=OPEN_NS + END_SECONDS * SECOND,
        )

    def _publish_market(self) -> None:
        middle = 10_000 + self.random.randrange(-3, 4)
        for name in NAMES:
            books = [
                book_updated(venue_id, middle - 1, middle + 1, instrument_id=name)
                for venue_id in VENUES
            ]
            trade = TradePrinted(
                venue_id="V1",
                instrument_id=name,
                price_e9=middle * TICK,
                quantity=self.random.randrange(1, 60),
                own_quantity=0,
                aggressor=Side.BUY,
                is_hidden=False,
            )
            self.host.put(topics.MARKET_DATA, *books, trade)

    def _work_venue(self, *, is_generous: bool) -> None:
        venue, random = self.venue, self.random
        while venue.inbox and (is_generous or random.randrange(5)):
            venue.answer()
        for child_id in tuple(venue.live):
            leaves = venue.orders[child_id].leaves
            if is_generous or random.randrange(3) == 0:
                venue.fill(child_id, leaves if is_generous else random.randrange(1, leaves + 1))

    def _mishap(self) -> None:
        if not self.venue.executions:
            return
        index = self.random.randrange(len(self.venue.executions))
        if self.random.randrange(2):
            self.venue.bust(index)
        else:
            quantity = self.venue.executions[index].quantity
            self.venue.correct(index, self.random.randrange(quantity, quantity + 5))

    def _deliver(self, messages: list[Any], *, is_prompt: bool) -> None:
        venue = self.venue
        for message in messages:
            if isinstance(message, ChildPlaced):
                venue.place(message)
            elif isinstance(message, ChildCancelRequested):
                venue.ask("cancel", message.child_id, message.request)
            elif isinstance(message, ChildStatusRequested):
                venue.ask("status", message.child_id, message.request)
        reports, venue.outbox = venue.outbox, []
        if not is_prompt:
            held = self.random.randrange(len(reports) + 1) // 3
            venue.outbox = reports[len(reports) - held :]  # late reports of this second
            reports = reports[: len(reports) - held]
            self.random.shuffle(reports)
            reports += reports[:1]  # and one twice
        self.host.put(topics.VENUES_REPORTS, *reports)


def main(seed: int) -> str:
    """Play a wild day and return its digest."""
    day = Day(seed, is_calm=False)
    day.run()
    return day.digest()
