"""In which order inputs are applied: by priority live, by market time on a tape."""

import pytest

from schemas.messages.core import ClockMode
from schemas.messages.market import Watermark
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.errors import CorruptHistoryError
from streams.runtime.inbox import LiveInbox, TapeInbox
from streams.runtime.merge import decode, merge, merged
from streams.runtime.ports import Batch, Resume, TopicPartition
from streams.runtime.settings import HostSettings
from tests.support.counting_app import command
from tests.support.memory_shard import CODEC, STEP_NS, TIMED, SteppedClock, put, settings, shard_log


def started(log: MemoryLog, mode: ClockMode, **changes: int) -> LiveInbox | TapeInbox:
    chosen: HostSettings = settings(mode, **changes)
    inbox: LiveInbox | TapeInbox
    if mode is ClockMode.TAPE:
        inbox = TapeInbox(log, CODEC, chosen)
    else:
        inbox = LiveInbox(log, CODEC, chosen, SteppedClock())
    inbox.start(Resume(dict.fromkeys(chosen.input_partitions, 0), 0, 0, 0))
    return inbox


def say(log: MemoryLog, topic: str, name: str, source_ns: int = 0) -> None:
    put(log, topic, *command(1, name, 1, source_ns))


def mark(log: MemoryLog, step: int, topic: str) -> None:
    watermark = Watermark(step=step, watermark_ns=step * STEP_NS, step_ns=STEP_NS, is_final=False)
    put(log, topic, command(0, "", 0, step * STEP_NS)[0], watermark)


def names(batch: Batch | None) -> list[str]:
    """Return what is applied, in order."""
    assert batch is not None
    mode = ClockMode.TAPE if batch.step else ClockMode.LIVE
    records = merged(mode, settings(mode).urgent_inputs, batch)
    return ["?" if each.message is None else each.message.context for each in records]


def test_live_inputs_are_applied_by_priority_of_topic() -> None:
    log = shard_log()
    for topic in (topics.ORDERS_COMMANDS, topics.MARKET_DATA, topics.VENUES_REPORTS):
        say(log, topic, topic)
    for topic in (topics.PLANS_EVENTS, topics.CONTROL_COMMANDS, topics.KILL_COMMANDS):
        say(log, topic, topic)
    assert names(started(log, ClockMode.LIVE).take(0)) == [
        topics.KILL_COMMANDS,
        topics.CONTROL_COMMANDS,
        topics.PLANS_EVENTS,
        topics.VENUES_REPORTS,
        topics.MARKET_DATA,
        topics.ORDERS_COMMANDS,
    ]


def test_a_live_batch_is_capped_and_loses_nothing() -> None:
    log = shard_log()
    for number in range(25):
        say(log, topics.ORDERS_COMMANDS, str(number))
    inbox = started(log, ClockMode.LIVE, batch_records_max=10)
    taken = [names(inbox.take(0)) for _ in range(3)]
    assert [len(each) for each in taken] == [10, 10, 5]
    assert [name for each in taken for name in each] == [str(number) for number in range(25)]
    assert inbox.take(0) is None


def test_a_tape_batch_waits_for_the_watermark_on_every_input() -> None:
    log = shard_log()
    inbox = started(log, ClockMode.TAPE)
    say(log, topics.ORDERS_COMMANDS, "early", 5)
    for topic in TIMED[:2]:
        mark(log, 1, topic)
    assert inbox.take(0) is None
    mark(log, 1, TIMED[2])
    say(log, topics.ORDERS_COMMANDS, "of the next step", STEP_NS + 1)
    batch = inbox.take(0)
    assert batch is not None
    assert names(batch) == ["early"]
    assert (batch.step, batch.watermark_ns, batch.now_ns) == (1, STEP_NS, STEP_NS)
    counts = {each.topic: each.count for each in batch.ranges}
    assert counts == {topics.ORDERS_COMMANDS: 2, topics.MARKET_DATA: 1, topics.VENUES_REPORTS: 1}


