"""No child is ever sent while a kill is in force, whatever else happens and in whatever order."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.findings import Code
from streams.shard import stops
from tests.support.audit_host import checked, recorded
from tests.support.kill_world import KillWorld

SEEDS = 60


def dice(seed: int) -> Callable[[int], int]:
    source = random.Random(seed)
    return source.randrange


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_child_is_sent_after_the_kill_is_in_force(seed: int) -> None:
    KillWorld(dice(seed)).run()


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_interleaving_that_is_searched_for_breaks_it(source: random.Random) -> None:
    KillWorld(source.randrange).run()


@pytest.mark.parametrize("seed", range(SEEDS, SEEDS + 10))
def test_the_checker_that_knows_nothing_of_us_agrees(seed: int) -> None:
    world = KillWorld(dice(seed))
    world.run()
    report = checked(recorded(world.host))
    assert not {Code.KILL, Code.UNANSWERED} & set(report.codes), report.findings[:5]


def test_the_days_are_busy() -> None:
    worlds = [KillWorld(dice(seed)) for seed in range(SEEDS)]
    for world in worlds:
        world.run()
    totals = [
        sum(each) for each in zip(*((w.sent, w.stops, w.releases) for w in worlds), strict=True)
    ]
    assert min(totals) > SEEDS, f"sent, stops, releases: {totals}"


def _blind(*_: Any) -> bool:
    return False


def test_the_law_is_seen_to_be_broken_by_a_shard_without_gates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stops, "is_stopped", _blind)
    monkeypatch.setattr("streams.shard.state.child_kill", lambda *_: "")
    with pytest.raises(AssertionError, match="sent"):
        for seed in range(SEEDS):
            KillWorld(dice(seed)).run()
