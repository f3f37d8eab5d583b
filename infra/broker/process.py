"""The broker as a process: started, recognised across restarts, stopped within a bound."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Identity", "end", "is_alive", "spawn", "wait_gone"]

LAUNCH = Path(__file__).with_name("launch.py")
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for certain: pids are used again, a pid with its start time is not.

    Units: start_ticks, clock ticks since boot (/proc/<pid>/stat, field 22).
    """

    pid: int
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Return the identity of a process that runs now; None when there is none."""
        fields = _stat(pid)
        return None if fields is None else cls(pid, int(fields[19]))


def is_alive(identity: Identity) -> bool:
    """Return whether that very process runs; a zombie does not."""
    fields = _stat(identity.pid)
    return fields is not None and int(fields[19]) == identity.start_ticks and fields[0] != "Z"


def spawn(
    command: Sequence[str], *, log: Path, is_detached: bool, niceness: int = 0
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to `log`.

    Not detached, the kernel kills it when the *thread* that called this ends, so call it from a
    thread that lives as long as the broker is wanted (the main thread).
    """
    if not is_detached:
        launch = (sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()))
        command = (*launch, *command)
    if niceness:
        command = ("/usr/bin/env", "nice", "-n", str(niceness), *command)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C at the terminal is for us: the broker is stopped after its clients.
            start_new_session=True,
        )


def end(identity: Identity, timeout_s: float) -> bool:
    """Stop a process: SIGTERM, then SIGKILL after `timeout_s`. Return whether it ended cleanly."""
    if not _signal(identity, signal.SIGTERM):
        return True
    if wait_gone(identity, timeout_s):
        return True
    _signal(identity, signal.SIGKILL)
    wait_gone(identity, timeout_s)
    return False


def wait_gone(identity: Identity, timeout_s: float) -> bool:
    """Return whether the process is gone within `timeout_s`; reap it if it is our child."""
    deadline = time.monotonic() + timeout_s
    while is_alive(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _signal(identity: Identity, number: int) -> bool:
    if not is_alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold anything.
    return text.rpartition(")")[2].split()
