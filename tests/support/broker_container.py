"""Apache Kafka in a container: the official image, or infra/docker's stand-in of that name."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # an image more; read at the import

from testcontainers.core.container import DockerContainer

from infra.broker.ports import HOST, pick_ports
from infra.broker.properties import server_properties
from infra.broker.ready import commit_transaction
from tests.support.broker_source import KAFKA_IMAGE
from tests.support.own_broker import OwnBroker

__all__ = ["KafkaContainer"]

START_TIMEOUT_S = 90.0
PORT, CONTROLLER_PORT = 9092, 9093
DATA = "/var/lib/kafka/data"
# A killed broker syncs every segment that it recovers, some seventy: seconds or a minute by disk.
MEMORY = Path("/dev/shm")
# testcontainers' own KafkaContainer starts Confluent's images only.
OWN_DEFAULT = (
    # The embedded broker does without it (docs/adr/0008); here Kafka's own default is tested.
    "transaction.partition.verification.enable",
    # 9 s: longer than the pauses of the tests, see own_broker.py.
    "broker.session.timeout.ms",
    "broker.heartbeat.interval.ms",
)


class KafkaContainer(OwnBroker):
    """One node on a port of the loopback interface that stays the same when it starts again."""

    pause_max_s = 5.0

    def __init__(self, image: str = KAFKA_IMAGE) -> None:
        (self._port,) = pick_ports(1)
        self.bootstrap = f"{HOST}:{self._port}"
        self._data = TemporaryDirectory(
            prefix="penstock-kafka-",
            dir=MEMORY if MEMORY.is_dir() else None,
            ignore_cleanup_errors=True,  # the image's user wrote it
        )
        Path(self._data.name).chmod(0o777)
        self._container = DockerContainer(image).with_envs(**_settings(self.bootstrap))
        self._container.with_volume_mapping(self._data.name, DATA, "rw")
        self._container.ports[str(PORT)] = (HOST, self._port)  # type: ignore[assignment]  # docker takes an address too

    def __enter__(self) -> Self:
        self._container.start()
        try:
            self._await_ready()
        except BaseException:
            self._container.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._container.exec(["sh", "-c", f"rm -rf {DATA}/*"])  # as the user who may
        self._container.stop()
        self._data.cleanup()

    def kill(self) -> None:
        container = self._container.get_wrapped_container()
        container.kill(signal="SIGKILL")
        container.wait()

    def start(self) -> None:
        self._container.get_wrapped_container().start()
        self._await_ready()

    def pause(self) -> None:
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        self._container.get_wrapped_container().unpause()

    def _await_ready(self) -> None:
        commit_transaction(self.bootstrap, START_TIMEOUT_S, self._check_alive)

    def _check_alive(self) -> None:
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status == "exited":
            raise RuntimeError(
                f"the broker's container ended:\n{container.logs().decode()[-3_000:]}"
            )


def _settings(bootstrap: str) -> dict[str, str]:
    """Return the embedded broker's settings as the image takes them."""
    changed = {
        "controller.quorum.voters": f"1@localhost:{CONTROLLER_PORT}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INSIDE",
        "listeners": f"CLIENT://:{PORT},INSIDE://:29092,CONTROLLER://:{CONTROLLER_PORT}",
        "advertised.listeners": f"CLIENT://{bootstrap},INSIDE://localhost:29092",
        "log.dirs": DATA,
    }
    properties = server_properties(Path(DATA), PORT, CONTROLLER_PORT) | changed
    return {
        "KAFKA_" + name.upper().replace(".", "_"): str(value)
        for name, value in properties.items()
        if name not in OWN_DEFAULT
    }
