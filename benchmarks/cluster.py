"""A broker, topics and reference data of a benchmark: one instrument, one shard, live clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.limits import APPROVER, approval, proposal
from infra.broker import EmbeddedBroker
from infra.topics import create_topics
from schemas.messages.control import AccountDefined, InstrumentDefined, VenueDefined
from schemas.messages.core import (
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
    VenueKind,
)
from schemas.messages.intake import NewOrder
from schemas.messages.market import TradePrinted
from services.demo.publish import publish
from streams.core.topics import CONTROL_COMMANDS, MARKET_DATA

INSTRUMENT = "BENCH"
ACCOUNTS = 40
VENUES = ("X1", "X2", "X3")
DAY_NS = 86_400_000_000_000
TRADE_DATE = 20261121
PRICE_E9 = 100_000_000_000
TICK_E9 = 10_000_000


class Cluster(NamedTuple):
    bootstrap: str
    log_id: bytes
    started_ns: int


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a broker with empty topics of one partition; it ends with the block."""
    with TemporaryDirectory(prefix="penstock-bench-") as folder:
        broker = EmbeddedBroker(Path(folder))
        broker.start()
        try:
            log_id = create_topics(broker.bootstrap, partitions=1)
            started_ns = time.time_ns()
            made = Cluster(broker.bootstrap, log_id, started_ns)
            _define(made)
            yield made
        finally:
            broker.stop()


def _define(made: Cluster) -> None:
    publish(
        made.bootstrap,
        CONTROL_COMMANDS,
        (("control", 0, message) for message in reference_data(made.started_ns)),
        at_ns=made.started_ns,
        actor="bench",
        log_id=made.log_id,
    )
    for topic, message, actor in (
        (CONTROL_COMMANDS, approval(), APPROVER),
        (MARKET_DATA, last_trade(), "bench"),
    ):
        publish(
            made.bootstrap,
            topic,
            [(INSTRUMENT, 0, message)],
            at_ns=made.started_ns,
            actor=actor,
            log_id=made.log_id,
        )


def reference_data(now_ns: int) -> list[Any]:
    """Return one instrument whose session is open at `now_ns`, its venues, accounts and limits."""
    instrument = InstrumentDefined(
        instrument_id=INSTRUMENT,
        symbol=INSTRUMENT,
        currency="USD",
        tick_e9=TICK_E9,
        lot=1,
        quantity_scale=1,
        maximum_quantity=10_000_000,
        session_open_ns=now_ns - DAY_NS,
        session_close_ns=now_ns + DAY_NS,
        trade_date=TRADE_DATE,
    )
    venues = [
        VenueDefined(
            venue_id=venue,
            name=venue,
            kind=VenueKind.LIT,
            taker_fee_e9=3_000_000,
            maker_fee_e9=-2_000_000,
            taker_fee_ppm=0,
            maker_fee_ppm=0,
            minimum_quantity=1,
            latency_ns=100_000,
        )
        for venue in VENUES
    ]
    accounts = [
        AccountDefined(account_id=f"A{n}", client_id=f"C{n}", tenant="T", is_enabled=True)
        for n in range(ACCOUNTS)
    ]
    return [instrument, *venues, *accounts, proposal()]


def last_trade() -> TradePrinted:
    """Return a trade to hold prices against."""
    return TradePrinted(
        venue_id=VENUES[0],
        instrument_id=INSTRUMENT,
        price_e9=PRICE_E9,
        quantity=100,
        own_quantity=0,
        aggressor=Side.BUY,
        is_hidden=False,
    )


def order(number: int, *, urgency: Urgency, strategy: StrategyKind, start_ns: int) -> NewOrder:
    """Return the number-th small order; both sides in turn, nothing crosses by itself."""
    return NewOrder(
        tenant="T",
        source="BENCH-OMS",
        client_order_id=f"B{number}",
        account_id=f"A{number % ACCOUNTS}",
        desk_id="D1",
        instrument_id=INSTRUMENT,
        trade_date=TRADE_DATE,
        side=Side.BUY if number % 2 else Side.SELL,
        quantity=100 + number % 7 * 100,
        order_type=OrderType.MARKET,
        limit_price_e9=None,
        time_in_force=TimeInForce.DAY,
        strategy=strategy,
        urgency=urgency,
        start_ns=start_ns,
        end_ns=0,
        participation_cap_bps=10_000,
        is_cross_allowed=False,
        is_dark_allowed=False,
    )
