"""Quantiles of answer times from counts in buckets that grow by an eighth, in integers."""

from typing import Final

import msgspec

__all__ = ["Sketch"]

STEPS: Final = 8  # buckets in an octave: a quantile is at most an eighth too high
COUNT_MAX: Final = 512  # then every count is halved: what is old weighs less and less


class Sketch(msgspec.Struct, array_like=True):
    """Counts by bucket; only those that were ever hit are kept, at most about 500."""

    counts: dict[str, int] = {}  # by bucket; canonical bytes allow no other keys than strings
    total: int = 0

    def observe(self, value: int) -> None:
        """Count a value of at least 0; a negative one is a clock that disagrees, and counts 0."""
        key = str(_bucket(max(0, value)))
        self.counts[key] = self.counts.get(key, 0) + 1
        self.total += 1
        if self.total >= COUNT_MAX:
            self.counts = {key: count // 2 for key, count in self.counts.items() if count > 1}
            self.total = sum(self.counts.values())

    def quantile(self, part_e9: int) -> int | None:
        """Return the least bound that so large a part does not exceed; None before the first.

        Units:  part 1e-9; the bound as the values.
        Rounds: up to the end of the bucket.
        """
        if not self.total:
            return None
        wanted, seen, bucket = -(-self.total * part_e9 // 1_000_000_000), 0, 0
        for bucket, count in sorted((int(key), count) for key, count in self.counts.items()):
            seen += count
            if seen >= wanted:
                return _end(bucket)
        return _end(bucket)


def _bucket(value: int) -> int:
    """Return the bucket: values below 8 one each, then eight to every octave."""
    if value < STEPS:
        return value
    shift = value.bit_length() - 4
    return (shift + 1) * STEPS + (value >> shift) - STEPS


def _end(bucket: int) -> int:
    """Return the largest value of a bucket."""
    if bucket < STEPS:
        return bucket
    shift = bucket // STEPS - 1
    return ((bucket % STEPS + STEPS + 1) << shift) - 1
