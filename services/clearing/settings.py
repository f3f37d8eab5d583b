"""Settings of clearing, and what the runtime must know of it."""

import json
from hashlib import sha256

from schemas.messages.core import ClockMode
from services.clearing.application import ENGINE_TOPICS
from streams.core import topics
from streams.runtime.ports import TopicPartition
from streams.runtime.settings import HostSettings
from streams.runtime.versions import code_version, library_versions, schema_version

__all__ = ["CLEARER_ID", "CLEARING_SHARD", "clearing_settings"]

# Event ids are made of log id, shard and seq: a number that no engine's partition ever has.
CLEARING_SHARD = 65_534
CLEARER_ID = "clearer"


def clearing_settings(
    partitions: int, log_id: bytes, *, clearer_id: str = CLEARER_ID, snapshot_batches: int = 500
) -> HostSettings:
    """Return the runtime's settings of clearing over `partitions` engine shards."""
    return HostSettings(
        name="clearing",
        shard=CLEARING_SHARD,
        log_id=log_id,
        mode=ClockMode.LIVE,
        urgent_inputs=(
            TopicPartition(topics.CONTROL_COMMANDS, 0),
            TopicPartition(topics.CLEARING_STATUSES, 0),
        ),
        inputs=tuple(
            TopicPartition(topic, shard)
            for shard in range(partitions)
            for topic in (*ENGINE_TOPICS, topics.ENGINE_JOURNAL)
        ),
        journal=TopicPartition(topics.CLEARING_JOURNAL, 0),
        snapshots=TopicPartition(topics.CLEARING_SNAPSHOTS, 0),
        pointers=TopicPartition(topics.CLEARING_SNAPSHOT_POINTERS, 0),
        dead_letters=None,
        outputs=tuple(
            TopicPartition(topics.CLEARING_REPORTS, shard) for shard in range(partitions)
        ),
        shared_outputs=(topics.CLEARING_REPORTS,),  # a reconciliation writes there too
        commit_pause_ms=2,
        snapshot_batches=snapshot_batches,
        code_version=code_version(),
        config_version=sha256(json.dumps({"clearer_id": clearer_id}).encode()).hexdigest(),
        schema_version=schema_version(),
        library_versions=library_versions(),
    )
