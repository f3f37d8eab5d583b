"""Faults for the in-memory log: at the n-th call, one thing goes wrong."""

from dataclasses import dataclass, field
from enum import Enum, auto

__all__ = ["Fault", "Faults", "SimulatedCrash"]


class SimulatedCrash(BaseException):
    """The process dies here; no `except Exception` may survive it."""


class Fault(Enum):
    """What happens at the chosen call. The last four are for a commit; elsewhere they crash."""

    FAILS = auto()  # the call does nothing and says so: a broker out of reach for a moment
    CRASH_BEFORE = auto()  # the process dies before the call reaches the log
    CRASH_AFTER = auto()  # it dies when the call has been carried out
    ANSWER_LOST = auto()  # the commit is carried out, its answer lost
    REQUEST_LOST = auto()  # the commit never arrives
    REQUEST_LATE = auto()  # the commit arrives some calls later, on whatever is open then
    CRASH_REQUEST_LATE = auto()  # the process dies, and its commit arrives later


@dataclass(slots=True)
class Faults:
    """A plan: `fault_by_call` maps the ordinal of a call, from 0, to what happens there."""

    fault_by_call: dict[int, Fault] = field(default_factory=dict)
    late_calls: int = 3  # how many calls a late request takes
    calls: int = 0
    names: list[str] = field(default_factory=list)  # of all calls so far

    def next(self, name: str) -> Fault | None:
        """Count one call and return what is to happen at it."""
        fault = self.fault_by_call.get(self.calls)
        self.calls += 1
        self.names.append(name)
        return fault
