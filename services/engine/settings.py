"""Settings of the engine, from the command line or the environment (PENSTOCK_ENGINE_...)."""

from hashlib import sha256
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from schemas.messages.core import ClockMode
from services.metrics.settings import MetricsSettings
from streams.adapters.kafka import KafkaSettings
from streams.adapters.latch import default_directory
from streams.runtime.settings import SLOTS, SNAPSHOT_PATIENCE, HostSettings, engine_settings
from streams.runtime.versions import code_version, library_versions, schema_version

__all__ = ["EngineSettings", "ShardSettings"]


class EngineSettings(MetricsSettings):
    """What is the same for every shard of a host."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_ENGINE_", cli_kebab_case=True, cli_prog_name="penstock-engine"
    )

    bootstrap: str = Field(description="HOST:PORT of the Kafka cluster")
    mode: ClockMode = Field(
        default=ClockMode.LIVE, description="LIVE: wall clock; TAPE: market time"
    )
    seed: int | None = Field(
        default=None, description="Entropy follows from it; none: from the system"
    )
    slots: int = Field(
        default=1, ge=1, le=SLOTS, description="Transactional ids in use; 4 on replicas"
    )
    batch_records_max: int = Field(default=2_000, ge=1)
    snapshot_batches: int = Field(
        default=1_000,
        ge=1,
        description="Batches between two snapshots; ten times as many under load that never pauses",
    )
    heartbeat_ms: int = Field(default=1_000, ge=1)
    commit_pause_ms: int = Field(
        default=1, ge=0, description="Rest after a commit, LIVE with one transactional id only"
    )
    planner_wait_ms: int = Field(
        default=0,
        ge=0,
        description="TAPE: wait so long for a plan asked for in a step; 0: there is no planner",
    )
    transaction_timeout_ms: int = Field(default=10_000, ge=1_000)
    speed: int = Field(
        default=0, ge=0, description="LIVE on a clock so many times as fast; 0: wall clock"
    )
    clock_start_ns: int = Field(
        default=0, ge=0, description="Market time at which that clock starts"
    )
    group: str = Field(
        default="penstock-engine", description="Consumer group that assigns the shards"
    )
    kill_dir: Path = Field(
        default_factory=default_directory,
        description="Folder of local kill flags; default: PENSTOCK_KILL_DIR, else .penstock/kill",
    )
    hang_timeout_s: float = Field(
        default=60.0, gt=0, description="An engine silent for longer is killed"
    )
    recovery_timeout_s: float = Field(
        default=600.0, gt=0, description="The same before its first batch"
    )
    stop_timeout_s: float = Field(default=15.0, gt=0)

    def config_version(self) -> str:
        """Return the SHA-256 of what could change a decision, hex."""
        names = {"mode", "seed", "slots", "batch_records_max", "heartbeat_ms", "speed"}
        names |= {"planner_wait_ms"} if self.planner_wait_ms else set()
        return sha256(self.model_dump_json(include=names).encode()).hexdigest()

    def kafka(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap=self.bootstrap, transaction_timeout_ms=self.transaction_timeout_ms
        )

    def host(self, shard: int, log_id: bytes) -> HostSettings:
        """Return the runtime's settings of one shard."""
        return engine_settings(
            shard,
            self.mode,
            log_id,
            seed=self.seed,
            slots=self.slots,
            batch_records_max=self.batch_records_max,
            snapshot_batches=self.snapshot_batches,
            snapshot_patience=SNAPSHOT_PATIENCE,
            commit_pause_ms=self.commit_pause_ms if self._is_resting() else 0,
            # In units of the engine's own clock, which may run faster than the wall's.
            heartbeat_ns=self.heartbeat_ms * 1_000_000 * max(1, self.speed),
            code_version=code_version(),
            config_version=self.config_version(),
            schema_version=schema_version(),
            library_versions=library_versions(),
        )

    def _is_resting(self) -> bool:
        """On a tape the simulator's turn lies between two commits; other ids need no rest."""
        return self.mode is ClockMode.LIVE and self.slots == 1

    def arguments(self) -> list[str]:
        """Return these settings as a command line, for a child process."""
        given = self.model_dump(exclude_none=True, mode="json")
        return [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]


class ShardSettings(EngineSettings):
    """One shard's process."""

    shard: int = Field(ge=0, description="Partition number")
    watch_fd: int = Field(default=-1, description="Descriptor to write to at each turn; -1: none")
    parent_pid: int = Field(default=0, description="End with this process; 0: with nobody")
