"""An in-memory log: simulation, what-if and tests with seeded faults."""

from streams.adapters.memory.faults import Fault, Faults, SimulatedCrash
from streams.adapters.memory.log import MemoryLog

__all__ = ["Fault", "Faults", "MemoryLog", "SimulatedCrash"]
