"""A real Apache Kafka as a local process: `with EmbeddedBroker(folder) as broker: ...`."""

from infra.broker.embedded import EmbeddedBroker, running_bootstrap, stop_broker
from infra.broker.errors import BrokerError
from infra.broker.settings import BrokerSettings

__all__ = [
    "BrokerError",
    "BrokerSettings",
    "EmbeddedBroker",
    "running_bootstrap",
    "stop_broker",
]
