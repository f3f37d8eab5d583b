"""One writer's journal against what it read and wrote: chain, ids, digests, offsets, sequences."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Any

from services.audit.findings import Code, Findings
from services.audit.records import Entry, Partition

__all__ = ["Writer"]

NO_EVENT = bytes(16)
OnBatch = Callable[[Entry, list[Entry], list[Entry]], None]  # journal, inputs, outputs by index


def event_id(log_id: bytes, shard: int, seq: int, index: int) -> bytes:
    """Return the id that the writer owes this event: docs/architecture.md, Ids."""
    parts = shard.to_bytes(4, "big") + seq.to_bytes(8, "big") + index.to_bytes(4, "big")
    return blake2b(log_id + parts, digest_size=16).digest()


@dataclass(slots=True)
class Writer:
    """An engine shard or the simulator: its journal and its queues of unread records."""

    name: str
    findings: Findings
    on_batch: OnBatch
    journal: deque[Entry] = field(default_factory=deque)
    inputs: dict[Partition, deque[Entry]] = field(default_factory=dict)
    outputs: dict[Partition, deque[Entry]] = field(default_factory=dict)
    seq: int = -1
    hash: bytes = bytes(32)
    log_id: bytes = b""
    incarnation: int = 0
    now_ns: int = 0
    step: int = 0
    known: set[bytes] = field(default_factory=set)  # event ids read and written so far
    positions: dict[Partition, int] = field(default_factory=dict)
    topic_seqs: dict[Partition, int] = field(default_factory=dict)
    events: int = 0
    journal_records: int = 0

    def advance(self, *, is_end: bool = False) -> None:
        """Check every journal record whose records are all there; at the end, all of them."""
        while self.journal and (is_end or self._is_complete(self.journal[0].message)):
            self._check(self.journal.popleft())

    def _is_complete(self, record: dict[str, Any]) -> bool:
        counts = [(self.outputs, row) for row in record["outputs"]]
        counts += [(self.inputs, row) for row in record["ranges"]]
        for queues, row in counts:
            queue = queues.get(Partition(row["topic"], row["partition"]), ())
            if len(queue) < row["count"]:
                return False
        return True

    def _check(self, journal: Entry) -> None:
        self._check_chain(journal)
        inputs = self._take_inputs(journal)
        outputs = self._take_outputs(journal)
        self._check_digest(journal, outputs)
        self.known.update(e.envelope["event_id"] for e in inputs if e.name)
        for entry in [*outputs, journal]:
            self._check_identity(journal, entry)
        self.events += len(outputs)
        self.journal_records += 1
        self.on_batch(journal, inputs, outputs)

    def _check_chain(self, entry: Entry) -> None:
        record, envelope = entry.message, entry.envelope
        is_start = record["kind"] == "OWNER_STARTED"
        seq, index, time = envelope["seq"], envelope["index"], record["now_ns"]
        breaches = [
            (seq != self.seq + 1, f"seq {seq} follows {self.seq}"),
            (
                record["previous_hash"] != self.hash,
                "previous hash is not that of the record before",
            ),
            (record["log_id"] != (self.log_id or record["log_id"]), "another log id"),
            (
                record["incarnation"] != self.incarnation + is_start,
                f"incarnation {record['incarnation']} after {self.incarnation}",
            ),
            (time < self.now_ns, f"time {time} after {self.now_ns}"),
            (index != record["output_count"], f"index {index} of {record['output_count']} outputs"),
            (envelope["topic_seq"] != seq, f"topic_seq {envelope['topic_seq']} at seq {seq}"),
        ]
        if record["step"]:
            breaches.append(
                (record["step"] != self.step + 1, f"step {record['step']} after {self.step}")
            )
            is_behind = record["now_ns"] != record["watermark_ns"]
            breaches.append((is_behind, f"time {time} at watermark {record['watermark_ns']}"))
        for is_breach, text in breaches:
            if is_breach:
                self.findings.add(Code.JOURNAL_CHAIN, self.name, text, entry)
        self.seq, self.log_id = seq, record["log_id"]
        self.hash = sha256(entry.raw.value).digest()
        self.incarnation, self.now_ns = record["incarnation"], max(time, self.now_ns)
        self.step = record["step"] or self.step

    def _take_inputs(self, journal: Entry) -> list[Entry]:
        taken: list[Entry] = []
        for row in journal.message["ranges"]:
            partition = Partition(row["topic"], row["partition"])
            queue = self.inputs.get(partition, deque())
            first, end = row["first_offset"], row["next_position"]
            if first < self.positions.get(partition, 0):
                text = f"reads from {first}, had read to {self.positions[partition]}"
                self.findings.add(Code.INPUT_TWICE, f"{self.name} {partition}", text, journal)
            self.positions[partition] = end
            while queue and queue[0].raw.offset < first:
                skipped = queue.popleft()
                self.findings.add(Code.INPUT_GAP, str(skipped), f"{self.name} skips it", journal)
            run = []
            while queue and queue[0].raw.offset < end:
                run.append(queue.popleft())
            if len(run) != row["count"]:
                text = f"{len(run)} records in {first}..{end}, journal counts {row['count']}"
                self.findings.add(Code.INPUT_GAP, f"{self.name} {partition}", text, journal)
            elif run and run[0].raw.offset != first:
                text = f"begins at {run[0].raw.offset}, journal says {first}"
                self.findings.add(Code.INPUT_GAP, f"{self.name} {partition}", text, journal)
            taken += run
        return taken

    def _take_outputs(self, journal: Entry) -> list[Entry]:
        taken: list[Entry] = []
        for row in journal.message["outputs"]:
            partition = Partition(row["topic"], row["partition"])
            queue = self.outputs.get(partition, deque())
            run = []
            while queue and queue[0].envelope["seq"] <= self.seq:
                entry = queue.popleft()
                if entry.envelope["seq"] < self.seq:
                    self._orphan(entry)
                else:
                    run.append(entry)
            if len(run) != row["count"]:
                text = f"{len(run)} records, journal counts {row['count']}"
                self.findings.add(Code.OUTPUT_COUNT, f"{self.name} {partition}", text, journal)
            self._check_topic_seqs(partition, run, row["last_topic_seq"], journal)
            taken += run
        taken.sort(key=lambda entry: int(entry.envelope["index"]))
        return taken

    def _check_topic_seqs(
        self, partition: Partition, run: list[Entry], last: int, journal: Entry
    ) -> None:
        newest = self.topic_seqs.get(partition, -1)
        for entry in run:
            if entry.envelope["topic_seq"] != newest + 1:
                text = f"topic_seq {entry.envelope['topic_seq']} follows {newest}"
                self.findings.add(Code.TOPIC_SEQ_GAP, str(partition), text, entry)
            newest = entry.envelope["topic_seq"]
        if newest != last:
            text = f"newest topic_seq {newest}, journal says {last}"
            self.findings.add(Code.TOPIC_SEQ_GAP, str(partition), text, journal)
        self.topic_seqs[partition] = last

    def _check_digest(self, journal: Entry, outputs: list[Entry]) -> None:
        record = journal.message
        indexes = [entry.envelope["index"] for entry in outputs]
        if indexes != list(range(record["output_count"])):
            text = f"{len(indexes)} events, indexes 0 to {record['output_count'] - 1} wanted"
            self.findings.add(Code.OUTPUT_COUNT, f"{self.name} seq {self.seq}", text, journal)
        digest = sha256()
        for entry in outputs:
            raw = entry.raw
            digest.update(raw.topic.encode() + raw.partition.to_bytes(4, "big") + raw.value)
        if digest.digest() != record["output_digest"]:
            text = f"digest {digest.hexdigest()[:16]} of the records is not the journal's"
            self.findings.add(Code.OUTPUT_DIGEST, f"{self.name} seq {self.seq}", text, journal)

    def _check_identity(self, journal: Entry, entry: Entry) -> None:
        envelope = entry.envelope
        own_id = envelope["event_id"]
        if own_id in self.known:
            self.findings.add(Code.DUPLICATE_EVENT_ID, own_id.hex(), "stands for two events", entry)
        wanted = event_id(self.log_id, envelope["shard"], envelope["seq"], envelope["index"])
        if own_id != wanted:
            self.findings.add(Code.EVENT_ID, own_id.hex(), f"{wanted.hex()} is its id", entry)
        self.known.add(own_id)
        if envelope["at_ns"] != journal.message["now_ns"]:
            text = f"decided at {envelope['at_ns']}, batch at {journal.message['now_ns']}"
            self.findings.add(Code.JOURNAL_CHAIN, self.name, text, entry)
        cause = envelope["causation_id"]
        if cause != NO_EVENT and cause not in self.known:
            self.findings.add(Code.LINEAGE, cause.hex(), "caused it and is not in the log", entry)

    def _orphan(self, entry: Entry) -> None:
        seq = entry.envelope["seq"]
        text = f"no journal record {seq} of {self.name} counts it"
        self.findings.add(Code.OUTPUT_ORPHAN, str(entry.partition), text, entry)

    def finish(self, *, is_quiet: bool) -> int:
        """Check what is left; return the inputs not read yet.

        `is_quiet`: nobody wrote while the log was read, so that events behind the last journal
        record have none.
        """
        self.advance(is_end=True)
        for queue in self.outputs.values():
            for entry in queue:
                if is_quiet or entry.envelope["seq"] <= self.seq:
                    self._orphan(entry)
        return sum(len(queue) for queue in self.inputs.values())
