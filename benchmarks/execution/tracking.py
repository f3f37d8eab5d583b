"""The VWAP schedule alone over whole days: no market, no fills, only cumulative targets.

The tracking error of a schedule is sum of sigma^2 (U - M)^2 over bins, U and M own and market's
cumulative fraction before each (SPEC section 4). Days deviate from the curve as the engine's model
believes, or differently.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import exp, sqrt
from random import Random
from typing import Final, NamedTuple

from schemas.messages.control import VolumeCurveDefined
from services.venues.curves import A_MU, VAR_ETA, VAR_MU, VAR_NOISE, curve_defined
from streams.models.standard_error import Estimate, estimate
from streams.models.volume import forecast_day
from streams.strategy.schedule import tracked_target

__all__ = ["SCHEDULES", "World", "tracking_error", "tracking_report"]

BINS: Final = 26  # quarter hours
# Parts of a day's volume, thousandths, as services/venues/curves.py by half hours.
SHAPE: Final = (135, 90, 75, 65, 58, 52, 48, 50, 54, 60, 70, 88, 155)
DAILY: Final = 2_000_000
QUANTITY: Final = 100_000
SIGMA_BPS: Final = 150.0  # of a day
Schedule = Callable[[Sequence[int], VolumeCurveDefined], list[int]]


class World(NamedTuple):
    """How days are. `believed`: times what the curve says of volume; `noise`: of deviations."""

    name: str
    believed: float = 1.0
    noise: float = 1.0
    late: bool = False  # volume moves from the first to the last hour, which no curve knows


WORLDS: Final = (
    World("as the model believes"),
    World("half of the volume is believed", believed=0.5),
    World("twice the volume is believed", believed=2.0),
    World("deviations twice as large", noise=2.0),
    World("a day that is late", late=True),
)


def _means() -> list[int]:
    return [DAILY * part // 1_000 // 2 for part in SHAPE for _ in range(2)]


def volumes(world: World, seed: int) -> list[int]:
    """Return a day's volume by bin."""
    random, means = Random(f"{world.name}/{seed}"), _means()
    level = random.gauss(0, world.noise * sqrt(VAR_ETA))
    mu = random.gauss(0, world.noise * sqrt(VAR_MU / (1 - A_MU * A_MU)))
    found = []
    for at, mean in enumerate(means):
        noise = random.gauss(0, world.noise * sqrt(VAR_NOISE))
        shift = (2 * at / (BINS - 1) - 1) * 0.5 if world.late else 0.0
        found.append(max(1, int(mean * exp(level + mu + noise + shift))))
        mu = A_MU * mu + random.gauss(0, world.noise * sqrt(VAR_MU))
    return found


def _static(_: Sequence[int], curve: VolumeCurveDefined) -> list[int]:
    """The average curve, as the day began."""
    expected = forecast_day(curve, (), 0).volumes
    return [QUANTITY * done // sum(expected) for done in accumulate(expected)]


def _equal(day: Sequence[int], _: VolumeCurveDefined) -> list[int]:
    return [QUANTITY * (at + 1) // len(day) for at in range(len(day))]


def _ours(day: Sequence[int], curve: VolumeCurveDefined) -> list[int]:
    """The engine's forecast and its tracking, bin by bin with what has traded."""
    targets: list[int] = []
    for at in range(len(day)):
        expected = forecast_day(curve, day[:at], at).volumes
        target = tracked_target(QUANTITY, sum(day[:at]), expected[0], sum(expected))
        targets.append(max(target, targets[-1] if targets else 0))
    return targets


SCHEDULES: Final[dict[str, Schedule]] = {
    "VWAP": _ours,
    "static curve": _static,
    "equal bins": _equal,
}


def tracking_error(targets: Sequence[int], day: Sequence[int]) -> float:
    """Return the standard deviation of slippage against the day's VWAP, basis points."""
    total, market, squares = sum(day), 0, 0.0
    for at, volume in enumerate(day):
        own = targets[at - 1] if at else 0
        squares += (own / QUANTITY - market / total) ** 2
        market += volume
    return sqrt(squares / len(day)) * SIGMA_BPS


def tracking_report(days: int) -> str:
    """Return the table: mean tracking error by world and schedule, and ours less the static."""
    lines = [
        "## The VWAP schedule alone, whole days",
        "",
        f"{BINS} bins, {days} seeded days a row, {SIGMA_BPS:g} bp a day, no fills and no impact: "
        "the standard deviation of slippage against the day's VWAP.",
        "",
        "| days | VWAP, bp | static curve, bp | equal bins, bp | VWAP less static | SE | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for world in WORLDS:
        means = [int(mean * world.believed) for mean in _means()]
        curve = curve_defined("X", "x", 0, means)
        made = [volumes(world, seed) for seed in range(1, days + 1)]
        found = {
            name: [tracking_error(schedule(day, curve), day) for day in made]
            for name, schedule in SCHEDULES.items()
        }
        pairs = zip(found["VWAP"], found["static curve"], strict=True)
        less = _over([ours - static for ours, static in pairs])
        cells = [f"{_over(errors).mean:.2f}" for errors in found.values()]
        sure = "significant" if less.is_significant else "not significant"
        difference = f"{less.mean:+.2f} | {less.clustered:.2f} | {sure}"
        lines.append(f"| {world.name} | {' | '.join(cells)} | {difference} |")
    return "\n".join([*lines, ""])


def _over(values: Sequence[float]) -> Estimate:
    return estimate(values, [1.0] * len(values), [*range(len(values))])
