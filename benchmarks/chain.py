"""The whole chain: order in, netted, worked, filled by a venue, allocated, closed."""

import time
from typing import NamedTuple

from benchmarks.cluster import INSTRUMENT, Cluster, order
from benchmarks.engine import running, wait_for_closed
from benchmarks.raw_copy import Rate
from schemas.messages.core import StrategyKind, Urgency
from services.cli.replay import replay_shard
from services.demo.publish import publish
from streams.core.topics import ORDERS_COMMANDS
from streams.runtime.replay import ReplayReport


class ChainRates(NamedTuple):
    chain: Rate
    replay: ReplayReport
    rss_mb: int


def measure(made: Cluster, *, orders: int) -> ChainRates:
    """Send `orders` immediate orders as fast as the broker takes them; time to the last closed.

    They net in windows of a second, as by default; both sides, no crossing. Then the log is
    replayed, for its rate against the live one.
    """
    with running(made.bootstrap) as processes:
        time.sleep(1.5)  # the venue's first books
        started = time.monotonic()
        publish(
            made.bootstrap,
            ORDERS_COMMANDS,
            (
                (
                    INSTRUMENT,
                    0,
                    order(
                        number,
                        urgency=Urgency.NEUTRAL,
                        strategy=StrategyKind.IMMEDIATE,
                        start_ns=0,
                    ),
                )
                for number in range(orders)
            ),
            at_ns=made.started_ns,
            actor="bench",
            log_id=made.log_id,
        )
        seconds = wait_for_closed(made.bootstrap, orders) - started
        rss_mb = processes.rss_mb()
    replay = replay_shard(made.bootstrap, 0, 1, from_snapshot=False)
    return ChainRates(Rate(orders, seconds), replay, rss_mb)
