"""The loop: one batch, one transaction, one journal record."""

import os
import time
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from schemas.messages.core import ClockMode, Envelope, JournalKind, TimerFired
from schemas.messages.runtime import JournalRecord
from streams.core.errors import FencedError, KillSeenError, LogError, RetentionError
from streams.runtime.decide import decide_batch
from streams.runtime.emitter import BatchEmitter
from streams.runtime.journal import NO_EVENT, JournalEnd, event_id, tape_entropy
from streams.runtime.latch import NO_LATCH, KillLatch
from streams.runtime.merge import merged
from streams.runtime.observer import NOBODY, Observer
from streams.runtime.ports import (
    Application,
    Batch,
    Clock,
    Codec,
    Inbox,
    Log,
    Producer,
    Resume,
    TopicPartition,
)
from streams.runtime.settings import HostSettings
from streams.runtime.snapshots import GENERATIONS, snapshot_records
from streams.runtime.takeover import (
    Restored,
    await_stable,
    check_last_record,
    fence,
    input_positions,
    output_partitions,
    restore,
)

__all__ = ["NO_FLAGS", "Flags", "ShardHost"]

WAIT_MAX_MS = 100  # a stop must not wait longer than that for an idle inbox
TAKE_OVERS_MAX = 60  # in a row without success, a second apart
NO_BATCH = Batch((), (), 0, 0, 0)


class Flags(NamedTuple):
    """Local flags as a batch saw them."""

    stood: tuple[str, ...]  # all that stood
    signals: tuple[str, ...]  # what of them, or of their absence, was news


NO_FLAGS = Flags((), ())


