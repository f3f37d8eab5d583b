"""The netting slice: order in, accepted and netted out, exactly once, beside the raw copy."""

import time
from typing import NamedTuple

from confluent_kafka import TopicPartition

from benchmarks.cluster import DAY_NS, INSTRUMENT, Cluster, order
from benchmarks.raw_copy import Rate, raw_copy
from schemas.messages.core import ClockMode, StrategyKind, Urgency
from services.demo.publish import publish
from streams.adapters.clock import WallClock
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import ORDERS_COMMANDS, TCA_RESULTS
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.settings import HostSettings, engine_settings
from streams.shard import EngineShard


class NettingRates(NamedTuple):
    netting: Rate
    copy: Rate


def live_host(bootstrap: str, settings: HostSettings) -> ShardHost:
    """Return an engine shard on a live clock in this process."""
    log, codec, clock = KafkaLog(KafkaSettings(bootstrap=bootstrap)), AvroCodec(), WallClock()
    return ShardHost(
        log,
        codec,
        settings,
        make_application=lambda: EngineShard(settings.shard, 1, settings.log_id),
        inbox=LiveInbox(log, codec, settings, clock),
        clock=clock,
    )


def measure(made: Cluster, *, orders: int, batch: int) -> NettingRates:
    """Drain `orders` preloaded small orders with `batch` records a transaction."""
    later_ns = made.started_ns + DAY_NS // 2  # parents open and wait: the slice ends at netting
    commands = (
        (
            INSTRUMENT,
            0,
            order(n, urgency=Urgency.NEUTRAL, strategy=StrategyKind.TWAP, start_ns=later_ns),
        )
        for n in range(orders)
    )
    publish(
        made.bootstrap,
        ORDERS_COMMANDS,
        commands,
        at_ns=made.started_ns,
        actor="bench",
        log_id=made.log_id,
    )
    copy = raw_copy(
        made.bootstrap,
        TopicPartition(ORDERS_COMMANDS, 0, 0),
        TopicPartition(TCA_RESULTS, 0),
        orders,
        batch,
    )
    settings = engine_settings(0, ClockMode.LIVE, made.log_id, batch_records_max=batch)
    host = live_host(made.bootstrap, settings)
    host.take_over()
    started, taken = time.perf_counter(), 0
    while taken < orders:
        host.turn()
        taken = _accepted(host)
    seconds = time.perf_counter() - started
    host.close()
    return NettingRates(Rate(orders, seconds), copy)


def _accepted(host: ShardHost) -> int:
    application = host.application
    assert isinstance(application, EngineShard)
    return len(application.state.intake.orders)
