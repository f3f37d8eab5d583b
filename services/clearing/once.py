"""Clear a finished log in one go, with a clearer that accepts, and reconcile it: for the demo."""

import time
from typing import NamedTuple

from confluent_kafka import KafkaException

from infra.topics import read_log_id
from schemas.messages.core import ClearingStatus
from services.clearing.application import ENGINE_TOPICS, Clearing
from services.clearing.clearer import Clearer, Rule
from services.clearing.host import clearing_host
from services.clearing.outside import read_entries, say
from services.clearing.reconciliation.run import TOPICS, reconcile
from services.clearing.settings import CLEARER_ID, clearing_settings
from streams.adapters.clock import WallClock
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.errors import Error, LogError
from streams.core.topics import CLEARING_REPORTS, ORDERS_COMMANDS
from streams.runtime.host import ShardHost
from streams.runtime.journal_inbox import JournalInbox
from streams.runtime.ports import Reader, TopicPartition

__all__ = ["Cleared", "clear_and_reconcile"]

STALL_SECONDS = 60.0
POLL_RECORDS = 20_000
POLL_MS = 50


class ClearingStalledError(Error):
    """A finished log that cannot be cleared to its end."""


class Cleared(NamedTuple):
    """What clearing and reconciliation came to."""

    allocations: int
    captures: int
    breaks: tuple[str, ...]  # as sentences

    def totals(self) -> dict[str, int]:
        return {
            "allocations": self.allocations,
            "captures": self.captures,
            "breaks": len(self.breaks),
        }


def clear_and_reconcile(bootstrap: str) -> Cleared:
    """Report everything, answer everything, compare everything.

    Raises: ClearingStalledError, LogError; what a host raises.
    """
    try:
        return _clear_and_reconcile(bootstrap)
    except KafkaException as error:  # which cannot leave a process of a pool
        raise LogError(f"clearing: {error}") from None


def _clear_and_reconcile(bootstrap: str) -> Cleared:
    store = KafkaLog(KafkaSettings(bootstrap=bootstrap))
    partitions = store.partitions(ORDERS_COMMANDS)
    settings = clearing_settings(partitions, read_log_id(bootstrap))
    codec, clock = AvroCodec(), WallClock()
    inbox = JournalInbox(store, codec, settings, ENGINE_TOPICS, clock)
    host = clearing_host(
        store, codec, settings, partitions=partitions, clearer_id=CLEARER_ID, inbox=inbox
    )
    reader = store.reader()
    reader.assign({TopicPartition(CLEARING_REPORTS, each): 0 for each in range(partitions)})
    clearer = Clearer(CLEARER_ID, Rule())
    moved = time.monotonic()
    try:
        host.take_over()
        while True:
            seq = host.end.seq
            host.turn()
            if answer(bootstrap, reader, clearer) or host.end.seq > seq:
                moved = time.monotonic()
            elif inbox.is_read() and not unanswered(host):
                break
            if time.monotonic() - moved > STALL_SECONDS:
                raise ClearingStalledError(f"nothing moves after {host.end.seq} transactions")
    finally:
        host.close()
        reader.close()
    result = reconcile(read_entries(bootstrap, TOPICS))
    return Cleared(
        result.allocations,
        result.captures,
        tuple(str(each) for each in result.breaks),
    )


def answer(bootstrap: str, reader: Reader, clearer: Clearer) -> bool:
    """Let the clearer hear what is new and say what it has to; whether it said anything."""
    codec, now_ns = AvroCodec(), time.time_ns()
    records = reader.poll(POLL_RECORDS, POLL_MS)
    answers = [
        each for record in records for each in clearer.feed(codec.decode(record.value)[1], now_ns)
    ]
    if not records:
        answers += clearer.flush(now_ns)
    if answers:
        say(bootstrap, answers, actor=CLEARER_ID)
    return bool(answers)


def unanswered(host: ShardHost) -> int:
    """Return how many records are not accepted."""
    application = host.application
    assert isinstance(application, Clearing)
    records = application.state.ledger.records.values()
    return sum(record.newest.status is not ClearingStatus.ACCEPTED for record in records)
