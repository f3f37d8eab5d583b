"""Counterparties for tests of FIX: a scripted QuickFIX in a process of its own, and a bare socket.

    with FixPeer(folder, port, sender="DESK", target="PENSTOCK") as peer:
        peer.await_logon()
        peer.send("D", "11=1|55=ACME|54=1|60=20261121-10:00:00|38=100|40=1")
        report = peer.take("8", {39: "0"})

A peer takes messages in the order in which they came; `seen` keeps all of them.
"""

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from services.fix.fields import SOH, Fields, framed

pytest.importorskip(
    "quickfix", reason="QuickFIX is missing: pip install -e .[fix] builds it (requirements/fix.txt)"
)

PATIENCE_S = 60.0
Match = Callable[[Fields], bool]


class FixPeer:
    """One session of QuickFIX with a script. Its store outlives it: `restart` goes on."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        sender: str,
        target: str,
        begin: str = "FIX.4.4",
        acceptor: bool = False,
        password: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`folder`: of its store. `settings`: QuickFIX's own, over the defaults of this peer."""
        self._given = {
            "folder": str(folder),
            "port": port,
            "sender": sender,
            "target": target,
            "begin": begin,
            "acceptor": acceptor,
            "password": password,
            "settings": dict(settings or {}),
        }
        self.seen: list[Fields] = []  # every message, administrative ones too
        self.events: list[dict[str, Any]] = []  # logon, logout, sent and QuickFIX's own words
        self.is_logged_on = False
        self._taken: set[int] = set()
        self._changed = threading.Condition()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process; an initiator connects until it is let in."""
        assert self._process is None, "runs already"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fix_peer_process", json.dumps(self._given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._listener = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._listener.start()
        self.await_event("ready")

    def close(self) -> None:
        """Log out and end; no more than a few seconds."""
        if self._process is not None:
            self._do("close")
            self._end(15.0)

    def kill(self) -> None:
        """End it as kill -9 does: the store stays as it is."""
        if self._process is not None:
            self._process.kill()
            self._end(15.0)

    def restart(self) -> None:
        """Kill it and start it on the same store."""
        self.kill()
        self.start()

    def send(self, message_type: str, body: str | Fields) -> None:
        """Send an application message; `body` may be written with | for SOH."""
        text = body.body().decode("latin-1") if isinstance(body, Fields) else soh(body)
        self._do("send", type=message_type, body=text)

    def logout(self, text: str = "") -> None:
        """Log out and stay out until `logon`."""
        self._do("logout", text=text)
        self.await_logout()

    def logon(self) -> None:
        """Log on again after `logout`."""
        self._do("logon")

    def disconnect(self) -> None:
        """Cut the connection without a Logout; an initiator connects again."""
        self._do("disconnect")

    def set_numbers(self, *, sender: int | None = None, target: int | None = None) -> None:
        """Set which number is sent and which is expected next."""
        self._do("numbers", sender=sender, target=target)
        self.await_event("numbers")

    def numbers(self) -> tuple[int, int]:
        """Return which number is sent and which is expected next."""
        self._do("numbers", sender=None, target=None)
        event = self.await_event("numbers")
        return int(event["sender"]), int(event["target"])

    def await_logon(self, timeout_s: float = PATIENCE_S) -> None:
        """Return once the session is logged on."""
        self._await(lambda: self.is_logged_on, timeout_s, "no logon")

    def await_logout(self, timeout_s: float = PATIENCE_S) -> None:
        """Return once the session is not logged on."""
        self._await(lambda: not self.is_logged_on, timeout_s, "still logged on")

    def take(
        self,
        message_type: str = "",
        fields: Mapping[int, str] | None = None,
        where: Match = lambda _: True,
        timeout_s: float = PATIENCE_S,
    ) -> Fields:
        """Return the first message that fits and was not taken yet; wait for it."""
        found: list[int] = []

        def look() -> bool:
            for number, message in enumerate(self.seen):
                if number not in self._taken and _fits(message, message_type, fields, where):
                    found.append(number)
                    return True
            return False

        wanted = f"no {message_type} with {fields}"
        self._await(look, timeout_s, wanted)
        self._taken.add(found[0])
        return self.seen[found[0]]

    def count(self, message_type: str, fields: Mapping[int, str] | None = None) -> int:
        """Return how many messages of a type came, duplicates too."""
        return sum(_fits(each, message_type, fields, lambda _: True) for each in [*self.seen])

    def await_event(self, kind: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """Return the first event of a kind that was not returned yet; wait for it."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            for event in self.events:
                if event["event"] == kind and not event.get("is_taken"):
                    event["is_taken"] = True
                    found.append(event)
                    return True
            return False

        self._await(look, timeout_s, f"no event {kind}")
        return found[0]

    def _await(self, look: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while not look():
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    newest = [repr(each) for each in self.seen[-5:]]
                    words = [str(each.get("text")) for each in self.events[-8:]]
                    raise AssertionError(f"{otherwise}; newest {newest}; events {words}")
                self._changed.wait(min(left_s, 1.0))

    def _do(self, what: str, **more: object) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for row in process.stdout:
            event = json.loads(row)
            with self._changed:
                if event["event"] == "message":
                    self.seen.append(Fields.parse(event["text"].encode("latin-1")))
                else:
                    self.is_logged_on = {"logon": True, "logout": False}.get(
                        event["event"], self.is_logged_on
                    )
                    self.events.append(event)
                self._changed.notify_all()

    def _end(self, timeout_s: float) -> None:
        process, self._process = self._process, None
        assert process is not None and process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._listener.join()
        assert process.stdout is not None
        process.stdout.close()
        self.is_logged_on = False


class RawPeer:
    """A FIX client of a few lines: sends any bytes, right or wrong, and reads what comes."""

    def __init__(
        self,
        port: int,
        *,
        sender: str,
        target: str,
        begin: str = "FIX.4.4",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.begin, self.sender, self.target = begin, sender, target
        self.next_number = 1
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        if tls is not None:
            with contextlib.ExitStack() as failing:
                failing.callback(self._socket.close)
                self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
                failing.pop_all()
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def logon(self, more: str = "") -> Fields:
        """Log on and return the answer."""
        extra = "1137=9|" if self.begin == "FIXT.1.1" else ""
        self.send("A", f"98=0|108=30|{extra}{more}")
        return self.read()

    def message(self, message_type: str, body: str = "", **changes: object) -> bytes:
        """Return a whole message with the next number.

        `changes`: number, sender, target, sending_time, header (more fields of it, with |).
        """
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        number = changes.get("number", self.next_number)
        if "number" not in changes:
            self.next_number += 1
        header = Fields(
            [
                (35, message_type),
                (34, str(number)),
                (49, str(changes.get("sender", self.sender))),
                (52, str(changes.get("sending_time", now))),
                (56, str(changes.get("target", self.target))),
            ]
        )
        more = soh(str(changes.get("header", ""))) + soh(body)
        return framed(self.begin, header, more.encode("latin-1"))

    def send(self, message_type: str, body: str = "", **changes: object) -> None:
        """Send a message; see `message`."""
        self.send_bytes(self.message(message_type, body, **changes))

    def send_bytes(self, data: bytes) -> None:
        """Send these bytes."""
        self._socket.sendall(data)

    def read(self, timeout_s: float = PATIENCE_S) -> Fields:
        """Return the next message. Raises: EOFError when the other side hung up, TimeoutError."""
        self._socket.settimeout(timeout_s)
        while True:
            end = self._buffer.find(b"\x0110=")
            stop = self._buffer.find(b"\x01", end + 1) if end >= 0 else -1
            if stop >= 0:
                text, self._buffer = self._buffer[: stop + 1], self._buffer[stop + 1 :]
                return Fields.parse(text)
            data = self._socket.recv(65_536)
            if not data:
                raise EOFError("the other side hung up")
            self._buffer += data

    def read_until(self, message_type: str, timeout_s: float = PATIENCE_S) -> Fields:
        """Return the next message of a type; others before it are dropped."""
        while True:
            message = self.read(timeout_s)
            if message.get(35) == message_type:
                return message

    def is_closed(self, timeout_s: float = PATIENCE_S) -> bool:
        """Whether the other side hangs up, whatever it says before."""
        try:
            while True:
                self.read(timeout_s)
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False


def soh(text: str) -> str:
    """Return fields written with | as FIX has them; the last one is ended too."""
    text = text.replace("|", SOH)
    return text if not text or text.endswith(SOH) else text + SOH


def _fits(
    message: Fields, message_type: str, fields: Mapping[int, str] | None, where: Match
) -> bool:
    return (
        (not message_type or message.get(35) == message_type)
        and all(message.get(tag) == value for tag, value in (fields or {}).items())
        and where(message)
    )
