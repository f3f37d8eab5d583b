"""Metrics of a hosted shard: what it read and wrote, how long it took, how late it is."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from schemas.messages.runtime import JournalRecord
from streams.runtime.journal import JournalEnd
from streams.runtime.ports import Application, Batch

__all__ = ["HostMetrics"]

NS = 1_000_000_000
COUNT_EVERY_NS = NS  # the application's own counts walk its state
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
Count = Callable[[Application, int], None]


class HostMetrics:
    """Implements runtime.observer.Observer; every value is of one shard of one service.

    The loop's thread writes, the server's threads read. `count` sets gauges of the application,
    told the newest journalled time.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        service: str,
        shard: int,
        *,
        count: Count = lambda _application, _now_ns: None,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        names, values = ("service", "shard"), (service, str(shard))
        self._count = count
        self._wall_ns = wall_ns
        self._counted_ns = 0
        self._is_uncounted = False
        self._oldest_ns = (
            0  # wall clock of the oldest input that is read and not committed; 0: none
        )

        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(f"penstock_{name}", text, (*names, *more), registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            made = Gauge(f"penstock_{name}", text, names, registry=registry)
            return made.labels(*values)

        self._batches = counter("batches", "Transactions committed, by what made them", "kind")
        self._inputs = counter("inputs", "Records consumed", "topic")
        self._events = counter("events", "Events written", "topic")
        self._take_overs = counter("take_overs", "Times the shard was taken over or recovered")
        self._take_overs.labels(*values)
        self._labels = values
        self._seconds = Histogram(
            "penstock_batch_seconds",
            "Time of a batch: to decide and encode it, to commit it",
            (*names, "phase"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._seq = gauge("journal_seq", "Newest journal record")
        self._incarnation = gauge("incarnation", "How often the shard has had a new owner")
        self._watermark = gauge("watermark_seconds", "Market time decided, Unix; 0 in LIVE")
        self._step = gauge("step", "Step of market time decided; 0 in LIVE")
        self._committed = gauge("committed_timestamp_seconds", "When the last commit was, Unix")
        self._snapshot = gauge("snapshot_timestamp_seconds", "When the last snapshot was, Unix")
        self._snapshot_bytes = gauge("snapshot_bytes", "Size of the last snapshot")
        age = gauge("input_age_seconds", "Age of the oldest input read and not yet committed")
        age.set_function(self.input_age_s)
        ProcessCollector(registry=registry)

    def taken(self, batch: Batch) -> None:
        """Note the oldest record: until the commit, nothing older is unread."""
        stamps = [inbound.record.timestamp_ms for inbound in batch.records]
        self._oldest_ns = min(stamps) * 1_000_000 if stamps else 0

    def committed(
        self,
        application: Application,
        end: JournalEnd,
        record: JournalRecord,
        *,
        decide_ns: int,
        commit_ns: int,
    ) -> None:
        """Count one transaction."""
        now_ns = self._wall_ns()
        self._oldest_ns = 0
        self._batches.labels(*self._labels, record.kind.name).inc()
        for consumed in record.ranges:
            self._inputs.labels(*self._labels, consumed.topic).inc(consumed.count)
        for output in record.outputs:
            self._events.labels(*self._labels, output.topic).inc(output.count)
        self._seconds.labels(*self._labels, "decide").observe(decide_ns / NS)
        self._seconds.labels(*self._labels, "commit").observe(commit_ns / NS)
        self._committed.set(now_ns / NS)
        self._show(end)
        self._is_uncounted = True
        if now_ns - self._counted_ns >= COUNT_EVERY_NS:
            self._recount(application, end, now_ns)

    def idle(self, application: Application, end: JournalEnd) -> None:
        """Count once more after the last batch, whose second may not have been over."""
        if self._is_uncounted:
            self._recount(application, end, self._wall_ns())

    def saved(self, size: int) -> None:
        """Note a snapshot of that many bytes."""
        self._snapshot.set(self._wall_ns() / NS)
        self._snapshot_bytes.set(size)

    def took_over(self, application: Application, end: JournalEnd) -> None:
        """Note that the state is restored and the shard is ours."""
        self._oldest_ns = 0
        self._take_overs.labels(*self._labels).inc()
        self._show(end)
        self._recount(application, end, self._wall_ns())

    def input_age_s(self) -> float:
        """Return how long the oldest input in work has waited, in seconds; 0 when there is none."""
        oldest_ns = self._oldest_ns
        return max(0, self._wall_ns() - oldest_ns) / NS if oldest_ns else 0.0

    def _recount(self, application: Application, end: JournalEnd, now_ns: int) -> None:
        self._counted_ns = now_ns
        self._is_uncounted = False
        self._count(application, end.now_ns)

    def _show(self, end: JournalEnd) -> None:
        self._seq.set(end.seq)
        self._incarnation.set(end.incarnation)
        self._watermark.set(end.watermark_ns / NS)
        self._step.set(end.step)
