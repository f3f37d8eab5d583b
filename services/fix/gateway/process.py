"""The gateway process of one file: settings, the loop, what it tells about itself."""

import logging
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from infra.topics import read_log_id
from services.ending import Stop
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.kinds import make_gateway
from services.fix.settings import read_gateway
from services.fix.watched import Turns, WatchedSettings
from services.garbage import spare_collections
from streams.adapters.clock import ScaledClock, WallClock
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import ORDERS_COMMANDS
from streams.runtime.host import ShardHost
from streams.runtime.observer import NOBODY, Observer
from streams.runtime.ports import Clock

__all__ = ["GatewaySettings", "gateway_process_host", "run_gateway"]

log = logging.getLogger("penstock.fix.gateway")


class GatewaySettings(WatchedSettings):
    """From the command line or the environment (PENSTOCK_GATEWAY_...)."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_GATEWAY_", cli_kebab_case=True, cli_prog_name="penstock-gateway"
    )

    bootstrap: str = Field(description="HOST:PORT of the Kafka cluster")
    file: Path = Field(description="The gateway's TOML file")
    snapshot_batches: int = Field(
        500,
        ge=1,
        description="Batches between two snapshots; ten times as many under load that never pauses",
    )
    transaction_timeout_ms: int = Field(10_000, ge=1_000)
    speed: int = Field(0, ge=0, description="A clock so many times as fast; 0: wall clock")
    clock_start_ns: int = Field(0, ge=0, description="Market time at which that clock starts")


def gateway_process_host(settings: GatewaySettings, observer: Observer = NOBODY) -> ShardHost:
    """Return the loop of a gateway's file. Raises: KindMissingError, pydantic.ValidationError."""
    file = read_gateway(settings.file)
    store = KafkaLog(
        KafkaSettings(
            bootstrap=settings.bootstrap, transaction_timeout_ms=settings.transaction_timeout_ms
        )
    )
    host_settings = gateway_settings(
        make_gateway(file),
        name=file.name,
        log_id=read_log_id(settings.bootstrap),
        partitions=store.partitions(ORDERS_COMMANDS),
        config_version=sha256(settings.file.read_bytes()).hexdigest(),
        snapshot_batches=settings.snapshot_batches,
    )
    clock: Clock = WallClock()
    if settings.speed:
        clock = ScaledClock(settings.clock_start_ns or time.time_ns(), settings.speed)
    return gateway_host(
        store,
        AvroCodec(),
        host_settings,
        lambda: make_gateway(file),
        clock=clock,
        observer=observer,
    )


def observe(settings: GatewaySettings, turns: Turns) -> Observer:
    """Serve metrics and health where the settings say."""
    if not settings.metrics_port:
        return NOBODY
    from prometheus_client import CollectorRegistry

    from services.fix.gateway.counts import GatewayCounts
    from services.metrics.host import HostMetrics
    from services.metrics.server import serve

    registry = CollectorRegistry()
    number = read_gateway(settings.file).number
    counts = GatewayCounts(registry, number)
    observer: Any = HostMetrics(registry, "fix-gateway", number, count=counts)
    serve(registry, turns.health, settings.metrics_host, settings.metrics_port)
    return observer  # type: ignore[no-any-return]  # implements the protocol


def run_gateway(settings: GatewaySettings, stop: Stop) -> None:
    """Own the gateway until stopped."""
    spare_collections()
    turns = Turns(settings, stop)
    gateway_process_host(settings, observe(settings, turns)).run(turns.should_stop)
