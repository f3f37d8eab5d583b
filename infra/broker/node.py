"""One Kafka node: its command line, its start until a transaction commits, its end."""

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.broker.errors import PortTakenError, StartError
from infra.broker.jars import JarSet
from infra.broker.java import Java
from infra.broker.jvm import jvm_flags
from infra.broker.ports import HOST, check_free
from infra.broker.process import Identity, end, is_alive, spawn, wait_gone
from infra.broker.properties import server_properties, write_properties
from infra.broker.ready import commit_transaction
from infra.broker.settings import BrokerSettings

__all__ = ["Node"]

LOG_END_BYTES = 3000


@dataclass(slots=True)
class Node:
    """A node on a data folder and two ports. `jvm_options` come before the class path."""

    data: Path
    port: int
    controller_port: int
    cluster_id: str
    java: Java
    jars: JarSet
    settings: BrokerSettings
    jvm_options: Sequence[str] = ()
    is_detached: bool = False
    niceness: int = 0
    identity: Identity | None = None
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.data / "broker.log"

    def start(self) -> Identity:
        """Start the process. Raises PortTakenError."""
        check_free(self.port)
        check_free(self.controller_port)
        self.data.mkdir(parents=True, exist_ok=True)
        logs = self.data / "logs"
        config = self.data / "server.properties"
        properties = server_properties(logs, self.port, self.controller_port)
        write_properties(config, logs, self.cluster_id, properties)
        self._child = spawn(
            self._command(config),
            log=self.log,
            is_detached=self.is_detached,
            niceness=self.niceness,
        )
        self.identity = Identity.of(self._child.pid)
        if self.identity is None:  # ended before we could look
            raise StartError(self.log, "the broker ended at once", self._log_end())
        return self.identity

    def wait_ready(self) -> None:
        """Return when a transaction has committed. Raises StartError or PortTakenError."""
        timeout_s = self.settings.start_timeout_s
        try:
            commit_transaction(self.bootstrap, timeout_s, self._check_alive)
        except TimeoutError as error:
            cause = f"no transaction committed in {timeout_s:g} s ({error})"
            raise StartError(self.log, cause, self._log_end()) from error

    def stop(self, timeout_s: float) -> bool:
        """Stop the process; return False if it had to be killed."""
        if self.identity is None:
            return True
        was_clean = end(self.identity, timeout_s)
        self._reap()
        return was_clean

    def kill(self) -> None:
        """End the process by SIGKILL."""
        if self._child is not None and self.identity is not None and is_alive(self.identity):
            self._child.send_signal(signal.SIGKILL)
            wait_gone(self.identity, self.settings.stop_timeout_s)
        self._reap()

    def _reap(self) -> None:
        # An unread exit status leaves a zombie, and a ResourceWarning at interpreter exit.
        if self._child is not None:
            self._child.wait(self.settings.stop_timeout_s)
        self.identity = None

    def _check_alive(self) -> None:
        if self._child is None or self._child.poll() is None:
            return
        log_end = self._log_end()
        self._reap()
        if "Address already in use" in log_end:  # taken between our check and the broker's bind
            raise PortTakenError(HOST, self.port)
        raise StartError(self.log, f"the broker ended with {self._child.returncode}", log_end)

    def _log_end(self) -> str:
        data = self.log.read_bytes() if self.log.exists() else b""
        return data[-LOG_END_BYTES:].decode(errors="replace")

    def _command(self, config: Path) -> list[str]:
        return [
            str(self.java.program),
            *jvm_flags(self.settings),
            *self.jvm_options,
            "-cp",
            self.jars.class_path,
            "kafka.Kafka",
            str(config),
        ]
