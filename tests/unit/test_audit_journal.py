"""The checker's log laws: chain, digests, ids, sequences, offsets; each broken once, and found."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.messages.core import ConsumedRange, ExecType
from services.audit import RawRecord, check_records
from streams.core import topics
from tests.support.audit_day import day, report
from tests.support.audit_log import Batch, resign, written

Records = list[RawRecord]
Tamper = Callable[[Records], Records]


def journal(nth: int, **fields: Any) -> Tamper:
    """Write the nth journal record with other fields; the chain behind it breaks too."""
    return lambda records: resign(
        records,
        topics.ENGINE_JOURNAL,
        nth,
        lambda envelope, message: (envelope, msgspec.structs.replace(message, **fields)),
    )


def envelope(topic: str, nth: int, **fields: Any) -> Tamper:
    return lambda records: resign(
        records,
        topic,
        nth,
        lambda envelope, message: (msgspec.structs.replace(envelope, **fields), message),
    )


def without(topic: str, nth: int) -> Tamper:
    def tamper(records: Records) -> Records:
        record = [r for r in records if r.topic == topic][nth]
        return [r for r in records if r is not record]

    return tamper


def extra(topic: str, nth: int) -> Tamper:
    """Append a copy of a record at the end of its partition."""

    def tamper(records: Records) -> Records:
        of_topic = [r for r in records if r.topic == topic]
        return [*records, of_topic[nth]._replace(offset=len(of_topic))]

    return tamper


def first_event_id(records: Records) -> bytes:
    value = next(r.value for r in records if r.topic == topics.ORDERS_EVENTS)
    return value[5:21]


def reused_id(records: Records) -> Records:
    return envelope(topics.FILLS_EVENTS, 0, event_id=first_event_id(records))(records)


def range_of(first: int, end: int, count: int) -> tuple[ConsumedRange, ...]:
    return (
        ConsumedRange(
            topic=topics.VENUES_REPORTS,
            partition=0,
            first_offset=first,
            next_position=end,
            count=count,
        ),
    )


# Journal record 2 reads report 0, record 4 report 1, record 5 report 2.
TAMPERS: dict[str, tuple[Tamper, str]] = {
    "a journal record is lost": (without(topics.ENGINE_JOURNAL, 3), "JOURNAL_CHAIN"),
    "a journal record is changed": (journal(3, config_version="x"), "JOURNAL_CHAIN"),
    "another log id": (journal(3, log_id=b"x" * 16), "JOURNAL_CHAIN"),
    "an incarnation from nowhere": (journal(3, incarnation=2), "JOURNAL_CHAIN"),
    "time runs backwards": (journal(3, now_ns=1), "JOURNAL_CHAIN"),
    "a journal record out of step": (journal(3, step=7, watermark_ns=3), "JOURNAL_CHAIN"),
    "an event was decided at another time": (
        envelope(topics.FILLS_EVENTS, 0, at_ns=99),
        "JOURNAL_CHAIN",
    ),
    "an event is lost": (without(topics.FILLS_EVENTS, 0), "OUTPUT_COUNT"),
    "the last event is lost": (without(topics.ALLOCATIONS_EVENTS, -1), "OUTPUT_COUNT"),
    "an event is changed": (
        envelope(topics.FILLS_EVENTS, 0, correlation_id="x"),
        "OUTPUT_DIGEST",
    ),
    "a digest is wrong": (journal(3, output_digest=b"x" * 32), "OUTPUT_DIGEST"),
    "an event without a journal record": (extra(topics.FILLS_EVENTS, 0), "OUTPUT_ORPHAN"),
    "a gap in a topic's sequence": (
        envelope(topics.FILLS_EVENTS, 1, topic_seq=2),
        "TOPIC_SEQ_GAP",
    ),
    "an id that does not follow": (
        envelope(topics.FILLS_EVENTS, 0, event_id=b"x" * 16),
        "EVENT_ID",
    ),
    "an id used twice": (reused_id, "DUPLICATE_EVENT_ID"),
    "a cause that is not in the log": (
        envelope(topics.FILLS_EVENTS, 0, causation_id=b"x" * 16),
        "LINEAGE",
    ),
    "an input is skipped": (journal(4, ranges=range_of(2, 3, 1)), "INPUT_GAP"),
    "an input is read twice": (journal(4, ranges=range_of(0, 2, 2)), "INPUT_TWICE"),
    "an input is not counted": (journal(4, ranges=range_of(1, 3, 1)), "INPUT_GAP"),
    "an input is gone": (without(topics.VENUES_REPORTS, 0), "INPUT_GAP"),
    "an own record cannot be read": (
        lambda records: [
            r._replace(value=r.value[:-1]) if r.topic == topics.FILLS_EVENTS else r for r in records
        ],
        "UNDECODABLE",
    ),
}


@pytest.mark.parametrize("name", TAMPERS)
def test_a_tampered_log_is_found(name: str) -> None:
    tamper, code = TAMPERS[name]
    counts = check_records(tamper(written(day().values()))).counts
    assert code in counts, counts


def test_any_single_flipped_bit_is_found() -> None:
    """Digest and chain cover every byte that we wrote."""
    good = written(day().values())
    own = [i for i, r in enumerate(good) if "commands" not in r.topic and "data" not in r.topic]
    for place in own:
        record = good[place]
        if record.topic == topics.VENUES_REPORTS or place == own[-1]:
            continue  # a venue's own bytes; and the chain's end, which an anchor would cover
        for at in (6, len(record.value) // 2, len(record.value) - 1):
            value = bytearray(record.value)
            value[at] ^= 1
            bad = [*good[:place], record._replace(value=bytes(value)), *good[place + 1 :]]
            assert not check_records(bad).is_clean, f"{record.topic}@{record.offset} byte {at}"


def test_inputs_that_wait_are_counted_and_are_no_finding() -> None:
    records = written(day().values())
    late = [Batch(inputs=[report("E8", 3, ExecType.NEW, 0)])]
    more = written([*day().values(), *late])
    waiting = [r for r in more if r not in records and r.topic == topics.VENUES_REPORTS]
    found = check_records([*records, *waiting])
    assert found.is_clean
    assert found.unconsumed_inputs == 1


def test_the_order_in_which_partitions_are_read_does_not_matter() -> None:
    records = written(day().values())
    by_topic = sorted(records, key=lambda r: r.topic)
    backwards = sorted(records, key=lambda r: (r.topic, -r.offset), reverse=True)
    assert check_records(by_topic) == check_records(backwards) == check_records(records)


def test_while_others_write_events_ahead_of_the_journal_are_left() -> None:
    records = written(day().values())
    cut = [r for r in records if r.topic != topics.ENGINE_JOURNAL]
    journals = [r for r in records if r.topic == topics.ENGINE_JOURNAL]
    assert check_records([*cut, *journals[:-1]], is_quiet=False).is_clean
    assert "OUTPUT_ORPHAN" in check_records([*cut, *journals[:-1]]).counts


def test_a_finding_says_what_and_where() -> None:
    tamper, _ = TAMPERS["an event is lost"]
    findings = check_records(tamper(written(day().values()))).findings
    lost = next(f for f in findings if f.code == "OUTPUT_COUNT")
    assert str(lost) == (
        "OUTPUT_COUNT engine 0 fills.events.v1[0]: 0 records, journal counts 1 "
        "(engine.journal.v1[0]@2 seq 2 index 2)"
    )
