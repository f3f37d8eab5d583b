"""The broker's configuration files: server.properties and meta.properties."""

import base64
import uuid
from pathlib import Path

from infra.broker.ports import HOST

__all__ = ["new_id", "server_properties", "write_properties"]

NODE_ID = 1
MESSAGE_BYTES_MAX = 8 * 1024 * 1024  # above every topic's own 4 MB bound
INTERNAL_PARTITIONS = 4


def new_id() -> str:
    """Return a random id as Kafka writes them: 16 bytes, URL-safe base64, no padding."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # Kafka's tools would take it for an option
            return text


def server_properties(log_dir: Path, port: int, controller_port: int) -> dict[str, str | int]:
    """Return the settings of one combined node; what is not said is Kafka's default."""
    return {
        "process.roles": "broker,controller",
        "node.id": NODE_ID,
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "listeners": f"CLIENT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"CLIENT://{HOST}:{port}",
        "log.dirs": str(log_dir),
        # A restarted node waits until its former life is deregistered: 9 s by default.
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 300,
        "controlled.shutdown.enable": "true",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": INTERNAL_PARTITIONS,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": INTERNAL_PARTITIONS,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # A stalled client holds readers back for as long as its transaction may stay open.
        "transaction.max.timeout.ms": 15_000,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
        # Asking the coordinator about every batch costs a quarter of the broker's time in lockstep.
        # Our owners re-initialise after every doubt, which fences stale batches: docs/adr/0008.
        "transaction.partition.verification.enable": "false",
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "log.retention.ms": -1,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,  # of the heap; the default is 128 MB
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.partitions": 1,
    }


def write_properties(
    config: Path, log_dir: Path, cluster_id: str, settings: dict[str, str | int]
) -> None:
    """Write `config`, and meta.properties in `log_dir` unless it is there.

    meta.properties is all that `kafka-storage format` leaves for a static quorum, without its 1 s.
    """
    config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    log_dir.mkdir(parents=True, exist_ok=True)
    meta = log_dir / "meta.properties"
    if not meta.exists():
        lines = (
            "version=1",
            f"cluster.id={cluster_id}",
            f"node.id={NODE_ID}",
            f"directory.id={new_id()}",
        )
        meta.write_text("\n".join(lines) + "\n")
