"""The gateway of clients as an operator runs it, before an engine with a market that goes on."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.messages.routing import ChildCancelRequested
from streams.core import topics
from tests.support.builders import cancel_confirmed
from tests.support.counted_run import eventually
from tests.support.live_desk import LiveDesk

__all__ = ["Quotes", "gateway"]

ROOT = Path(__file__).parents[2]
GATEWAY = """
name = "fixin"
number = 1
kind = "clients"
[quickfix]
ConnectionType = "acceptor"
SocketAcceptPort = "{port}"
[[session]]
session_id = "foreign"
[session.quickfix]
BeginString = "FIX.4.4"
SenderCompID = "PENSTOCK"
TargetCompID = "FOREIGN"
[session.terms]
tenant = "T1"
source = "FOREIGN"
desk_id = "DESK"
accounts = ["A1"]
default_account = "A1"
default_strategy = "IMMEDIATE"
default_urgency = "URGENT"
"""


@contextmanager
def gateway(folder: Path, bootstrap: str, port: int, text: str = "") -> Iterator[None]:
    """Run wire and gateway as an operator does; `text` is its file, else one foreign session."""
    file = folder / "fixin.toml"
    file.write_text(text or GATEWAY.format(port=port))
    command = [
        *(sys.executable, "-m", "services.cli.main", "fix", "run", str(file)),
        *("--bootstrap", bootstrap, "--store", str(folder / "stores")),
    ]
    with (folder / "fix.log").open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    try:
        eventually(lambda: _listens(port), "the wire does not listen", 60)
        yield
    finally:
        process.terminate()
        process.wait(40)


class Quotes:
    """A market that goes on: what is older than two seconds is no quote.

    With `is_canceling` its venues cancel what they are asked to cancel.
    """

    def __init__(self, desk: LiveDesk, *, is_canceling: bool = False) -> None:
        self._desk = desk
        self._is_canceling = is_canceling
        self._canceled: set[str] = set()
        self.filled: dict[str, int] = {}  # by child, as the test said
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.3):
            self._desk.quote()
            if self._is_canceling:
                self._cancel()

    def _cancel(self) -> None:
        asked = self._desk.messages(topics.CHILDREN_EVENTS, ChildCancelRequested)
        for request in asked:
            if request.child_id not in self._canceled:
                self._canceled.add(request.child_id)
                done = self.filled.get(request.child_id, 0)
                report = cancel_confirmed(request, cumulative_quantity=done)
                self._desk.say(topics.VENUES_REPORTS, [report])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
