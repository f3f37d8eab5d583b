"""Settings of the simulator, from the command line or the environment (PENSTOCK_VENUES_...)."""

from dataclasses import fields
from hashlib import sha256
from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from schemas.messages.core import ClockMode
from services.metrics.settings import MetricsSettings
from services.venues.conditions import Conditions
from services.venues.edges import BY_FIX, DIRECT, Edges
from services.venues.scenario import Scenario
from streams.adapters.kafka import KafkaSettings
from streams.adapters.latch import default_directory
from streams.core import topics
from streams.runtime.ports import TopicPartition
from streams.runtime.settings import HostSettings
from streams.runtime.versions import code_version, library_versions, schema_version

__all__ = ["SIMULATOR_SHARD", "VenuesSettings", "simulator_settings"]

CONDITIONS = tuple(field.name for field in fields(Conditions))
LATER = ("grace_s",)
# Event ids are made of log id, shard and seq: a number that no engine's partition ever has.
SIMULATOR_SHARD = 65_535


class VenuesSettings(MetricsSettings):
    """Everything but `bootstrap`, `speed` and the limits belongs to the scenario."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_VENUES_", cli_kebab_case=True, cli_prog_name="penstock-venues"
    )

    bootstrap: str = Field(description="HOST:PORT of the Kafka cluster")
    seed: int = Field(1, description="The whole day follows from it")
    minutes: int = Field(30, ge=1, description="Market minutes at most; a tape may have fewer")
    tape: Path | None = Field(None, description="Folder of a recorded market; none: generated")
    orders: int = Field(2_000, ge=0, description="New orders of clients")
    accounts: int = Field(40, ge=1, le=999)
    step_ms: int = Field(1_000, ge=1, description="Market time between two watermarks")
    facts: Path | None = Field(None, description="Measured volume curves; none: the assumed one")
    opening_s: int = Field(0, ge=0, description="Seconds of a call before the open; 0: none")
    closing_s: int = Field(0, ge=0, description="Seconds of a call after the close; 0: none")
    halts: int = Field(0, ge=0, description="Shares that stop trading once in the day")
    is_wide: bool = Field(False, description="More dark pools, an ATS, and informed traders")
    troubles: str = Field("", description="VENUE:GONE:FROM-UNTIL or VENUE:SLOW:FROM-UNTIL:DELAY,..")
    impact_per_cent: int | None = Field(
        None,
        ge=0,
        description="How far our trading moves prices, of what is assumed; none: 100, on a tape 0",
    )
    speed: int = Field(0, ge=0, description="Times the wall clock, not reproducible; 0: lockstep")
    grace_s: int = Field(
        0, ge=0, description="Seconds of late answers after the last phase; 0: twelve steps"
    )
    is_fix: bool = Field(
        False, description="Orders and reports go through FIX gateways; needs a speed"
    )
    is_standing: bool = Field(
        False, description="Open when the definitions are there, stay after the close"
    )
    snapshot_batches: int = Field(300, ge=1, description="Steps between two snapshots")
    kill_dir: Path = Field(
        default_factory=default_directory,
        description="Folder of local kill flags; default: PENSTOCK_KILL_DIR, else .penstock/kill",
    )
    transaction_timeout_ms: int = Field(10_000, ge=1_000)
    drop_copy: Path | None = Field(
        None, description="Folder for each venue's own drop copy file when the day is over"
    )

    @model_validator(mode="after")
    def _is_paced_by_fix(self) -> "VenuesSettings":
        if self.is_fix and not self.speed:
            raise ValueError("gateways take time of the wall clock: is_fix needs a speed")
        return self

    @property
    def edges(self) -> Edges:
        return BY_FIX if self.is_fix else DIRECT

    def scenario(self) -> Scenario:
        return Scenario(
            seed=self.seed,
            minutes=self.minutes,
            tape=self.tape,
            orders=self.orders,
            accounts=self.accounts,
            step_ns=self.step_ms * 1_000_000,
            facts=self.facts,
            conditions=self.conditions(),
        )

    def conditions(self) -> Conditions:
        return Conditions(**{name: getattr(self, name) for name in CONDITIONS})

    def kafka(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap=self.bootstrap, transaction_timeout_ms=self.transaction_timeout_ms
        )

    def config_version(self) -> str:
        """Return the SHA-256 of what could change a decision, hex."""
        names = {"seed", "minutes", "tape", "orders", "accounts", "step_ms", "facts", *CONDITIONS}
        # What came later is said only where it is used: the version of an older day stays the same.
        names = {each for each in names if each not in LATER or getattr(self, each)}
        return sha256(self.model_dump_json(include=names).encode()).hexdigest()


def simulator_settings(
    partitions: int,
    log_id: bytes,
    *,
    seed: int,
    snapshot_batches: int = 300,
    config_version: str = "",
    edges: Edges = DIRECT,
) -> HostSettings:
    """Return the runtime's settings of the simulator over `partitions` keyed partitions."""
    return HostSettings(
        name="simulator",
        shard=SIMULATOR_SHARD,
        log_id=log_id,
        mode=ClockMode.TAPE,
        urgent_inputs=(),
        inputs=tuple(TopicPartition(edges.children, n) for n in range(partitions)),
        journal=TopicPartition(topics.VENUES_JOURNAL, 0),
        snapshots=TopicPartition(topics.VENUES_SNAPSHOTS, 0),
        pointers=TopicPartition(topics.VENUES_SNAPSHOT_POINTERS, 0),
        dead_letters=None,
        outputs=tuple(
            TopicPartition(topic, n) for topic in edges.output_topics for n in range(partitions)
        ),
        shared_outputs=edges.output_topics,
        seed=seed,
        snapshot_batches=snapshot_batches,
        code_version=code_version(),
        config_version=config_version,
        schema_version=schema_version(),
        library_versions=library_versions(),
    )
