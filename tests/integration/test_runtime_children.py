"""What the supervisor does with an engine that ends: by its exit code, or by its silence."""

import time
from collections.abc import Iterator

import pytest

from services.engine.children import Children
from services.engine.settings import EngineSettings
from tests.support.counted_run import eventually
from tests.support.ending_engine import CRASHES, HANGS, IS_CORRUPT, IS_FENCED, RUNS

ALL = [RUNS, IS_CORRUPT, IS_FENCED, CRASHES, HANGS]


@pytest.fixture
def children() -> Iterator[Children]:
    settings = EngineSettings(bootstrap="127.0.0.1:1", hang_timeout_s=1.0, stop_timeout_s=5.0)
    made = Children(settings, "tests.support.ending_engine")
    yield made
    made.release(ALL)


def watch(children: Children, shard: int, what: str) -> None:
    """Look until the shard has ended that way."""
    eventually(lambda: shard in getattr(children.look(), what), f"shard {shard} is not {what}", 20)


def starts(children: Children, shard: int, count: int) -> None:
    """Look until the shard has been started so many times."""
    seen: set[int] = set()

    def is_enough() -> bool:
        children.look()
        seen.update(pid for each, pid in children.processes.items() if each == shard)
        return len(seen) >= count

    eventually(is_enough, f"shard {shard} is not started {count} times", 20)


def test_a_fenced_engine_stays_down_until_it_is_assigned_again(children: Children) -> None:
    children.want(IS_FENCED)
    watch(children, IS_FENCED, "fenced")
    assert IS_FENCED not in children.wanted
    children.want(IS_FENCED)
    watch(children, IS_FENCED, "fenced")


def test_a_corrupt_engine_is_never_started_again(children: Children) -> None:
    children.want(IS_CORRUPT)
    watch(children, IS_CORRUPT, "corrupt")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        assert not children.look().corrupt
        assert IS_CORRUPT not in children.processes


def test_a_crashed_engine_is_started_again_after_a_growing_pause(children: Children) -> None:
    children.want(CRASHES)
    started = time.monotonic()
    starts(children, CRASHES, 3)
    assert time.monotonic() - started > 0.5 + 1.0


def test_a_silent_engine_is_killed_and_given_up(children: Children) -> None:
    children.want(HANGS)
    watch(children, HANGS, "hung")
    assert HANGS not in children.wanted
    assert HANGS not in children.processes


def test_a_released_engine_ends_and_the_others_run_on(children: Children) -> None:
    children.want(RUNS)
    starts(children, RUNS, 1)
    children.release([RUNS])
    assert children.processes == {}
    assert children.wanted == set()
