"""Jars are fetched once, checked against the lock, and never left half or wrong in the cache."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from infra.broker.errors import ChecksumError, DownloadError
from infra.broker.jars import Jar, Lock, provide_jars, read_lock
from infra.broker.ports import HOST, pick_ports
from infra.broker.settings import KAFKA_VERSION, BrokerSettings

CONTENT = b"the jar that was locked"


def lock_of(content: bytes = CONTENT) -> Lock:
    sha256 = hashlib.sha256(content).hexdigest()
    jar = Jar(group="org.example", artifact="one", version="1.0", sha256=sha256)
    return Lock(version=1, kafka="4", jar=(jar,))


@contextmanager
def repository(content: bytes) -> Iterator[tuple[str, list[str]]]:
    """Serve `content` for every jar asked for; yield the address and the list of paths asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            is_jar = self.path.endswith(".jar")
            self.send_response(200 if is_jar else 404)
            self.end_headers()
            if is_jar:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_jar_is_fetched_once_and_used_from_then_on(tmp_path: Path) -> None:
    with repository(CONTENT) as (url, asked):
        settings = BrokerSettings(cache=tmp_path, maven_url=url)
        first = provide_jars(settings, lock_of())
        count = len(asked)
        assert provide_jars(settings, lock_of()) == first
    assert "/org/example/one/1.0/one-1.0.jar" in asked
    assert len(asked) == count
    assert [path.read_bytes() for path in first.paths] == [CONTENT]
    assert not list(tmp_path.glob("incoming-*"))


def test_other_bytes_than_locked_are_refused_and_not_kept(tmp_path: Path) -> None:
    found = hashlib.sha256(b"something else").hexdigest()
    with repository(b"something else") as (url, _):
        settings = BrokerSettings(cache=tmp_path, maven_url=url)
        with pytest.raises(ChecksumError, match=rf"one-1.0.jar has SHA-256 {found}, the lock says"):
            provide_jars(settings, lock_of())
    assert not list((tmp_path / "jars").iterdir())


@pytest.mark.parametrize("content", [b"", CONTENT + b"!", CONTENT.upper()])
def test_a_jar_changed_in_the_cache_is_noticed(tmp_path: Path, content: bytes) -> None:
    with repository(CONTENT) as (url, _):
        settings = BrokerSettings(cache=tmp_path, maven_url=url)
        provide_jars(settings, lock_of()).paths[0].write_bytes(content)
        with pytest.raises(ChecksumError):
            provide_jars(settings, lock_of())


def test_a_jar_deleted_from_the_cache_is_fetched_again(tmp_path: Path) -> None:
    with repository(CONTENT) as (url, _):
        settings = BrokerSettings(cache=tmp_path, maven_url=url)
        (path,) = provide_jars(settings, lock_of()).paths
        path.unlink()
        provide_jars(settings, lock_of())
    assert path.read_bytes() == CONTENT


def test_a_refused_download_names_the_jar(tmp_path: Path) -> None:
    (port,) = pick_ports(1)
    settings = BrokerSettings(cache=tmp_path, maven_url=f"http://{HOST}:{port}")
    with pytest.raises(DownloadError, match=r"org.example:one:1.0 could not be downloaded"):
        provide_jars(settings, lock_of())


def test_the_committed_lock_names_kafka_and_a_sum_for_every_jar() -> None:
    jars = {jar.artifact: jar for jar in read_lock().jar}
    assert jars["kafka_2.13"].version == KAFKA_VERSION
    # Without these, compressed records and diagnosis fail.
    assert {"zstd-jni", "snappy-java", "lz4-java", "slf4j-simple"} <= set(jars)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars.values())
