"""Clocks never go backwards, and a jump is refused, not followed."""

import time

import pytest

from streams.adapters import clock as clocks
from streams.adapters.clock import ScaledClock, WallClock
from streams.runtime.ports import ClockJumpError

SECOND = 1_000_000_000


class Wall:
    """The machine's two clocks, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall_ns = 1_000 * SECOND
        self.steady_ns = 5 * SECOND
        monkeypatch.setattr(time, "time_ns", lambda: self.wall_ns)
        monkeypatch.setattr(clocks, "_steady_ns", lambda: self.steady_ns)

    def pass_by(self, wall_ns: int, steady_ns: int) -> None:
        self.wall_ns += wall_ns
        self.steady_ns += steady_ns


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


def test_the_wall_clock_stands_still_while_the_wall_steps_back(wall: Wall) -> None:
    clock = WallClock()
    before = clock.now_ns()
    wall.pass_by(-2 * SECOND, SECOND)
    assert clock.now_ns() == before
    wall.pass_by(3 * SECOND, 3 * SECOND)
    assert clock.now_ns() == before + SECOND


@pytest.mark.parametrize("jump_s", [-3_600, 3_600])
def test_a_jump_over_the_bound_is_refused(wall: Wall, jump_s: int) -> None:
    clock = WallClock()
    wall.pass_by(jump_s * SECOND, 0)
    with pytest.raises(ClockJumpError) as refused:
        clock.now_ns()
    assert refused.value.jump_ns == jump_s * SECOND


def test_an_hour_that_really_passed_is_no_jump(wall: Wall) -> None:
    clock = WallClock()
    before = clock.now_ns()
    wall.pass_by(3_600 * SECOND, 3_600 * SECOND)
    assert clock.now_ns() == before + 3_600 * SECOND


def test_a_take_over_never_goes_behind_the_journal(wall: Wall) -> None:
    clock = WallClock()
    clock.floor(wall.wall_ns + 5 * SECOND)
    assert clock.now_ns() == wall.wall_ns + 5 * SECOND


def test_a_journal_far_ahead_of_the_wall_is_refused(wall: Wall) -> None:
    with pytest.raises(ClockJumpError):
        WallClock().floor(wall.wall_ns + 3_600 * SECOND)


def test_a_scaled_clock_runs_so_many_times_as_fast(wall: Wall) -> None:
    clock = ScaledClock(start_ns=77, speed=60)
    wall.pass_by(0, 2 * SECOND)
    assert clock.now_ns() == 77 + 120 * SECOND
    clock.floor(500 * SECOND)
    assert clock.now_ns() == 500 * SECOND
    wall.pass_by(0, SECOND)
    assert clock.now_ns() == 560 * SECOND
