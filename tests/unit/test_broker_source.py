"""Which broker the tests take, and that a container which is required is not done without."""

from collections.abc import Iterator

import pytest

from tests.support import broker_source
from tests.support.broker_source import BOOTSTRAP, REQUIRED, WANTED, Source, choose


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without an engine, of which nothing is said."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    for name in (BOOTSTRAP, WANTED, REQUIRED):
        monkeypatch.delenv(name, raising=False)
    broker_source.why_no_container.cache_clear()
    yield
    broker_source.why_no_container.cache_clear()


def chosen() -> broker_source.Choice:
    return choose.__wrapped__()


def test_without_an_engine_the_broker_is_embedded() -> None:
    choice = chosen()
    assert choice.source is Source.EMBEDDED
    assert "no Docker engine answers" in choice.why_no_container


def test_a_given_cluster_is_taken_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BOOTSTRAP, "127.0.0.1:9092")
    assert chosen().source is Source.GIVEN


@pytest.mark.parametrize(("name", "value"), [(WANTED, "container"), (REQUIRED, "1")])
def test_a_container_that_is_required_and_not_to_be_had_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match="DOCKER TESTS NOT RUN: no Docker engine answers"):
        chosen()
