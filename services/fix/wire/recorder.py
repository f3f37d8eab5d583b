"""What comes and goes by FIX, written to fix.received in the order in which it did."""

import logging
import os
import time
from hashlib import blake2b
from threading import Lock
from typing import Any, Final

from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.messages.core import Envelope
from services.ending import FAILED
from services.fix.wire.tail import Known, Mark
from streams.adapters.codec import AvroCodec
from streams.core.topics import FIX_RECEIVED

__all__ = ["Recorder"]

NO_EVENT: Final = bytes(16)
QUEUE_MAX: Final = 20_000  # records on their way; then reading from counterparties waits
FLUSH_S: Final = 10.0
log = logging.getLogger("penstock.fix.wire")


class Recorder:
    """An idempotent producer: what is in the log has everything before it in the log too.

    A record that cannot be written ends the process: what was not recorded is asked for again by
    the next one.
    """

    def __init__(self, bootstrap: str, partition: int, mark: Mark) -> None:
        """`mark`: brought to the end of the log; goes on to say what stands there."""
        self._partition = partition
        self._mark = mark
        self._noted: tuple[int, Mark] | None = None
        self._codec = AvroCodec()
        self._lock = Lock()
        self._sent = 0
        self._acked = 0
        self._next_offset = mark.offset  # after the newest acknowledged record
        self._client = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 1,
                "queue.buffering.max.messages": QUEUE_MAX,
                "message.max.bytes": 4 << 20,  # as the topics allow; a message has 1 MiB at most
                "delivery.timeout.ms": 30_000,
                "compression.type": "none",
                "log_level": 2,
                "error_cb": _pass_over,
            }
        )

    def record(self, message: Any, *identity: object, at_ns: int = 0, source_ns: int = 0) -> None:
        """Append a message of a session; `identity` makes its event id the same when repeated.

        Waits while too much is on its way, which holds back whoever sends it to us.
        """
        session_id = message.session_id
        text = "/".join(map(str, (type(message).__name__, session_id, *identity)))
        at_ns = at_ns or time.time_ns()
        envelope = Envelope(
            event_id=blake2b(text.encode(), digest_size=16).digest(),
            shard=-1,
            seq=-1,
            index=0,
            topic_seq=-1,
            at_ns=at_ns,
            source_ns=source_ns or at_ns,
            actor=session_id,
            causation_id=NO_EVENT,
            correlation_id=session_id,
        )
        value, key = self._codec.encode(envelope, message), session_id.encode()
        with self._lock:
            self._sent += 1
            self._mark.sessions.setdefault(session_id, Known()).fold(message)
        while True:
            try:
                self._client.produce(
                    FIX_RECEIVED, value, key, self._partition, on_delivery=self._on_delivery
                )
            except BufferError:
                self._client.poll(0.05)
            else:
                return

    def note(self) -> Mark | None:
        """Return a mark of some time ago, when all that it says stands at the log by now."""
        with self._lock:
            noted = self._noted
            if noted is not None and self._acked < noted[0]:
                return None
            sessions = {name: replace(known) for name, known in self._mark.sessions.items()}
            self._noted = (
                self._sent,
                replace(self._mark, offset=self._next_offset, sessions=sessions),
            )
        return None if noted is None else noted[1]

    def poll(self, timeout_s: float) -> None:
        """Hear of deliveries."""
        self._client.poll(timeout_s)

    def flush(self) -> Mark | None:
        """Return the mark once everything stands at the log; None after some seconds."""
        if self._client.flush(FLUSH_S):
            return None
        return replace(self._mark, offset=self._next_offset, is_clean=True)

    def _on_delivery(self, error: Any, record: Any) -> None:
        if error is not None:
            log.error("failed: fix.received is not written: %s", error.str())
            os._exit(FAILED)
        with self._lock:
            self._acked += 1
            self._next_offset = max(self._next_offset, record.offset() + 1)


def _pass_over(_: object) -> None:
    """Drop what tells of a broker out of reach; the client reconnects."""
