"""Markets to be worked in: the generated one with volumes that differ from day to day, and tapes.

The generated market's own volume follows the curve that engines know. Here each minute deviates as
the engines' model says (services/venues/curves.py: log volume = level + shape + AR(1) + noise),
seeded, and each day's level by three times what they believe: 0.45 instead of 0.14 of log volume.
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from pathlib import Path
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from schemas.messages.control import VolumeCurveDefined
from services.venues.assumptions import SHARES
from services.venues.conditions import Conditions
from services.venues.curves import (
    A_ETA,
    A_MU,
    VAR_ETA,
    VAR_MU,
    VAR_NOISE,
    day_fractions,
)
from services.venues.generated import GeneratedMarket
from services.venues.scenario import Day, Scenario, definitions, plan_day

__all__ = ["SECOND_NS", "Market", "Setting", "make"]

SECOND_NS: Final = 1_000_000_000
BILLION: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a market is like, and how wrong its engine is about it.

    `believed`: times what the engine's curve says of volume. `volatility`: times the usual one.
    `lost`: a venue that nothing reaches and nothing comes from between two parts of the day.
    """

    minutes: int = 20
    step_s: int = 2
    tape: Path | None = None
    facts: Path | None = None
    impact_per_cent: int | None = None
    closing_s: int = 0
    believed: float = 1.0
    volatility: int = 1
    lost: str = ""


class Market:
    """One day of a setting."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self.setting = setting
        self.seed = seed
        scenario = Scenario(
            seed=seed,
            minutes=setting.minutes,
            orders=0,
            step_ns=setting.step_s * SECOND_NS,
            tape=setting.tape,
            facts=setting.facts,
            conditions=Conditions(
                closing_s=setting.closing_s, impact_per_cent=setting.impact_per_cent
            ),
        )
        day = plan_day(scenario)
        if setting.tape is None and not setting.closing_s:
            day = day._replace(source=_source(setting, seed, day))
        self.day: Day = day
        self.definitions: list[Any] = [
            _believed(message, setting.believed) for message in definitions(scenario, day)
        ]

    @property
    def instruments(self) -> tuple[str, ...]:
        return tuple(self.day.terms.instruments)

    def lost_steps(self) -> range:
        """Return the steps in which the lost venue is silent: the third and fourth tenth."""
        steps = self.day.hours.continuous_steps
        return range(steps * 2 // 10, steps * 4 // 10) if self.setting.lost else range(0)


def make(setting: Setting, seed: int) -> Market:
    return Market(setting, seed)


def _source(setting: Setting, seed: int, day: Day) -> GeneratedMarket:
    volumes = []
    for ordinal, share in enumerate(SHARES):
        _, fractions = day_fractions(setting.facts, ordinal)
        factors = _factors(Random(f"{seed}/{ordinal}"), len(fractions))
        volumes.append(
            [
                int(share.daily_volume * part / BILLION * factor)
                for part, factor in zip(fractions, factors, strict=True)
            ]
        )
    shares = [
        share._replace(volatility_bps=share.volatility_bps * setting.volatility) for share in SHARES
    ]
    return GeneratedMarket(
        seed,
        shares,
        volumes,
        start_ns=day.hours.open_ns,
        step_ns=day.hours.step_ns,
        open_steps=day.hours.continuous_steps,
    )


def _factors(random: Random, minutes: int) -> list[float]:
    """Return by how much each minute's volume is more than expected; their mean is 1."""
    var_level = VAR_ETA / (1 - A_ETA * A_ETA)
    var_mu = VAR_MU / (1 - A_MU * A_MU)
    level = random.gauss(-var_level / 2, sqrt(var_level))
    mu = random.gauss(0, sqrt(var_mu))
    factors = []
    for _ in range(minutes):
        noise = random.gauss(0, sqrt(VAR_NOISE))
        factors.append(exp(level + mu - var_mu / 2 + noise - VAR_NOISE / 2))
        mu = A_MU * mu + random.gauss(0, sqrt(VAR_MU))
    return factors


def _believed(message: Any, times: float) -> Any:
    if not isinstance(message, VolumeCurveDefined) or times == 1.0:
        return message
    shift = round(log(times) * BILLION)
    return replace(message, log_volume_e9=tuple(v + shift for v in message.log_volume_e9))
