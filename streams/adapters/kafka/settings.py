"""Settings of the Kafka clients: measured ones (RUNTIME), each with what it is for."""

from dataclasses import dataclass
from typing import Any

__all__ = ["KafkaSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """What may differ between installations."""

    bootstrap: str
    transaction_timeout_ms: int = 10_000  # how long a dead owner can hold readers back
    commit_timeout_s: float = 10.0
    request_timeout_s: float = 30.0
    # A dead host may fall silent where a dead process would refuse; the default waits 30 s for it
    # while its partitions have long had another leader.
    connect_timeout_ms: int = 5_000
    linger_ms: int = 5  # a commit flushes anyway
    fetch_wait_max_ms: int = 50  # until a reader learns that it is at the end
    # Records end the wait at once. A reader at the end costs the broker one empty fetch a wait, and
    # fifteen of them every 50 ms are a quarter of a core.
    standing_wait_max_ms: int = 500

    def producer(self, transactional_id: str) -> dict[str, Any]:
        return {
            "bootstrap.servers": self.bootstrap,
            "socket.connection.setup.timeout.ms": self.connect_timeout_ms,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": self.transaction_timeout_ms,
            "acks": "all",
            "linger.ms": self.linger_ms,
            "queue.buffering.max.messages": 1_000_000,
            "compression.type": "none",
            "log_level": 2,  # what matters comes back as the error of a call
            "error_cb": _pass_over,
        }

    def consumer(self, *, is_standing: bool = False) -> dict[str, Any]:
        return {
            "bootstrap.servers": self.bootstrap,
            "socket.connection.setup.timeout.ms": self.connect_timeout_ms,
            "group.id": "penstock-reader",  # asked for by the client; nothing joins or commits
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",  # a hole must stop us, never be skipped
            "isolation.level": "read_committed",
            "enable.partition.eof": True,  # the only sign that trailing markers were passed
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": (
                self.standing_wait_max_ms if is_standing else self.fetch_wait_max_ms
            ),
            "fetch.queue.backoff.ms": 2,  # the default of a second is a trap when the queue is full
            "fetch.error.backoff.ms": 50,
            "queued.max.messages.kbytes": 32_768,
            "log_level": 2,  # what matters comes back as the error of a call
            "error_cb": _pass_over,
        }

    def admin(self) -> dict[str, Any]:
        return {
            "bootstrap.servers": self.bootstrap,
            "socket.connection.setup.timeout.ms": self.connect_timeout_ms,
            "log_level": 2,  # what matters comes back as the error of a call
            "error_cb": _pass_over,
        }


def _pass_over(_: object) -> None:
    """Drop what tells of a broker out of reach; the client reconnects."""
