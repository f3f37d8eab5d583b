"""Who may watch a host at work: metrics. Nothing that an observer does reaches a decision."""

from typing import Protocol

from schemas.messages.runtime import JournalRecord
from streams.runtime.journal import JournalEnd
from streams.runtime.ports import Application, Batch

__all__ = ["NOBODY", "Observer"]


class Observer(Protocol):
    """Told on the loop's own thread, so it must be quick and never raise."""

    def taken(self, batch: Batch) -> None:
        """A batch was read and is about to be decided."""

    def committed(
        self,
        application: Application,
        end: JournalEnd,
        record: JournalRecord,
        *,
        decide_ns: int,
        commit_ns: int,
    ) -> None:
        """A transaction has committed. Units: ns spent on deciding and encoding, on committing."""

    def idle(self, application: Application, end: JournalEnd) -> None:
        """There was nothing to do at this turn."""

    def saved(self, size: int) -> None:
        """A snapshot of `size` bytes has committed."""

    def took_over(self, application: Application, end: JournalEnd) -> None:
        """The shard is ours, its state restored; now, or again after an error."""


class _Nobody:
    def taken(self, batch: Batch) -> None:
        pass

    def committed(
        self,
        application: Application,
        end: JournalEnd,
        record: JournalRecord,
        *,
        decide_ns: int,
        commit_ns: int,
    ) -> None:
        pass

    def idle(self, application: Application, end: JournalEnd) -> None:
        pass

    def saved(self, size: int) -> None:
        pass

    def took_over(self, application: Application, end: JournalEnd) -> None:
        pass


NOBODY: Observer = _Nobody()
