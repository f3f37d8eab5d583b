"""The JVM's start-up archive: loaded, linked and profiled classes, made once by a training run."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from infra.broker.errors import BrokerError
from infra.broker.jars import JarSet
from infra.broker.java import Java
from infra.broker.jvm import jvm_flags
from infra.broker.node import Node
from infra.broker.ports import pick_ports
from infra.broker.properties import new_id
from infra.broker.settings import BrokerSettings

__all__ = ["archive_options", "archive_path", "make_archive"]

AOT_MIN = 25  # JEP 514; older runtimes dump an archive of classes only, by another option


def archive_path(settings: BrokerSettings, java: Java, jars: JarSet) -> Path:
    """Return where the archive for this runtime, these jars and these flags belongs."""
    parts = (str(java.program), java.version, jars.digest, str(settings.cache))
    key = hashlib.sha256("\n".join((*parts, *jvm_flags(settings))).encode()).hexdigest()[:16]
    return settings.cache / "archives" / f"{key}.jsa"


def archive_options(java: Java, archive: Path) -> tuple[str, ...]:
    """Return what makes the JVM use the archive; it ignores one that does not fit."""
    if not archive.exists():
        return ()
    if java.major >= AOT_MIN:
        return (f"-XX:AOTCache={archive}", "-Xlog:aot=off")
    return (f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off")


def make_archive(
    settings: BrokerSettings,
    java: Java,
    jars: JarSet,
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Train a broker on a data folder of its own and keep what the JVM learnt.

    Returns whether an archive is there now: without one the broker only starts slower.
    """
    archive = archive_path(settings, java, jars)
    failed = archive.with_suffix(".failed")
    if archive.exists() or failed.exists():  # a training that failed would fail at each start
        return archive.exists()
    archive.parent.mkdir(parents=True, exist_ok=True)
    say("preparing the broker's start-up archive (once)")
    folder = Path(tempfile.mkdtemp(prefix="training-", dir=settings.cache))
    try:
        cause = _train(archive, folder, settings, java, jars)
        if cause:
            failed.write_text(cause + "\n")
        return not cause
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _train(archive: Path, folder: Path, settings: BrokerSettings, java: Java, jars: JarSet) -> str:
    # Returns why there is no archive; "" when there is.
    made = folder / archive.name
    option = "AOTCacheOutput" if java.major >= AOT_MIN else "ArchiveClassesAtExit"
    port, controller_port = pick_ports(2)
    node = Node(
        data=folder / "data",
        port=port,
        controller_port=controller_port,
        cluster_id=new_id(),
        java=java,
        jars=jars,
        settings=settings,
        jvm_options=(f"-XX:{option}={made}",),
    )
    try:
        node.start()
        node.wait_ready()
        if not node.stop(settings.training_timeout_s):
            return f"the training run did not end in {settings.training_timeout_s:g} s"
    except BrokerError as error:
        return str(error)
    finally:
        node.kill()
    if not made.exists():
        return "the training run left no archive"
    made.replace(archive)
    return ""
