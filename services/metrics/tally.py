"""What a gateway counts while it works."""

from collections import Counter

__all__ = ["Tally"]


class Tally:
    """Written by the gateway's loop, read by the server's threads. Units: smallest units.

    A step that is decided again after a failed commit is counted again.
    """

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()  # messages to the venue, by type
        self.told: Counter[str] = Counter()  # messages of the venue, by FIX ExecType or type
        self.executed: Counter[str] = Counter()  # quantity, by FIX ExecType
