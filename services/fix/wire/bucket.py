"""How many messages a session may send in a second."""

from typing import Final

__all__ = ["Bucket"]

READ_FACTOR: Final = 4  # refused ones included, no more than so many times the limit are read


class Bucket:
    """A bucket of one second's messages: filled steadily, drained by each message.

    Over the limit a message is refused; at `READ_FACTOR` times the limit reading itself waits, so
    that what a flood costs is bounded and TCP holds it back. A rate of 0 refuses nothing.
    """

    def __init__(self, rate: int, now_s: float) -> None:
        self._rate = rate
        self._tokens = float(rate)
        self._at_s = now_s
        self._read_until_s = now_s - 1  # when reading at the highest rate is through with it all

    def is_over(self, now_s: float) -> bool:
        """Count a message; return whether it is one too many."""
        if not self._rate:
            return False
        filled = self._tokens + (now_s - self._at_s) * self._rate
        self._tokens, self._at_s = min(float(self._rate), filled), now_s
        self._read_until_s = max(self._read_until_s, now_s - 1) + 1 / (self._rate * READ_FACTOR)
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False

    def wait_s(self, now_s: float) -> float:
        """Return how long to read nothing now."""
        return max(0.0, self._read_until_s - now_s) if self._rate else 0.0