class ShardHost:
    """Own one shard and feed its application until told to stop.

    Raises FencedError (exit 75), CorruptHistoryError and RetentionError (exit 1). Any other
    LogError ends in a full take-over: the journal says what was committed.
    """

    def __init__(
        self,
        log: Log,
        codec: Codec,
        settings: HostSettings,
        *,
        make_application: Callable[[], Application],
        inbox: Inbox,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
        entropy: Callable[[int], bytes] = os.urandom,
        observer: Observer = NOBODY,
        latch: KillLatch = NO_LATCH,
    ) -> None:
        self._log = log
        self._codec = codec
        self._settings = settings
        self._make_application = make_application
        self._inbox = inbox
        self._clock = clock
        self._pause = pause
        self._entropy = entropy
        self._observer = observer
        self._latch = latch
        self._producers: list[Producer] = []
        self._in_doubt = b""  # hash of the journal record whose commit was not answered
        self._committed_ns = 0
        self._rest_s = 0.0
        self._batches_unsaved = 0
        self._generation = 0
        self.application = make_application()
        self.end = JournalEnd(log_id=NO_EVENT)
        self.outputs: tuple[TopicPartition, ...] = ()

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Take over, then turn until `should_stop`, asked at each turn; then save a snapshot."""
        try:
            self.take_over()
            while not should_stop():
                self.turn()
            self.save()
        finally:
            self.close()

    def turn(self) -> bool:
        """Commit the next batch, if there is one; whether there was."""
        try:
            return self._turn()
        except (FencedError, RetentionError):
            raise
        except LogError:
            self.take_over()
            return False

    def take_over(self) -> None:
        """Become the owner, or become it again after an error of unknown outcome."""
        ours: set[bytes] = set()
        for attempt in range(TAKE_OVERS_MAX):
            if self._in_doubt:
                ours |= {self.end.hash, self._in_doubt}
            try:
                self._own(ours)
            except (FencedError, RetentionError):
                raise
            except LogError:
                if attempt == TAKE_OVERS_MAX - 1:
                    raise
                self._pause(1.0)
            else:
                return

    def save(self) -> None:
        """Write a snapshot if there is anything new in it; for a clean stop. Raises FencedError.

        A snapshot is no truth, so one that fails costs the next owner a longer journal only.
        """
        if not self._batches_unsaved:
            return
        try:
            self._save(self.application.snapshot())
        except FencedError:
            raise
        except LogError:
            self._batches_unsaved = 0

    def close(self) -> None:
        """Drop producers and readers without committing anything."""
        for producer in self._producers:
            producer.close()
        self._producers = []
        self._inbox.close()

    def _own(self, ours: set[bytes]) -> None:
        """`ours`: hashes that the journal may end with; empty when we never owned it."""
        self.close()
        if ours:
            # Before fencing too, so that whoever took over meanwhile is left in peace.
            check_last_record(self._log, self._settings, ours)
        self._producers = self._fence()
        await_stable(self._log, self._settings.journal, self._pause)
        if ours:
            check_last_record(self._log, self._settings, ours)
        restored = self._restore()
        self.application = restored.application
        self.end = restored.end
        self._generation = restored.generation
        self._batches_unsaved = restored.batches
        self.outputs = output_partitions(self._settings, self.application)
        positions = self._positions()
        now_ns = self.end.now_ns
        if self._settings.mode is ClockMode.LIVE:
            self._clock.floor(now_ns)
            now_ns = self._clock.now_ns()
        self._write(JournalKind.OWNER_STARTED, NO_BATCH._replace(now_ns=now_ns), NO_EVENT)
        self._inbox.start(Resume(positions, self.end.now_ns, self.end.watermark_ns, self.end.step))
        self._observer.took_over(self.application, self.end)

    def _fence(self) -> list[Producer]:
        return fence(self._log, self._settings)

    def _restore(self) -> Restored:
        return restore(self._log, self._codec, self._settings, self._make_application)

    def _positions(self) -> dict[TopicPartition, int]:
        return input_positions(self._log, self._settings, self.end)

    def _turn(self) -> bool:
        if self._rest_s:
            # A transaction begun while the last one's markers are being written waits 20 ms in the
            # client; this pause is shorter, and what arrives meanwhile joins the batch.
            self._pause(self._rest_s)
            self._rest_s = 0.0
        is_live = self._settings.mode is ClockMode.LIVE
        batch = self._inbox.take(self._wait_ms() if is_live else WAIT_MAX_MS)
        stood = self._latch.standing()
        signals = self.application.unheard(stood)
        if batch is None:
            self._observer.idle(self.application, self.end)
            if not is_live:
                return False
            now_ns = self._clock.now_ns()
            due_ns = self.application.next_due_ns()
            batch = NO_BATCH._replace(now_ns=now_ns)
            is_idle = not signals and (due_ns is None or due_ns > now_ns)
            if is_idle and self._batches_unsaved < self._settings.snapshot_batches:
                if now_ns - self._committed_ns < self._settings.heartbeat_ns:
                    return False
                self._write(JournalKind.HEARTBEAT, batch, NO_EVENT)
                return True
        # A snapshot that is due while nobody waits has a batch of nothing, to be journalled with.
        self._write(JournalKind.BATCH, batch, self._entropy_of(batch), Flags(stood, signals))
        return True

    def _snapshot_after(self, *, is_idle: bool) -> int:
        """Return after how many batches a snapshot is taken.

        It stops the shard, an engine with 30,000 orders for half a second; so a shard that has work
        to do puts it off until there is none, but not for ever.
        """
        settings = self._settings
        is_patient = settings.mode is ClockMode.LIVE and not is_idle
        return settings.snapshot_batches * (settings.snapshot_patience if is_patient else 1)

    def _wait_ms(self) -> int:
        """Return how long to wait for input: until a timer or the heartbeat is due."""
        until_ns = self._committed_ns + self._settings.heartbeat_ns
        due_ns = self.application.next_due_ns()
        if due_ns is not None:
            until_ns = min(until_ns, due_ns)
        wait_ms = -(-(until_ns - self._clock.now_ns()) // 1_000_000)
        return max(0, min(WAIT_MAX_MS, wait_ms))

    def _entropy_of(self, batch: Batch) -> bytes:
        seed = self._settings.seed
        if seed is None:
            return self._entropy(16)
        return tape_entropy(seed, self._settings.shard, batch.step or self.end.seq + 1)

    def _write(
        self, kind: JournalKind, batch: Batch, entropy: bytes, flags: Flags = NO_FLAGS
    ) -> None:
        """Decide the batch and commit what follows with its journal record."""
        settings, end = self._settings, self.end
        began_ns = time.perf_counter_ns()
        self._observer.taken(batch)
        out = BatchEmitter(self._codec, settings, end, batch.now_ns, entropy)
        timers: tuple[TimerFired, ...] = ()
        data = None
        if kind is JournalKind.BATCH:
            records = merged(settings.mode, settings.urgent_inputs, batch)
            timers = decide_batch(settings, self.application, records, out, flags.signals)
            self._batches_unsaved += 1
            is_idle = not (batch.ranges or timers or flags.signals)
            if self._batches_unsaved >= self._snapshot_after(is_idle=is_idle):
                data = self.application.snapshot()
        record = JournalRecord(
            kind=kind,
            log_id=end.log_id,
            incarnation=end.incarnation + (kind is JournalKind.OWNER_STARTED),
            previous_hash=end.hash,
            now_ns=batch.now_ns,
            mode=settings.mode,
            watermark_ns=batch.watermark_ns,
            step=batch.step,
            entropy=entropy,
            code_version=settings.code_version,
            config_version=settings.config_version,
            schema_version=settings.schema_version,
            library_versions=settings.library_versions,
            ranges=batch.ranges,
            timers=timers,
            outputs=out.close(),
            output_count=len(out.outputs),
            output_digest=out.digest(),
            state_hash=None if data is None else sha256(data).digest(),
            signals=flags.signals,
        )
        envelope = self._journal_envelope(out, batch)
        value = self._codec.encode(envelope, record)
        decided_ns = time.perf_counter_ns()
        self._commit(out, value, flags)
        end.follow(envelope, record, value)
        self._committed_ns = batch.now_ns
        self._rest_s = settings.commit_pause_ms / 1_000
        self._observer.committed(
            self.application,
            end,
            record,
            decide_ns=decided_ns - began_ns,
            commit_ns=time.perf_counter_ns() - decided_ns,
        )
        if data is not None:
            self._save(data)

    def _commit(self, out: BatchEmitter, value: bytes, flags: Flags) -> None:
        """Commit the batch's events and its journal record `value` in one transaction.

        Raises KillSeenError, with nothing committed, when a flag was raised since it was decided.
        """
        settings = self._settings
        self._in_doubt = sha256(value).digest()
        producer = self._producers[out.seq % settings.slots]
        producer.begin()
        for output in out.outputs:
            producer.send(*output)
        producer.send(*settings.journal, str(settings.shard).encode(), value)
        if out.outputs:
            # All of it stands at the log now, so that nothing but the commit itself is left.
            producer.flush()
            raised = [text for text in self._latch.standing() if text not in flags.stood]
            if raised:
                raise KillSeenError(f"{raised[0]} before the commit of batch {out.seq}")
        producer.commit()

    def _journal_envelope(self, out: BatchEmitter, batch: Batch) -> Envelope:
        """The journal holds one record a seq, so its topic_seq is the seq."""
        settings = self._settings
        index = len(out.outputs)
        return Envelope(
            event_id=event_id(self.end.log_id, settings.shard, out.seq, index),
            shard=settings.shard,
            seq=out.seq,
            index=index,
            topic_seq=out.seq,
            at_ns=batch.now_ns,
            source_ns=0,
            actor=settings.name,
            causation_id=NO_EVENT,
            correlation_id=f"{settings.name}-{settings.shard}",
        )

    def _save(self, data: bytes) -> None:
        """Write a snapshot in a transaction of its own, in which nothing is decided."""
        records = snapshot_records(
            self._log,
            self._codec,
            self._settings,
            self.end,
            data=data,
            outputs=self.outputs,
            generation=self._generation,
        )
        producer = self._producers[(self.end.seq + 1) % self._settings.slots]
        producer.begin()
        for record in records:
            producer.send(*record)
        producer.commit()
        self._generation = (self._generation + 1) % GENERATIONS
        self._batches_unsaved = 0
        self._observer.saved(len(data))
