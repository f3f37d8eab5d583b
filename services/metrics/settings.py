"""Where a process serves its metrics and its health."""

from pydantic import Field
from pydantic_settings import BaseSettings

__all__ = ["MetricsSettings"]


class MetricsSettings(BaseSettings):
    """Part of a service's settings. Nothing here may change a decision."""

    metrics_host: str = Field(
        default="127.0.0.1", description="Address of /metrics, /livez and /readyz"
    )
    metrics_port: int = Field(
        default=0, ge=0, le=60_000, description="Port of them; 0: not served. Shard n: n + 1 more"
    )

    def metrics_port_of(self, shard: int) -> int:
        """Return the loopback port of one shard's own engine; 0 when nothing is served."""
        return self.metrics_port + 1 + shard if self.metrics_port else 0
