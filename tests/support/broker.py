"""Fixtures of a real broker: one for the session, or one of the test's own.

A test that needs an empty log, or that kills the broker, takes `own_broker` (2 s); the others
share `broker` and use keys or topics of their own. PENSTOCK_BOOTSTRAP names another cluster.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.broker import EmbeddedBroker
from infra.topics import PARTITIONS, create_topics
from infra.topics.delete import delete_topics

__all__ = ["BOOTSTRAP", "Cluster", "broker", "fresh_topics", "own_broker"]

BOOTSTRAP = "PENSTOCK_BOOTSTRAP"


class Cluster(NamedTuple):
    """A cluster whose topics exist."""

    bootstrap: str
    log_id: bytes


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return the session's cluster, its topics created with 4 partitions."""
    given = os.environ.get(BOOTSTRAP, "")
    if given:
        yield Cluster(given, create_topics(given))
        return
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as embedded:
        yield Cluster(embedded.bootstrap, create_topics(embedded.bootstrap))


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """Return a running broker that the test may kill, without topics of ours."""
    with EmbeddedBroker(tmp_path / "broker") as embedded:
        yield embedded


def fresh_topics(bootstrap: str, partitions: int = PARTITIONS) -> bytes:
    """Delete all topics of ours, create them anew and return the new log id."""
    delete_topics(bootstrap)
    return create_topics(bootstrap, partitions)
