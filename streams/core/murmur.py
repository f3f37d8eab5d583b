"""The Java client's murmur2 hash: which partition a key belongs to."""

from functools import lru_cache

__all__ = ["murmur2", "partition_of"]

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """Return the hash as a signed 32-bit integer.

    Source: org.apache.kafka.common.utils.Utils.murmur2.
    """
    h = _SEED ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    h ^= h >> 15
    return h - (1 << 32) if h >> 31 else h


@lru_cache(maxsize=65_536)  # instruments come back with every record; a hash costs 2 us
def partition_of(key: str, partitions: int) -> int:
    """Return the partition that the Java client's default gives to a key."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
