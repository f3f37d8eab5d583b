"""Write the lock of Kafka's jars anew: `python -m infra.broker.lock`, after a version change."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Artifact, MavenContext

from infra.broker.jars import CONNECTIONS, LOCK, Jar, sha256_of
from infra.broker.settings import KAFKA_VERSION

# Kafka brings slf4j-api without a backend: its log would be lost. 1.7.36 fits that api.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
HEAD = """\
# Every jar of the embedded broker with its SHA-256. Written by `python -m infra.broker.lock`.
version = 1
"""


def resolve_jars() -> list[Jar]:
    """Return all jars that the roots need at run time, in the order of their coordinates."""
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        roots = [context.create_dependency(root) for root in ROOTS]
        inputs, transitive = context.resolver.resolve(roots)
        needed = (d for d in (*inputs, *transitive) if d.scope in ("compile", "runtime", None))
        artifacts = [dependency.artifact for dependency in needed]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return sorted(pool.map(_jar_of, artifacts), key=lambda jar: jar.coordinate)


def _jar_of(artifact: Artifact) -> Jar:
    return Jar(
        group=artifact.groupId,
        artifact=artifact.artifactId,
        version=artifact.version,
        sha256=sha256_of(artifact.resolve()),
    )


def main() -> int:
    lines = [HEAD + f'kafka = "{KAFKA_VERSION}"\n']
    jars = resolve_jars()
    for jar in jars:
        lines.append("\n[[jar]]\n")
        lines.extend(f'{name} = "{value}"\n' for name, value in jar.model_dump().items())
    LOCK.write_text("".join(lines))
    sys.stdout.write(f"{LOCK}: {len(jars)} jars\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
