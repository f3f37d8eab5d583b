"""The one order in which the records of a batch are applied, live, on a tape and in a replay."""

from collections.abc import Iterable, Sequence

from schemas.messages.core import ClockMode
from schemas.messages.market import Watermark
from streams.core.errors import DecodeError
from streams.runtime.ports import Batch, Codec, Inbound, Record, TopicPartition

__all__ = ["decode", "merge", "merged"]


def decode(codec: Codec, record: Record) -> Inbound:
    """Return the record with its message, or with the reason why there is none."""
    try:
        envelope, message = codec.decode(record.value)
    except DecodeError as error:
        return Inbound(record, None, None, error)
    return Inbound(record, envelope, message, None)


def merged(mode: ClockMode, urgent: Sequence[TopicPartition], batch: Batch) -> list[Inbound]:
    """Return a batch's records in the order to apply them, which a replay finds by the ranges."""
    runs: list[Sequence[Inbound]] = []
    at = 0
    for consumed in batch.ranges:
        runs.append(batch.records[at : at + consumed.count])
        at += consumed.count
    assert at == len(batch.records), "a range counts what the batch does not hold"
    return merge(mode, urgent, runs)


def merge(
    mode: ClockMode, urgent: Sequence[TopicPartition], runs: Iterable[Sequence[Inbound]]
) -> list[Inbound]:
    """Return the inputs in the order to apply them, watermarks left out.

    `runs` holds one run per consumed range, in the order of the ranges. LIVE keeps that order. TAPE
    keeps it for urgent inputs and sorts the others by (source_ns, topic, partition, offset); a
    record that cannot be decoded sorts with the one before it.
    """
    first: list[Inbound] = []
    timed: list[tuple[int, str, int, int, Inbound]] = []
    for run in runs:
        if mode is not ClockMode.TAPE or not run or _partition(run[0]) in urgent:
            first.extend(run)
            continue
        source_ns = 0
        for inbound in run:
            if inbound.envelope is not None:
                source_ns = inbound.envelope.source_ns
            record = inbound.record
            timed.append((source_ns, record.topic, record.partition, record.offset, inbound))
    timed.sort(key=_time)
    first.extend(entry[4] for entry in timed)
    return [inbound for inbound in first if type(inbound.message) is not Watermark]


def _partition(inbound: Inbound) -> TopicPartition:
    return TopicPartition(inbound.record.topic, inbound.record.partition)


def _time(entry: tuple[int, str, int, int, Inbound]) -> tuple[int, str, int, int]:
    return entry[:4]
