"""docker-compose.yml as a test runs it: its own project, its own ports, taken down at the end."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.broker.ports import pick_ports
from tests.support.counted_run import eventually

__all__ = ["PROVED", "Compose", "composed"]

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300.0
PROVED = ("replay equal", "checker no finding")  # words of a demo that proved its day
PORTS = ("KAFKA_PORT", "KAFKA_PORT_2", "KAFKA_PORT_3", "PROMETHEUS_PORT", "PENSTOCK_FIX_TLS_PORT")


class Compose:
    """One project of one compose file."""

    def __init__(self, file: str, project: str, settings: Mapping[str, str]) -> None:
        ports = map(str, pick_ports(len(PORTS)))
        self.environment = {**os.environ, **dict(zip(PORTS, ports, strict=True)), **settings}
        self._command = ("docker", "compose", "-f", file, "-p", project)

    def run(self, *words: str, is_checked: bool = True) -> str:
        """Return what a compose command prints. Raises AssertionError when it fails."""
        done = subprocess.run(
            [*self._command, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        said = f"{words}: {done.returncode}\n{done.stdout[-6_000:]}\n{done.stderr[-6_000:]}"
        assert not is_checked or done.returncode == 0, said
        return done.stdout

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Yield the process of a compose command, its output a pipe; it ends with the block."""
        with subprocess.Popen(
            [*self._command, *words],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def config(self) -> dict[str, Any]:
        """Return the file as compose understands it, every profile included."""
        read: dict[str, Any] = json.loads(self.run("--profile", "*", "config", "--format", "json"))
        return read

    def containers(self) -> list[dict[str, Any]]:
        """Return what `ps` says of each container, ended ones included."""
        return [json.loads(line) for line in self.run("ps", "-a", "--format", "json").splitlines()]

    def await_healthy(self, wanted: Mapping[str, int]) -> None:
        """Return when exactly so many containers of each service are healthy."""

        def are_healthy() -> bool:
            healthy = [each["Service"] for each in self.containers() if each["Health"] == "healthy"]
            return all(healthy.count(name) == count for name, count in wanted.items())

        eventually(are_healthy, "containers are not healthy", 120)

    def ask(self, query: str, *, seconds: int = 0) -> list[dict[str, Any]]:
        """Return Prometheus' answer: now, or over the last `seconds`."""
        what: dict[str, Any] = {"query": query}
        if seconds:
            now_s = time.time()
            what |= {"start": now_s - seconds, "end": now_s, "step": 2}
        kind = "query_range" if seconds else "query"
        address = f"http://127.0.0.1:{self.environment['PROMETHEUS_PORT']}/api/v1/{kind}"
        with urllib.request.urlopen(
            f"{address}?{urllib.parse.urlencode(what)}", timeout=10
        ) as answer:
            result = json.loads(answer.read())
        assert result["status"] == "success", result
        found: list[dict[str, Any]] = result["data"]["result"]
        return found


@contextmanager
def composed(file: str, project: str, **settings: str) -> Iterator[Compose]:
    """Yield a project; with the block, its containers, networks and volumes go."""
    compose = Compose(file, project, settings)
    down = ("--profile", "*", "down", "-v", "--remove-orphans", "-t", "10")
    compose.run(*down)
    try:
        yield compose
    except BaseException:
        sys.stderr.write(compose.run("logs", "--no-color", "--tail", "15", is_checked=False))
        raise
    finally:
        compose.run(*down)
