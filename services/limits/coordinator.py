"""The process that moves parts of limits between shards: one writer, its memory is the log.

What it decides is streams/risk/leases.py. Its transactional id fences the one before; then it
reads control.commands to the stable end, so that it knows every grant ever made, and goes on.
"""

import logging
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from infra.topics import read_log_id
from schemas.messages.core import Envelope
from services.ending import Stop, run_to_end
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.envelope import outside_envelope
from streams.core.errors import DecodeError
from streams.core.topics import CONTROL_COMMANDS, DECISIONS_EVENTS
from streams.risk.leases import Book, LeaseCommand, answer, see
from streams.runtime.ports import Codec, Log, Producer, Reader, Record, TopicPartition

__all__ = ["ACTOR", "TRANSACTIONAL_ID", "Coordinator", "run"]

ACTOR: Final = "limits-coordinator"
TRANSACTIONAL_ID: Final = "limits-coordinator"
POLL_MS: Final = 200
RECORDS: Final = 5_000
CONTROL: Final = TopicPartition(CONTROL_COMMANDS, 0)
_LOG: Final = logging.getLogger("penstock.limits")


class Coordinator:
    """Owner of the grants. After any error of the log a new one must be made: it reads all again.

    Raises: FencedError, AmbiguousCommitError, LogError from every method.
    """

    def __init__(self, log: Log, codec: Codec, log_id: bytes, now_ns: Callable[[], int]) -> None:
        self._codec = codec
        self._log_id = log_id
        self._now_ns = now_ns
        partitions = log.partitions(DECISIONS_EVENTS)
        self._producer: Producer = log.producer(TRANSACTIONAL_ID)
        self.book = Book(partitions=partitions)
        places = [CONTROL, *(TopicPartition(DECISIONS_EVENTS, n) for n in range(partitions))]
        ends = {place: log.stable_offset(place) for place in places}
        self._reader: Reader = log.reader()
        self._reader.assign(dict.fromkeys(places, 0))
        while any(self._reader.position(place) < end for place, end in ends.items()):
            self._take(POLL_MS)

    def turn(self, wait_ms: int = POLL_MS) -> int:
        """Read what is there, answer what can be answered; return how many records were written."""
        self._take(wait_ms)
        written = 0
        while commands := answer(self.book):
            self._write(commands)
            written += len(commands)
        return written

    def close(self) -> None:
        self._reader.close()
        self._producer.close()

    def _take(self, wait_ms: int) -> None:
        for record in self._reader.poll(RECORDS, wait_ms):
            self._see(record)

    def _see(self, record: Record) -> None:
        try:
            envelope, message = self._codec.decode(record.value)
        except DecodeError:
            return  # nothing of ours, and nothing that leases are made of
        see(self.book, message, envelope.event_id, envelope.shard)

    def _write(self, commands: tuple[LeaseCommand, ...]) -> None:
        now_ns = self._now_ns()
        envelopes = [self._envelope(command, now_ns) for command in commands]
        self._producer.begin()
        for envelope, command in zip(envelopes, commands, strict=True):
            value = self._codec.encode(envelope, command)
            self._producer.send(*CONTROL, command.limit_id.encode(), value)
        self._producer.commit()
        for envelope, command in zip(envelopes, commands, strict=True):
            see(self.book, command, envelope.event_id, envelope.shard)
            _LOG.info("%s", command)

    def _envelope(self, command: LeaseCommand, now_ns: int) -> Envelope:
        name = getattr(command, "grant_id", "") or getattr(command, "recall_id", "")
        identity = self._log_id + b"/limits/" + name.encode()
        return outside_envelope(blake2b(identity, digest_size=16).digest(), now_ns, ACTOR)


def run(bootstrap: str, *, is_once: bool = False) -> int:
    """Coordinate until asked to stop, or once, until nothing is left to answer.

    Returns the exit code: 0 stopped, 70 to be started again, 75 another coordinator took over.
    """
    stop = Stop()
    return run_to_end(lambda: _work(bootstrap, stop, is_once=is_once), _LOG)


def _work(bootstrap: str, stop: Stop, *, is_once: bool) -> None:
    log = KafkaLog(KafkaSettings(bootstrap=bootstrap))
    coordinator = Coordinator(log, AvroCodec(), read_log_id(bootstrap), time.time_ns)
    try:
        while not stop.is_asked:
            if not coordinator.turn() and is_once:
                return
    finally:
        coordinator.close()
