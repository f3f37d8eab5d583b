"""A broker that a test may kill and pause: the same words, wherever it runs."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.broker import EmbeddedBroker
from infra.topics.delete import delete_topics
from tests.support.broker_source import BOOTSTRAP, Source, choose

__all__ = ["OwnBroker", "open_broker"]

MAY_EMPTY = "PENSTOCK_TEST_MAY_EMPTY"


class OwnBroker(ABC):
    """One broker whose records and address survive `kill` and `start`."""

    bootstrap: str
    # A single node that is paused past its own session fences itself and leads again afterwards;
    # now and then the markers of a transaction in its last phase are then never written, and its
    # partitions stand still until it is restarted (docs/adr/0011).
    pause_max_s: float

    @abstractmethod
    def kill(self) -> None:
        """End it by SIGKILL."""

    @abstractmethod
    def start(self) -> None:
        """Start it again and return when a transaction has committed."""

    @abstractmethod
    def pause(self) -> None:
        """Stop it from running, its connections left open."""

    @abstractmethod
    def resume(self) -> None:
        """Let it run on."""

    def pause_for(self, seconds: float) -> None:
        """Pause it for that long."""
        self.pause()
        try:
            time.sleep(seconds)
        finally:
            self.resume()


class Embedded(OwnBroker):
    """A child process."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self.pause_max_s = 1.5  # its session lasts 2 s, so that a killed one is soon forgotten
        self.bootstrap = broker.bootstrap

    def kill(self) -> None:
        self._broker.kill()

    def start(self) -> None:
        self._broker.start()

    def pause(self) -> None:
        os.kill(self._broker.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._broker.pid, signal.SIGCONT)


class Given(OwnBroker):
    """Somebody's cluster; it is not ours to kill, and ours to empty only if that is said."""

    pause_max_s = 0.0

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def empty(self) -> None:
        """Delete our topics, or skip the test."""
        if os.environ.get(MAY_EMPTY) != "1":
            pytest.skip(f"needs an empty log: {MAY_EMPTY}=1 lets it delete {self.bootstrap}'s")
        delete_topics(self.bootstrap)

    def kill(self) -> None:
        pytest.skip(f"the cluster of {BOOTSTRAP} is not ours to kill")

    def start(self) -> None:
        """Nothing: it was never killed."""

    def pause(self) -> None:
        pytest.skip(f"the cluster of {BOOTSTRAP} is not ours to pause")

    def resume(self) -> None:
        """Nothing: it was never paused."""


@contextmanager
def open_broker(data: Path) -> Iterator[OwnBroker]:
    """Yield a broker without topics of ours; it ends with the block. `data` is for an embedded one.

    A given cluster is one and the same for every caller, so each empties it for itself.
    """
    source = choose().source
    if source is Source.GIVEN:
        given = Given(os.environ[BOOTSTRAP])
        given.empty()
        yield given
    elif source is Source.CONTAINER:
        from tests.support.broker_container import KafkaContainer

        with KafkaContainer() as container:
            yield container
    else:
        with EmbeddedBroker(data) as broker:
            yield Embedded(broker)
