"""What a host is told about its shard: topics, ids, limits."""

from dataclasses import dataclass

from schemas.messages.core import ClockMode
from streams.core import topics
from streams.runtime.ports import TopicPartition

__all__ = ["SLOTS", "SNAPSHOT_PATIENCE", "HostSettings", "engine_settings"]

SLOTS = 4  # always fenced, whatever the configuration uses
SNAPSHOT_PATIENCE = 10  # of shards that somebody waits for
URGENT = (topics.KILL_COMMANDS, topics.CONTROL_COMMANDS, topics.PLANS_EVENTS)
KEYED = (topics.VENUES_REPORTS, topics.MARKET_DATA, topics.ORDERS_COMMANDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """One shard of one application. Everything that decides what its log looks like."""

    name: str  # actor of its events and first part of its transactional ids
    shard: int
    log_id: bytes  # 16 random bytes of this generation of topics
    mode: ClockMode
    urgent_inputs: tuple[TopicPartition, ...]  # read to their end at the start, applied first
    inputs: tuple[TopicPartition, ...]  # in order of priority (LIVE)
    journal: TopicPartition
    snapshots: TopicPartition
    pointers: TopicPartition
    dead_letters: str | None  # None: an input that cannot be decoded is corrupt history
    outputs: tuple[TopicPartition, ...] = ()  # empty: the shard's own of each output topic
    shared_outputs: tuple[str, ...] = ()  # output topics that others write to as well
    slots: int = 1  # transactional ids in use, at most SLOTS
    batch_records_max: int = 2_000
    heartbeat_ns: int = 1_000_000_000
    commit_pause_ms: int = 0  # between a commit and the next read, while its markers are written
    snapshot_batches: int = 1_000
    snapshot_patience: int = 1  # LIVE: so many times as many under load that never pauses
    seed: int | None = None  # entropy follows from it; None: from the operating system
    code_version: str = ""
    config_version: str = ""
    schema_version: str = ""
    library_versions: str = ""

    @property
    def input_partitions(self) -> tuple[TopicPartition, ...]:
        return self.urgent_inputs + self.inputs

    def transactional_id(self, slot: int) -> str:
        return f"{self.name}-{self.shard}-{slot}"


def engine_settings(shard: int, mode: ClockMode, log_id: bytes, **changes: object) -> HostSettings:
    """Return the settings of one engine shard; `changes` replace fields by name."""
    values: dict[str, object] = {
        "name": "engine",
        "shard": shard,
        "mode": mode,
        "log_id": log_id,
        "urgent_inputs": tuple(TopicPartition(topic, 0) for topic in URGENT),
        "inputs": tuple(TopicPartition(topic, shard) for topic in KEYED),
        "journal": TopicPartition(topics.ENGINE_JOURNAL, shard),
        "snapshots": TopicPartition(topics.ENGINE_SNAPSHOTS, shard),
        "pointers": TopicPartition(topics.ENGINE_SNAPSHOT_POINTERS, shard),
        "dead_letters": topics.DEAD_LETTERS,
    }
    return HostSettings(**{**values, **changes})  # type: ignore[arg-type]  # fields by name
