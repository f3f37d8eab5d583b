"""Settings of the embedded broker, from the environment (PENSTOCK_BROKER_...) or the caller."""

import os
from enum import StrEnum
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["KAFKA_VERSION", "BrokerSettings", "Collector", "default_cache", "default_data"]

KAFKA_VERSION = "4.3.1"


class Collector(StrEnum):
    """Garbage collectors of the JVM that may be asked for."""

    SERIAL = "Serial"
    PARALLEL = "Parallel"
    G1 = "G1"
    Z = "Z"


def default_cache() -> Path:
    """Return where jars and start-up archives live: PENSTOCK_CACHE, or the XDG cache folder."""
    given = os.environ.get("PENSTOCK_CACHE")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "penstock" / f"kafka-{KAFKA_VERSION}"


def default_data() -> Path:
    """Return the data folder of `penstock broker`: PENSTOCK_DATA, or one below this folder."""
    return Path(os.environ.get("PENSTOCK_DATA") or ".penstock/broker").absolute()


class BrokerSettings(BaseSettings):
    """How the broker is run. The defaults are measured: infra/README.md."""

    model_config = SettingsConfigDict(env_prefix="PENSTOCK_BROKER_", frozen=True)

    cache: Path = Field(default_factory=default_cache)
    heap_mb: int = Field(default=512, ge=256)
    collector: Collector = Collector.SERIAL
    is_archived: bool = True  # make and use the JVM's start-up archive
    is_optimizing: bool = False  # both compilers of the JVM: for loads that last minutes
    start_timeout_s: float = Field(default=60.0, gt=0)
    stop_timeout_s: float = Field(default=10.0, gt=0)
    training_timeout_s: float = Field(default=60.0, gt=0)
    download_timeout_s: int = Field(default=20, gt=0)
    free_mb_min: int = Field(default=500, ge=0)
    maven_url: str = ""  # a mirror to fetch from; empty: what jgo fetches from
