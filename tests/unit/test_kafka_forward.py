"""What a client delivers twice is read once."""

from streams.adapters.kafka.forward import Forward
from streams.runtime.ports import TopicPartition

ORDERS, FILLS = TopicPartition("orders", 0), TopicPartition("fills", 0)


def test_a_repeat_is_passed_over_and_counted() -> None:
    forward = Forward({ORDERS: 5})
    read = [offset for offset in (5, 6, 9, 6, 9, 10) if forward.is_new("orders", 0, offset)]
    assert read == [5, 6, 9, 10]
    assert forward.repeats == 2


def test_what_lies_before_the_position_asked_for_is_a_repeat() -> None:
    assert not Forward({ORDERS: 5}).is_new("orders", 0, 4)


def test_partitions_move_apart() -> None:
    forward = Forward({ORDERS: 5, FILLS: 0})
    assert forward.is_new("orders", 0, 7)
    assert forward.is_new("fills", 0, 0)
    assert forward.is_new("fills", 0, 1)
    assert forward.repeats == 0
