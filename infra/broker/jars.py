"""Kafka's jars: fetched by jgo, each checked against the committed lock of SHA-256 sums."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from jgo.maven import MavenContext
from pydantic import BaseModel

from infra.broker.errors import ChecksumError, DownloadError
from infra.broker.settings import KAFKA_VERSION, BrokerSettings

__all__ = ["LOCK", "Jar", "JarSet", "Lock", "provide_jars", "read_lock", "sha256_of"]

LOCK = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.lock.toml")
CONNECTIONS = 8  # 46 jars, 43 MB: 3 s instead of 9 s one after the other


class Jar(BaseModel, frozen=True):
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


class Lock(BaseModel, frozen=True):
    """The jars of one broker version, in class path order."""

    version: int
    kafka: str
    jar: tuple[Jar, ...]


class JarSet(BaseModel, frozen=True):
    """Verified jars on disk; `digest` names the set."""

    paths: tuple[Path, ...]
    digest: str

    @property
    def class_path(self) -> str:
        return os.pathsep.join(map(str, self.paths))


def read_lock(path: Path = LOCK) -> Lock:
    """Return the lock file's content."""
    return Lock.model_validate(tomllib.loads(path.read_text()))


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def provide_jars(
    settings: BrokerSettings, lock: Lock, say: Callable[[str], None] = lambda _: None
) -> JarSet:
    """Return every jar of the lock, fetching those that the cache lacks.

    A full check costs 60 ms, so a stamp remembers size and mtime of what was checked once.
    Raises: DownloadError, ChecksumError.
    """
    folder = settings.cache / "jars"
    digest = hashlib.sha256(
        "\n".join(f"{jar.coordinate} {jar.sha256}" for jar in lock.jar).encode()
    ).hexdigest()
    paths = tuple(folder / jar.filename for jar in lock.jar)
    stamp = settings.cache / "jars.stamp.json"
    if _stamp_of(paths, digest) != _read_stamp(stamp):
        folder.mkdir(parents=True, exist_ok=True)
        with _exclusive(settings.cache / "jars.lock"):
            missing = [jar for jar in lock.jar if not (folder / jar.filename).exists()]
            if missing:
                say(f"fetching {len(missing)} jars of Apache Kafka {lock.kafka}")
                _fetch(missing, folder, settings)
            for jar, path in zip(lock.jar, paths, strict=True):
                _check(path, jar)
            _write_stamp(stamp, _stamp_of(paths, digest))
    return JarSet(paths=paths, digest=digest)


def _fetch(jars: list[Jar], folder: Path, settings: BrokerSettings) -> None:
    # Into a folder of our own first, so that a killed download never looks like a jar.
    incoming = Path(tempfile.mkdtemp(prefix="incoming-", dir=settings.cache))
    remotes = {"mirror": settings.maven_url} if settings.maven_url else None
    context = MavenContext(
        repo_cache=incoming, remote_repos=remotes, timeout=settings.download_timeout_s
    )

    def fetch(jar: Jar) -> None:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        try:
            path = component.artifact().resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            raise DownloadError(jar.coordinate, _cause_of(error)) from error
        _check(path, jar)
        path.replace(folder / jar.filename)

    try:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for _ in pool.map(fetch, jars):
                pass
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _cause_of(error: Exception) -> str:
    # jgo's text for "not found" is RuntimeError with the addresses asked; one line is enough.
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def _check(path: Path, jar: Jar) -> None:
    found = sha256_of(path)
    if found != jar.sha256:
        raise ChecksumError(path, found, jar.sha256)


def _stamp_of(paths: tuple[Path, ...], digest: str) -> dict[str, object] | None:
    try:
        stats = {path.name: [(s := path.stat()).st_size, s.st_mtime_ns] for path in paths}
    except FileNotFoundError:
        return None
    return {"lock": digest, "jars": stats}


def _read_stamp(path: Path) -> object:
    # Different from None, the stamp of an incomplete folder, so that absence never matches.
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return "no stamp"


def _write_stamp(path: Path, stamp: dict[str, object] | None) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(stamp))
    temporary.replace(path)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
