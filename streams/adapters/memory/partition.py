"""One partition: records and markers by offset, with what each transaction came to."""

from typing import NamedTuple

from streams.runtime.ports import Record, TopicPartition

__all__ = ["Partition"]


class Entry(NamedTuple):
    """A record, or a marker when `record` is None."""

    producer_id: int
    record: Record | None


class Partition:
    """Offsets start at `start`, which retention moves; markers and aborted records keep theirs."""

    __slots__ = ("_aborted", "_entries", "_open", "name", "start")

    def __init__(self, name: TopicPartition) -> None:
        self.name = name
        self.start = 0
        self._entries: list[Entry] = []
        self._open: dict[int, int] = {}  # producer id -> offset of its first open record
        self._aborted: set[int] = set()  # offsets of aborted records

    @property
    def end(self) -> int:
        return len(self._entries)

    @property
    def stable(self) -> int:
        return min(self._open.values(), default=self.end)

    def append(self, producer_id: int, key: bytes, value: bytes) -> None:
        """Add a record of an open transaction."""
        offset = self.end
        record = Record(self.name.topic, self.name.partition, offset, offset, key, value)
        self._entries.append(Entry(producer_id, record))
        self._open.setdefault(producer_id, offset)

    def append_plain(self, key: bytes, value: bytes) -> None:
        """Add a record without a transaction."""
        offset = self.end
        record = Record(self.name.topic, self.name.partition, offset, offset, key, value)
        self._entries.append(Entry(-1, record))

    def mark(self, producer_id: int, is_commit: bool) -> None:
        """Write the marker that ends the producer's transaction here."""
        first = self._open.pop(producer_id)
        if not is_commit:
            for offset in range(first, self.end):
                if self._entries[offset].producer_id == producer_id:
                    self._aborted.add(offset)
        self._entries.append(Entry(producer_id, None))

    def read(self, position: int, records_max: int) -> tuple[list[Record], int]:
        """Return committed records from `position` on and where the next read starts."""
        records: list[Record] = []
        stable = self.stable
        while position < stable and len(records) < records_max:
            record = self._entries[position].record
            if record is not None and position not in self._aborted:
                records.append(record)
            position += 1
        return records, position

    def truncate(self, start: int) -> None:
        """Delete what stands before `start`, as retention does."""
        self.start = start
