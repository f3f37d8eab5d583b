"""How often each session's numbers began again: counted beside the store that begins them."""

import json
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

__all__ = ["Epoch", "Epochs"]

FILE: Final = "epochs.json"


class Epoch(NamedTuple):
    """A run of numbers of one session."""

    number: int
    created: str  # when it began, as QuickFIX's store has it

    @property
    def day(self) -> int:
        """Return the UTC day on which it began, yyyymmdd; 0 when nobody knows."""
        return int(self.created[:8]) if self.created[:8].isdigit() else 0


class Epochs:
    """Of all sessions of a wire; written to the disk before anything is said of a new one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = Lock()
        known = json.loads(self._path.read_text()) if self._path.is_file() else {}
        self._by_session = {name: Epoch(*row) for name, row in known.items()}

    def of(self, session_id: str) -> Epoch:
        """Return the newest epoch; number 0 for a session that never logged on."""
        return self._by_session.get(session_id, Epoch(0, ""))

    def begin(self, session_id: str, created: str, *, at_least: int = 0) -> Epoch:
        """Note that the numbers have begun again; `at_least`: one that the log knows."""
        with self._lock:
            epoch = Epoch(max(self.of(session_id).number + 1, at_least), created)
            self._by_session[session_id] = epoch
            beside = self._path.with_suffix(".new")
            beside.write_text(json.dumps(self._by_session))
            beside.replace(self._path)
            return epoch

    def settle(self, session_id: str, number: int, created: str) -> None:
        """Go on in an epoch that the log knows though the files here do not."""
        with self._lock:
            self._by_session[session_id] = Epoch(number - 1, created)
        self.begin(session_id, created)
