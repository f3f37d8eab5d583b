"""A venue that fills every child at once, and a feed of still books: the outside of a benchmark.

A process of its own, so that it does not share the engine's interpreter. It answers NEW and TRADE
to each ChildPlaced, and keeps three books fresh; nothing of the simulator's market is in it.
"""

import itertools
import sys
import time
from hashlib import blake2b
from typing import Any

from confluent_kafka import Producer, TopicPartition

from benchmarks.cluster import INSTRUMENT, PRICE_E9, TICK_E9, VENUES
from schemas.messages.core import (
    BookState,
    ExecType,
    Level,
    Liquidity,
    OrderStatus,
)
from schemas.messages.market import BookUpdated
from schemas.messages.routing import ChildPlaced
from schemas.messages.venues import ExecutionReport
from services.cli.log import consumer, records
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.topics import CHILDREN_EVENTS, MARKET_DATA, VENUES_REPORTS

BOOK_SECONDS = 0.5  # a book older than two seconds is no quote
DEPTH = 1_000_000_000
CHILDREN_MAX = 5_000


def main() -> None:
    bootstrap = sys.argv[1]
    Venue(bootstrap).run()


class Venue:
    def __init__(self, bootstrap: str) -> None:
        self._codec = AvroCodec()
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 0, "enable.idempotence": True}
        )
        self._reader = consumer(bootstrap)
        self._reader.assign([TopicPartition(CHILDREN_EVENTS, 0, 0)])
        self._ids = itertools.count()

    def run(self) -> None:
        """Run until killed."""
        quoted = 0.0
        while True:
            if time.monotonic() - quoted > BOOK_SECONDS:
                quoted = time.monotonic()
                for venue in VENUES:
                    self._send(MARKET_DATA, book(venue))
            first = self._reader.poll(BOOK_SECONDS / 2)
            if first is None:
                continue
            for record in records([first, *self._reader.consume(CHILDREN_MAX, 0)]):
                _, message = self._codec.decode(record.value)
                if isinstance(message, ChildPlaced):
                    self._send(VENUES_REPORTS, report(message, ExecType.NEW))
                    self._send(VENUES_REPORTS, report(message, ExecType.TRADE))
            self._producer.poll(0)

    def _send(self, topic: str, message: Any) -> None:
        identity = blake2b(f"venue/{next(self._ids)}".encode(), digest_size=16).digest()
        envelope = outside_envelope(identity, time.time_ns(), "bench-venue")
        value = self._codec.encode(envelope, message)
        while True:
            try:
                self._producer.produce(topic, value, INSTRUMENT.encode(), 0)
            except BufferError:
                self._producer.poll(0.01)
            else:
                return


def book(venue: str) -> BookUpdated:
    return BookUpdated(
        venue_id=venue,
        instrument_id=INSTRUMENT,
        state=BookState.OPEN,
        bids=(Level(price_e9=PRICE_E9 - TICK_E9, quantity=DEPTH),),
        asks=(Level(price_e9=PRICE_E9 + TICK_E9, quantity=DEPTH),),
    )


def report(child: ChildPlaced, kind: ExecType) -> ExecutionReport:
    is_trade = kind is ExecType.TRADE
    filled = child.quantity if is_trade else 0
    return ExecutionReport(
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        child_id=child.child_id,
        venue_order_id=f"V/{child.child_id}",
        exec_id=f"{child.child_id}/{kind.value}",
        exec_ref_id="",
        exec_type=kind,
        order_status=OrderStatus.FILLED if is_trade else OrderStatus.NEW,
        side=child.side,
        last_quantity=filled,
        last_price_e9=child.price_e9 if is_trade else None,
        cumulative_quantity=filled,
        leaves_quantity=child.quantity - filled,
        fee_e9=3_000_000 * filled,
        liquidity=Liquidity.REMOVED if is_trade else Liquidity.UNKNOWN,
        text="",
        transact_ns=time.time_ns(),
    )


if __name__ == "__main__":
    main()
