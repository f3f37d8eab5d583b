"""An in-memory log with the transactions of Kafka's first protocol, good and bad sides alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from streams.adapters.memory.faults import Fault, Faults, SimulatedCrash
from streams.adapters.memory.partition import Partition
from streams.core.errors import AmbiguousCommitError, FencedError, LogError, RetentionError
from streams.runtime.ports import Producer, Reader, Record, TopicPartition

__all__ = ["MemoryLog"]

Result = TypeVar("Result")


@dataclass(slots=True)
class Transactions:
    """The coordinator's view of one transactional id."""

    producer_id: int
    epoch: int = -1
    touched: list[Partition] = field(default_factory=list)  # of the open transaction


@dataclass(slots=True)
class LateRequest:
    """An EndTxn under way. As in protocol version 1 it does not say which transaction it ends."""

    due_call: int
    transactions: Transactions
    epoch: int


class MemoryLog:
    """Implements ports.Log. One thread; `partitions_by_topic` says what exists."""

    def __init__(
        self,
        partitions_by_topic: dict[str, int],
        *,
        faults: Faults | None = None,
    ) -> None:
        self._partitions = {
            TopicPartition(topic, number): Partition(TopicPartition(topic, number))
            for topic, count in partitions_by_topic.items()
            for number in range(count)
        }
        self._counts = dict(partitions_by_topic)
        self._by_id: dict[str, Transactions] = {}
        self._late: list[LateRequest] = []
        self.faults = faults or Faults()

    def producer(self, transactional_id: str) -> Producer:
        """Return a new producer: the epoch moves on and what was open is aborted."""
        return self.call("init", lambda: self._initialise(transactional_id))

    def reader(self, *, is_standing: bool = False) -> Reader:  # ends are known at once
        return MemoryReader(self)

    def start_offset(self, partition: TopicPartition) -> int:
        return self.call("start_offset", lambda: self.partition(partition).start)

    def end_offset(self, partition: TopicPartition) -> int:
        return self.call("end_offset", lambda: self.partition(partition).end)

    def stable_offset(self, partition: TopicPartition) -> int:
        return self.call("stable_offset", lambda: self.partition(partition).stable)

    def partitions(self, topic: str) -> int:
        if topic not in self._counts:
            raise LogError(f"topic {topic} does not exist")
        return self._counts[topic]

    def append(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        """Write one record from outside, without a transaction and without faults."""
        self.partition(TopicPartition(topic, partition)).append_plain(key, value)

    def truncate(self, partition: TopicPartition, start: int) -> None:
        """Delete what stands before `start`, as retention does."""
        self.partition(partition).truncate(start)

    def expire(self, transactional_id: str) -> None:
        """Abort what is open and move the epoch on, as a transaction timeout does."""
        transactions = self._by_id[transactional_id]
        self.end_transaction(transactions, is_commit=False)
        transactions.epoch += 1

    def deliver_late(self) -> None:
        """Let every request under way arrive now."""
        self._arrive(self._late)
        self._late = []

    def partition(self, name: TopicPartition) -> Partition:
        found = self._partitions.get(name)
        if found is None:
            raise LogError(f"partition {name.topic}[{name.partition}] does not exist")
        return found

    def call(self, name: str, action: Callable[[], Result]) -> Result:
        """Carry out one call of a client, with the fault that the plan has for it."""
        fault = self.faults.next(name)
        due = [late for late in self._late if late.due_call <= self.faults.calls]
        self._late = [late for late in self._late if late.due_call > self.faults.calls]
        self._arrive(due)
        if fault is None:
            return action()
        if fault is Fault.FAILS:
            raise LogError(f"{name}: out of reach")
        if fault is not Fault.CRASH_BEFORE:
            action()
        raise SimulatedCrash(f"{fault.name} at call {self.faults.calls - 1}: {name}")

    def commit(self, transactions: Transactions, epoch: int) -> None:
        """Carry out a commit; its faults are the interesting ones."""
        fault = self.faults.fault_by_call.get(self.faults.calls)
        match fault:
            case Fault.ANSWER_LOST:
                self._count_commit()
                self._end(transactions, epoch)
                raise AmbiguousCommitError("commit: no answer")
            case Fault.REQUEST_LOST:
                self._count_commit()
                raise AmbiguousCommitError("commit: no answer")
            case Fault.REQUEST_LATE | Fault.CRASH_REQUEST_LATE:
                self._count_commit()
                due = self.faults.calls + self.faults.late_calls
                self._late.append(LateRequest(due, transactions, epoch))
                if fault is Fault.CRASH_REQUEST_LATE:
                    raise SimulatedCrash("died while its commit was under way")
                raise AmbiguousCommitError("commit: no answer")
            case _:
                self.call("commit", lambda: self._end(transactions, epoch))

    def end_transaction(self, transactions: Transactions, is_commit: bool) -> None:
        for partition in transactions.touched:
            partition.mark(transactions.producer_id, is_commit)
        transactions.touched = []

    def _count_commit(self) -> None:
        self.faults.next("commit")

    def _end(self, transactions: Transactions, epoch: int) -> None:
        if epoch != transactions.epoch:
            raise FencedError(f"epoch {epoch} is fenced by {transactions.epoch}")
        self.end_transaction(transactions, is_commit=True)

    def _arrive(self, requests: Iterable[LateRequest]) -> None:
        for late in requests:
            if late.epoch == late.transactions.epoch:
                self.end_transaction(late.transactions, is_commit=True)

    def _initialise(self, transactional_id: str) -> "MemoryProducer":
        transactions = self._by_id.get(transactional_id)
        if transactions is None:
            transactions = Transactions(producer_id=len(self._by_id))
            self._by_id[transactional_id] = transactions
        self.end_transaction(transactions, is_commit=False)
        transactions.epoch += 1
        return MemoryProducer(self, transactional_id, transactions)


class MemoryProducer:
    """Implements ports.Producer."""

    def __init__(self, log: MemoryLog, transactional_id: str, transactions: Transactions) -> None:
        self._log = log
        self._id = transactional_id
        self._transactions = transactions
        self._epoch = transactions.epoch

    def begin(self) -> None:
        self._log.call("begin", self._check_epoch)

    def send(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        target = self._log.partition(TopicPartition(topic, partition))
        self._log.call("send", lambda: self._append(target, key, value))

    def flush(self) -> None:
        """Nothing waits: each record is at the log when it was sent."""

    def commit(self) -> None:
        self._log.commit(self._transactions, self._epoch)

    def abort(self) -> None:
        self._log.call("abort", self._abort)

    def close(self) -> None:
        """Nothing to free."""

    def _append(self, target: Partition, key: bytes, value: bytes) -> None:
        self._check_epoch()
        if target not in self._transactions.touched:
            self._transactions.touched.append(target)
        target.append(self._transactions.producer_id, key, value)

    def _abort(self) -> None:
        self._check_epoch()
        self._log.end_transaction(self._transactions, is_commit=False)

    def _check_epoch(self) -> None:
        if self._epoch != self._transactions.epoch:
            raise FencedError(f"{self._id}: epoch {self._epoch} is fenced")


class MemoryReader:
    """Implements ports.Reader; partitions take turns."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._positions: dict[TopicPartition, int] = {}

    def assign(self, positions: dict[TopicPartition, int]) -> None:
        for name, position in positions.items():
            partition = self._log.partition(name)
            if position < partition.start:
                raise RetentionError(name.topic, name.partition, position, partition.start)
            if position > partition.end:
                raise LogError(f"{name.topic}[{name.partition}]: offset {position} is past its end")
        self._positions = dict(positions)

    def poll(self, records_max: int, timeout_ms: int) -> list[Record]:
        return self._log.call("poll", lambda: self._poll(records_max))

    def position(self, partition: TopicPartition) -> int:
        return self._positions[partition]

    def close(self) -> None:
        self._positions = {}

    def _poll(self, records_max: int) -> list[Record]:
        records: list[Record] = []
        for name in list(self._positions):
            # Taken out and put back: who was served goes to the end of the queue.
            position = self._positions.pop(name)
            room = records_max - len(records)
            found, self._positions[name] = self._log.partition(name).read(position, room)
            records.extend(found)
        return records
