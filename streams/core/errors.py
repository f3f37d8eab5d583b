"""Error hierarchy.

* Error
  - OffGridError           input: a price or quantity is not a whole number of increments
  - DecodeError            input: bytes that are no message of ours; carries a RejectReason
  - CorruptHistoryError    fatal: recorded events contradict each other; stop the shard
  - LogError
    - FencedError          fatal: another owner took over; exit 75
    - AmbiguousCommitError full take-over: whether the transaction committed is unknown
    - KillSeenError        full take-over: a local kill came before the commit, the batch is undone
    - RetentionError       fatal: an input that recovery needs is gone

A business refusal is not an error: it is an event (`OrderRejected`), and it is recorded.
"""

from decimal import Decimal

from schemas.messages.core import RejectReason

__all__ = [
    "AmbiguousCommitError",
    "CorruptHistoryError",
    "DecodeError",
    "Error",
    "FencedError",
    "KillSeenError",
    "LogError",
    "OffGridError",
    "RetentionError",
]


class Error(Exception):
    """Root of every error raised on purpose."""


class OffGridError(Error):
    """A decimal value is not a whole number of increments."""

    def __init__(self, name: str, value: Decimal, increment: Decimal) -> None:
        super().__init__(f"{name} {value} is not a multiple of {increment}")
        self.name = name
        self.value = value
        self.increment = increment


class DecodeError(Error):
    """Bytes that are no message of ours. `reason` is the code of the dead letter."""

    def __init__(self, reason: RejectReason, field: str, value: str, bound: str) -> None:
        super().__init__(f"{field} {value}: {bound}")
        self.reason = reason
        self.field = field
        self.value = value
        self.bound = bound


class CorruptHistoryError(Error):
    """Folding hit an event that cannot follow the ones before it."""


class LogError(Error):
    """The log refused or lost an operation."""


class FencedError(LogError):
    """A newer owner holds the transactional id: this process must not go on."""


class AmbiguousCommitError(LogError):
    """The transaction may or may not have committed: only the journal's end can tell."""


class KillSeenError(LogError):
    """A local kill was seen before the commit: nothing that was decided without it may leave."""


class RetentionError(LogError):
    """An input that recovery needs has been deleted."""

    def __init__(self, topic: str, partition: int, wanted: int, start: int) -> None:
        super().__init__(f"{topic}[{partition}]: offset {wanted} wanted, log starts at {start}")
        self.topic = topic
        self.partition = partition
        self.wanted = wanted
        self.start = start