def test_a_tape_batch_is_sorted_by_time_then_topic_then_offset() -> None:
    log = shard_log()
    say(log, topics.VENUES_REPORTS, "report at 1", 1)
    say(log, topics.ORDERS_COMMANDS, "order at 2", 2)
    say(log, topics.ORDERS_COMMANDS, "second order at 2", 2)
    say(log, topics.MARKET_DATA, "book at 2", 2)
    say(log, topics.MARKET_DATA, "book at 0", 0)
    for topic in TIMED:
        mark(log, 1, topic)
    assert names(started(log, ClockMode.TAPE).take(0)) == [
        "book at 0",
        "report at 1",
        "book at 2",
        "order at 2",
        "second order at 2",
    ]


def test_a_record_that_cannot_be_decoded_sorts_with_the_one_before_it() -> None:
    log = shard_log()
    say(log, topics.ORDERS_COMMANDS, "order at 3", 3)
    log.append(topics.ORDERS_COMMANDS, 0, b"", b"\x07 no frame of ours")
    say(log, topics.MARKET_DATA, "book at 2", 2)
    say(log, topics.MARKET_DATA, "book at 4", 4)
    for topic in TIMED:
        mark(log, 1, topic)
    found = names(started(log, ClockMode.TAPE).take(0))
    assert found == ["book at 2", "order at 3", "?", "book at 4"]


def test_on_a_tape_control_is_read_to_its_end_and_applied_before_the_first_step() -> None:
    log = shard_log()
    say(log, topics.ORDERS_COMMANDS, "order", 1)
    for topic in TIMED:
        mark(log, 1, topic)
    for number in range(30):
        say(log, topics.CONTROL_COMMANDS, f"control {number}", 10**18)
    say(log, topics.KILL_COMMANDS, "kill", 10**18)
    found = names(started(log, ClockMode.TAPE).take(0))
    assert found == ["kill", *(f"control {number}" for number in range(30)), "order"]


def test_an_engine_that_waits_for_its_day_reads_all_that_is_defined_meanwhile() -> None:
    log = shard_log()
    inbox = started(log, ClockMode.TAPE)
    assert inbox.take(0) is None
    for number in range(2_500):  # more than one poll returns
        say(log, topics.CONTROL_COMMANDS, f"control {number}", 10**18)
    say(log, topics.ORDERS_COMMANDS, "order", 1)
    for topic in TIMED:
        mark(log, 1, topic)
    assert names(inbox.take(0)) == [*(f"control {number}" for number in range(2_500)), "order"]


def test_watermarks_of_different_steps_are_refused() -> None:
    log = shard_log()
    for topic, step in zip(TIMED, (1, 1, 2), strict=True):
        mark(log, step, topic)
    with pytest.raises(CorruptHistoryError):
        started(log, ClockMode.TAPE).take(0)


def test_a_tape_that_passes_over_a_step_is_refused() -> None:
    log = shard_log()
    for topic in TIMED:
        mark(log, 2, topic)
    with pytest.raises(CorruptHistoryError):
        started(log, ClockMode.TAPE).take(0)


def test_the_recorded_ranges_merge_to_the_same_order_again() -> None:
    log = shard_log()
    for number in range(20):
        say(log, TIMED[number % 3], str(number), (number * 7) % 5)
    for topic in TIMED:
        mark(log, 1, topic)
    batch = started(log, ClockMode.TAPE).take(0)
    assert batch is not None
    runs = []
    for each in batch.ranges:
        partition = log.partition(TopicPartition(each.topic, each.partition))
        records, _ = partition.read(each.first_offset, each.count)
        runs.append([decode(CODEC, record) for record in records])
    urgent = settings(ClockMode.TAPE).urgent_inputs
    assert merge(ClockMode.TAPE, urgent, runs) == merged(ClockMode.TAPE, urgent, batch)
