"""Join a gateway to a log: settings of the runtime, inbox and loop."""

from collections.abc import Callable

from schemas.messages.core import ClockMode
from services.fix.gateway.application import Gateway
from streams.adapters.clock import WallClock
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.journal_inbox import JournalInbox
from streams.runtime.observer import NOBODY, Observer
from streams.runtime.ports import Clock, Codec, Log, TopicPartition
from streams.runtime.settings import SLOTS, SNAPSHOT_PATIENCE, HostSettings
from streams.runtime.versions import code_version, library_versions, schema_version

__all__ = ["GATEWAY_SHARDS", "gateway_host", "gateway_settings"]

# Event ids are made of log id, shard and seq: numbers that no engine's partition ever has.
GATEWAY_SHARDS = 65_000


def gateway_settings(
    gateway: Gateway,
    *,
    name: str,
    log_id: bytes,
    partitions: int,
    config_version: str,
    snapshot_batches: int = 1_000,
) -> HostSettings:
    """Return the runtime's settings of a gateway over `partitions` engine shards."""
    number = gateway.number
    followed = (*gateway.engine_topics, topics.ENGINE_JOURNAL) if gateway.engine_topics else ()
    return HostSettings(
        name=f"fix-{name}",
        shard=GATEWAY_SHARDS + number,
        log_id=log_id,
        mode=ClockMode.LIVE,
        urgent_inputs=tuple(TopicPartition(topic, 0) for topic in gateway.single_topics),
        inputs=(
            *(TopicPartition(topics.FIX_RECEIVED, each) for each in (number, *gateway.watched)),
            *(
                TopicPartition(topic, shard)
                for shard in range(partitions)
                for topic in (*gateway.keyed_topics, *followed)
            ),
        ),
        journal=TopicPartition(topics.FIX_JOURNAL, number),
        snapshots=TopicPartition(topics.FIX_SNAPSHOTS, number),
        pointers=TopicPartition(topics.FIX_SNAPSHOT_POINTERS, number),
        dead_letters=None,
        outputs=(
            TopicPartition(topics.FIX_SENDING, number),
            TopicPartition(topics.FIX_DECISIONS, number),
            *(
                TopicPartition(topic, shard)
                for topic in gateway.publishes
                for shard in range(partitions)
            ),
            *(TopicPartition(topic, 0) for topic in gateway.single_publishes),
        ),
        shared_outputs=(*gateway.publishes, *gateway.single_publishes),
        # With one id the next transaction waits in the client, 20 ms, for the markers of the last;
        # a gateway, which every order passes twice, commits one right after the other.
        slots=SLOTS,
        snapshot_batches=snapshot_batches,
        snapshot_patience=SNAPSHOT_PATIENCE,
        code_version=code_version(),
        config_version=config_version,
        schema_version=schema_version(),
        library_versions=library_versions(),
    )


def gateway_host(
    log: Log,
    codec: Codec,
    settings: HostSettings,
    make_gateway: Callable[[], Gateway],
    *,
    clock: Clock | None = None,
    observer: Observer = NOBODY,
) -> ShardHost:
    """Return the loop. `make_gateway()` gives the application anew at each take-over."""
    wall = clock or WallClock()
    followed, publishes = make_gateway().engine_topics, make_gateway().publishes
    shards = [each.partition for each in settings.outputs if each.topic in publishes]

    def make_application() -> Gateway:
        gateway = make_gateway()
        gateway.partitions = max(shards, default=0) + 1
        return gateway

    return ShardHost(
        log,
        codec,
        settings,
        make_application=make_application,
        inbox=JournalInbox(log, codec, settings, followed, wall, is_standing=True),
        clock=wall,
        observer=observer,
    )
