"""Fixtures of a real broker: one for the session, or one of the test's own.

Which one it is follows from the machine and is printed in the header (broker_source.py): the
cluster of PENSTOCK_BOOTSTRAP, Kafka in a container where there is an engine and the image, or an
embedded one; PENSTOCK_TEST_BROKER=container or embedded takes the choice away. The tests are the
same on each. A test that needs an empty log, or that kills the broker, takes `own_broker` (2 s);
the others share `broker` and use keys or topics of their own.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.broker import EmbeddedBroker
from infra.topics import PARTITIONS, create_topics
from infra.topics.delete import delete_topics
from tests.support.broker_source import BOOTSTRAP
from tests.support.own_broker import OwnBroker, open_broker

__all__ = ["Cluster", "broker", "embedded_broker", "fresh_topics", "own_broker"]


class Cluster(NamedTuple):
    """A cluster whose topics exist."""

    bootstrap: str
    log_id: bytes


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return the session's cluster, its topics created with 4 partitions."""
    if given := os.environ.get(BOOTSTRAP, ""):
        yield Cluster(given, create_topics(given))
        return
    with open_broker(tmp_path_factory.mktemp("broker")) as own:
        yield Cluster(own.bootstrap, create_topics(own.bootstrap))


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[OwnBroker]:
    """Return a running broker that the test may kill, without topics of ours."""
    with open_broker(tmp_path / "broker") as own:
        yield own


@pytest.fixture
def embedded_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """Return an embedded broker, for tests of the embedded broker itself."""
    with EmbeddedBroker(tmp_path / "broker") as embedded:
        yield embedded


def fresh_topics(bootstrap: str, partitions: int = PARTITIONS) -> bytes:
    """Delete all topics of ours, create them anew and return the new log id."""
    delete_topics(bootstrap)
    return create_topics(bootstrap, partitions)
