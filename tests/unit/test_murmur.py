"""Partitions are those of the Java client."""

import pytest

from streams.core.murmur import murmur2, partition_of


# The vectors of Kafka's own UtilsTest, test of murmur2.
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_hash_is_that_of_the_java_client(key: str, expected: int) -> None:
    assert murmur2(key.encode()) == expected


def test_the_partition_is_the_positive_hash_modulo_the_count() -> None:
    assert partition_of("abc", 4) == 479470107 % 4
    assert partition_of("21", 4) == (-973932308 & 0x7FFFFFFF) % 4
