"""The local stop: flags that a host reads by itself, whatever became of the log. docs/adr/0015."""

from typing import Final, Protocol

__all__ = ["NO_LATCH", "KillLatch"]


class KillLatch(Protocol):
    """What stands in the way of sending on this host: asked before a batch, and before its commit.

    A gateway to venues asks it before each order that it sends.
    """

    def standing(self) -> tuple[str, ...]:
        """Return the text of every flag that stands now, in a fixed order; never raises."""


class _NoLatch:
    def standing(self) -> tuple[str, ...]:
        return ()


NO_LATCH: Final[KillLatch] = _NoLatch()
