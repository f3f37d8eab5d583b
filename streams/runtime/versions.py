"""Versions that a journal record names: program, schemas, libraries that could change a result."""

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_version", "library_versions", "schema_version"]

REGISTRY = Path(__file__).parents[2] / "schemas" / "registry.json"
LIBRARIES = ("msgspec", "fastavro", "confluent-kafka", "numpy")


@cache
def code_version() -> str:
    """Return the version of the program, `source` where it runs without being installed."""
    try:
        return f"penstock {version('penstock')}"
    except PackageNotFoundError:
        return "penstock source"


@cache
def schema_version() -> str:
    """Return the SHA-256 of schemas/registry.json, hex."""
    return sha256(REGISTRY.read_bytes()).hexdigest()


@cache
def library_versions() -> str:
    """Return interpreter and libraries as `name version`, joined by `; `."""
    names = [f"python {platform.python_version()}"]
    names += [f"{name} {version(name)}" for name in LIBRARIES]
    return "; ".join(names)
