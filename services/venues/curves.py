"""Volume curves: how a day's volume spreads over its minutes, and the model that engines get."""

import json
from collections.abc import Sequence
from math import log
from pathlib import Path

from schemas.messages.control import VolumeCurveDefined

__all__ = [
    "MINUTES",
    "SHAPE_NAME",
    "auction_fractions",
    "curve_defined",
    "day_fractions",
]

MINUTES = 390  # of a US regular session
MINUTE_NS = 60_000_000_000
BILLION = 1_000_000_000
SHAPE_NAME = "u-shape/1"

# Assumed when no measured curve is given: parts of a day's volume in thirteen half hours. Heavy at
# the open, flat over noon, heaviest at the close.
HALF_HOURS = (135, 90, 75, 65, 58, 52, 48, 50, 54, 60, 70, 88, 155)

ASSUMED_AUCTIONS = (20_000_000, 80_000_000)  # 2 % and 8 % of a US share's day
VAR_AUCTION = 0.09  # of log volume: half to one and a half of what is expected

# Assumed for log volume of a minute: a day's level varies by a quarter, a minute's by a half.
A_ETA, A_MU = 0.95, 0.75
VAR_ETA, VAR_MU, VAR_NOISE = 0.02, 0.02, 0.08


def day_fractions(
    facts: Path | None, ordinal: int, apart: tuple[int, int] = (0, 0)
) -> tuple[str, tuple[int, ...]]:
    """Return the name of a curve and its parts per billion for each minute of the session.

    `facts` holds measured five-minute fractions by symbol; instruments take the symbols in turn.
    `apart`: the parts of the day that the opening and the closing auction trade, which are then
    none of a minute's; measured bins hold them in the first and the last, the assumed ones nowhere.
    Rounds: half even, by minute; parts sum to what is not apart only nearly.
    """
    rest = BILLION - sum(apart)
    if facts is None:
        return SHAPE_NAME, _by_minute(HALF_HOURS, 30, rest)
    symbols = json.loads(facts.read_text())["symbols"]
    name = sorted(symbols)[ordinal % len(symbols)]
    bins = [*symbols[name]["mean_volume_fraction"]]
    bins[0] -= apart[0] / BILLION
    bins[-1] -= apart[1] / BILLION
    return f"{facts.stem}/{name}", _by_minute(bins, symbols[name]["bin_seconds"] // 60, rest)


def auction_fractions(facts: Path | None, ordinal: int) -> tuple[int, int]:
    """Return the parts per billion of a day's volume that its two auctions trade.

    Measured bins hold the auctions' prints in the first and the last: what those have beyond their
    neighbors is taken for the auctions. Without measured curves the usual parts are assumed.
    """
    if facts is None:
        return ASSUMED_AUCTIONS
    symbols = json.loads(facts.read_text())["symbols"]
    bins = symbols[sorted(symbols)[ordinal % len(symbols)]]["mean_volume_fraction"]
    opening, closing = (max(a - b, 0.0) for a, b in ((bins[0], bins[1]), (bins[-1], bins[-2])))
    return round(opening * BILLION), round(closing * BILLION)


def _by_minute(parts: Sequence[float], minutes: int, whole: int) -> tuple[int, ...]:
    """Spread each part evenly over its minutes: rates between bins are not known better."""
    scale = whole / sum(parts) / minutes
    return tuple(round(part * scale) for part in parts for _ in range(minutes))


def curve_defined(
    instrument_id: str,
    model: str,
    first_bin_ns: int,
    volumes: Sequence[int],
    auctions: tuple[int, int] = (0, 0),
) -> VolumeCurveDefined:
    """Return the volume model of an instrument from its expected volume by minute.

    Log volume has the mean that makes the expected volume right, given the assumed variances.
    `auctions`: expected volume of the opening and of the closing one; 0 where none is held.
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
        opening_log_volume_e9=_auction_mean(auctions[0]),
        closing_log_volume_e9=_auction_mean(auctions[1]),
        auction_var_e9=round(VAR_AUCTION * BILLION) if any(auctions) else 0,
    )


def _auction_mean(volume: int) -> int | None:
    return round((log(volume) - VAR_AUCTION / 2) * BILLION) if volume else None
