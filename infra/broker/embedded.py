"""The embedded broker: a real Apache Kafka node as a child process or a daemon."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.broker.archive import archive_options, archive_path, make_archive
from infra.broker.errors import AlreadyRunningError, DiskFullError, NotRunningError
from infra.broker.jars import JarSet, provide_jars, read_lock
from infra.broker.java import Java, find_java
from infra.broker.node import Node
from infra.broker.ports import HOST, pick_ports
from infra.broker.process import end, is_alive
from infra.broker.properties import new_id
from infra.broker.settings import KAFKA_VERSION, BrokerSettings, default_data
from infra.broker.state import BrokerState, live_state, read_state, write_state

__all__ = ["EmbeddedBroker", "running_bootstrap", "stop_broker"]

MEGABYTE = 1024 * 1024
Say = Callable[[str], None]


class EmbeddedBroker:
    """A broker on a data folder of its own: `with EmbeddedBroker(data) as broker: ...`.

    Attached (the default), it never outlives us: the kernel kills it when the thread that started
    it ends, whatever ends it. Detached, it is a daemon that `stop_broker` ends.
    A later start on the same folder finds the same records on the same ports.
    """

    def __init__(
        self,
        data: Path | str,
        *,
        port: int | None = None,
        settings: BrokerSettings | None = None,
        is_detached: bool = False,
        say: Say = lambda _: None,
    ) -> None:
        self.data = Path(data).absolute()
        self.settings = settings or BrokerSettings()
        self._port = port
        self._is_detached = is_detached
        self._say = say
        self._node: Node | None = None
        self._state: BrokerState | None = None

    @property
    def bootstrap(self) -> str:
        """Return HOST:PORT for clients. Raises NotRunningError before the first start."""
        if self._state is None:
            raise NotRunningError(self.data)
        return self._state.bootstrap

    @property
    def pid(self) -> int:
        """Return the broker's process id. Raises NotRunningError while it does not run."""
        if not self.is_running or self._node is None or self._node.identity is None:
            raise NotRunningError(self.data)
        return self._node.identity.pid

    @property
    def is_running(self) -> bool:
        node = self._node
        return node is not None and node.identity is not None and is_alive(node.identity)

    @property
    def log(self) -> Path:
        """Return the file that holds the broker's own log."""
        return self.data / "broker.log"

    def start(self) -> Self:
        """Start and return when a transaction has committed.

        Raises: AlreadyRunningError, DiskFullError, JavaMissingError, DownloadError, ChecksumError,
                PortTakenError, StartError.
        """
        running = live_state(self.data)
        if running is not None:
            raise AlreadyRunningError(self.data, running.pid)
        self.data.mkdir(parents=True, exist_ok=True)
        self.settings.cache.mkdir(parents=True, exist_ok=True)
        for folder in (self.data, self.settings.cache):
            _check_room(folder, self.settings.free_mb_min)
        java = find_java()
        jars = provide_jars(self.settings, read_lock(), self._say)
        if self.settings.is_archived:
            make_archive(self.settings, java, jars, self._say)
        state = self._planned(java)
        node = self._node_of(state, java, jars)
        identity = node.start()
        self._node = node
        self._state = state.model_copy(
            update={"pid": identity.pid, "start_ticks": identity.start_ticks}
        )
        write_state(self.data, self._state)
        try:
            node.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> bool:
        """Stop it; SIGKILL after `stop_timeout_s`. Return False if that was needed."""
        if self._node is None:
            return True
        was_clean = self._node.stop(self.settings.stop_timeout_s)
        self._forget_process()
        return was_clean

    def kill(self) -> None:
        """End it by SIGKILL, for fault tests: `restart` finds the log as a crash left it."""
        if self._node is not None:
            self._node.kill()
            self._forget_process()

    def restart(self) -> Self:
        """Stop it if it runs, and start it on the same folder and ports."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self if self.is_running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _planned(self, java: Java) -> BrokerState:
        former = read_state(self.data)
        port, controller_port = (former.port, former.controller_port) if former else pick_ports(2)
        return BrokerState(
            host=HOST,
            port=self._port or port,
            controller_port=controller_port,
            cluster_id=former.cluster_id if former else new_id(),
            kafka=KAFKA_VERSION,
            java=java.version,
            started_ns=time.time_ns(),
            is_detached=self._is_detached,
        )

    def _node_of(self, state: BrokerState, java: Java, jars: JarSet) -> Node:
        archive = archive_path(self.settings, java, jars)
        return Node(
            data=self.data,
            port=state.port,
            controller_port=state.controller_port,
            cluster_id=state.cluster_id,
            java=java,
            jars=jars,
            settings=self.settings,
            jvm_options=archive_options(java, archive) if self.settings.is_archived else (),
            is_detached=self._is_detached,
        )

    def _forget_process(self) -> None:
        if self._state is not None:
            write_state(self.data, self._state.model_copy(update={"pid": 0, "start_ticks": 0}))


def stop_broker(data: Path, timeout_s: float = 10.0) -> bool:
    """Stop the broker of a data folder from any process; return False if it had to be killed.

    Raises: NotRunningError.
    """
    state = live_state(data)
    if state is None or state.identity is None:
        raise NotRunningError(data)
    was_clean = end(state.identity, timeout_s)
    write_state(data, state.model_copy(update={"pid": 0, "start_ticks": 0}))
    return was_clean


def running_bootstrap(data: Path | None = None) -> str:
    """Return HOST:PORT of the broker that runs on a data folder; "" when none does."""
    state = live_state(default_data() if data is None else data)
    return state.bootstrap if state else ""


def _check_room(folder: Path, free_mb_min: int) -> None:
    free_mb = shutil.disk_usage(folder).free // MEGABYTE
    if free_mb < free_mb_min:
        raise DiskFullError(folder, free_mb, free_mb_min)
