"""The state file of a data folder: where its broker listens, and which process it is."""

import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

from infra.broker.process import Identity, is_alive

__all__ = ["BrokerState", "live_state", "read_state", "write_state"]

FILE = "broker.json"


class BrokerState(BaseModel, frozen=True):
    """What a later start, a stop from elsewhere and a client need to know.

    Units: started_ns, UTC ns; pid and start_ticks are 0 while no broker runs.
    """

    host: str
    port: int
    controller_port: int
    cluster_id: str
    kafka: str
    java: str
    pid: int = 0
    start_ticks: int = 0
    started_ns: int = 0
    is_detached: bool = False

    @property
    def bootstrap(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def identity(self) -> Identity | None:
        return Identity(self.pid, self.start_ticks) if self.pid else None


def read_state(data: Path) -> BrokerState | None:
    """Return the folder's state; None when no broker has been there."""
    try:
        return BrokerState.model_validate_json((data / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def live_state(data: Path) -> BrokerState | None:
    """Return the folder's state if its broker runs now."""
    state = read_state(data)
    if state is None or state.identity is None or not is_alive(state.identity):
        return None
    return state


def write_state(data: Path, state: BrokerState) -> None:
    """Replace the state at once or not at all."""
    temporary = data / f"{FILE}.{os.getpid()}"
    temporary.write_text(state.model_dump_json(indent=2) + "\n")
    temporary.replace(data / FILE)
