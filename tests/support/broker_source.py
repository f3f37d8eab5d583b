"""Which broker the tests are on: a given cluster, one in a container, or an embedded one."""

import os
import socket
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from infra.broker.settings import KAFKA_VERSION

__all__ = ["BOOTSTRAP", "KAFKA_IMAGE", "REQUIRED", "Choice", "Source", "choose", "why_no_container"]

BOOTSTRAP = "PENSTOCK_BOOTSTRAP"
WANTED = "PENSTOCK_TEST_BROKER"  # a Source, where the choice is not to be left to the machine
REQUIRED = "REQUIRE_DOCKER"
KAFKA_IMAGE = os.environ.get("KAFKA_IMAGE") or f"apache/kafka:{KAFKA_VERSION}"


class Source(StrEnum):
    """Where the broker comes from."""

    GIVEN = "given"
    CONTAINER = "container"
    EMBEDDED = "embedded"


class Choice(NamedTuple):
    """A source, in words for the header, and why containers are not used."""

    source: Source
    text: str
    why_no_container: str = ""


@cache
def choose() -> Choice:
    """Return the source for this run.

    Raises: RuntimeError when a container is required and there is no engine, or no image.
    """
    given = os.environ.get(BOOTSTRAP, "")
    wanted = os.environ.get(WANTED, "")
    if given:
        return Choice(Source.GIVEN, f"the cluster at {given}")
    why_not = "not wanted" if wanted == Source.EMBEDDED else why_no_container()
    if not why_not:
        return Choice(Source.CONTAINER, f"{KAFKA_IMAGE} in a container, by testcontainers")
    if wanted == Source.CONTAINER or os.environ.get(REQUIRED) == "1":
        raise RuntimeError(f"DOCKER TESTS NOT RUN: {why_not}")
    text = f"embedded Apache Kafka {KAFKA_VERSION}, started when needed"
    return Choice(Source.EMBEDDED, text, why_not)


@cache
def why_no_container() -> str:
    """Return why no broker can be had in a container; "" when one can."""
    if not _is_engine_heard():
        return "no Docker engine answers"
    import docker
    from docker.errors import DockerException, ImageNotFound

    try:
        client = docker.from_env(timeout=10)
    except DockerException as error:
        return f"no Docker engine answers: {error}"
    try:
        client.images.get(KAFKA_IMAGE)
    except ImageNotFound:
        return f"image {KAFKA_IMAGE} is not there"
    finally:
        client.close()
    return ""


def _is_engine_heard() -> bool:
    """Return whether somebody listens on the engine's socket; of another kind, assume it.

    Asked by hand first: docker's client leaves its sockets open when there is nobody.
    """
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    kind, _, path = address.partition("://")
    if kind != "unix":
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0
