"""Volume curves: how a day's volume spreads over its minutes, and the model that engines get."""

import json
from collections.abc import Sequence
from math import log
from pathlib import Path

from schemas.messages.control import VolumeCurveDefined

__all__ = ["MINUTES", "SHAPE_NAME", "curve_defined", "day_fractions"]

MINUTES = 390  # of a US regular session
MINUTE_NS = 60_000_000_000
BILLION = 1_000_000_000
SHAPE_NAME = "u-shape/1"

# Assumed when no measured curve is given: parts of a day's volume in thirteen half hours. Heavy at
# the open, flat over noon, heaviest at the close.
HALF_HOURS = (135, 90, 75, 65, 58, 52, 48, 50, 54, 60, 70, 88, 155)

# Assumed for log volume of a minute: a day's level varies by a quarter, a minute's by a half.
A_ETA, A_MU = 0.95, 0.75
VAR_ETA, VAR_MU, VAR_NOISE = 0.02, 0.02, 0.08


def day_fractions(facts: Path | None, ordinal: int) -> tuple[str, tuple[int, ...]]:
    """Return the name of a curve and its parts per billion for each minute of the session.

    `facts` holds measured five-minute fractions by symbol; instruments take the symbols in turn.
    Rounds: half even, by minute; parts sum to a billion only nearly.
    """
    if facts is None:
        return SHAPE_NAME, _by_minute(HALF_HOURS, 30)
    symbols = json.loads(facts.read_text())["symbols"]
    name = sorted(symbols)[ordinal % len(symbols)]
    bins = symbols[name]["mean_volume_fraction"]
    return f"{facts.stem}/{name}", _by_minute(bins, symbols[name]["bin_seconds"] // 60)


def _by_minute(parts: Sequence[float], minutes: int) -> tuple[int, ...]:
    """Spread each part evenly over its minutes: rates between bins are not known better."""
    scale = BILLION / sum(parts) / minutes
    return tuple(round(part * scale) for part in parts for _ in range(minutes))


def curve_defined(
    instrument_id: str, model: str, first_bin_ns: int, volumes: Sequence[int]
) -> VolumeCurveDefined:
    """Return the volume model of an instrument from its expected volume by minute.

    Log volume has the mean that makes the expected volume right, given the assumed variances.
    """
    half_variance = (VAR_ETA + VAR_MU / (1 - A_MU * A_MU) + VAR_NOISE) / 2
    return VolumeCurveDefined(
        instrument_id=instrument_id,
        model=model,
        bin_ns=MINUTE_NS,
        first_bin_ns=first_bin_ns,
        log_volume_e9=tuple(
            round((log(max(volume, 1)) - half_variance) * BILLION) for volume in volumes
        ),
        a_eta_e9=round(A_ETA * BILLION),
        a_mu_e9=round(A_MU * BILLION),
        var_eta_e9=round(VAR_ETA * BILLION),
        var_mu_e9=round(VAR_MU * BILLION),
        var_noise_e9=round(VAR_NOISE * BILLION),
    )
