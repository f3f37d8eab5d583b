"""From strategy, urgency and what an order says to plain integers for whoever decides."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.messages.core import Aim, StrategyKind, StrategyParameters, Urgency
from streams.parameters.table import rows

__all__ = ["PRESETS", "Resolved", "UrgencyPreset", "given", "normal", "resolved"]

BPS: Final = 10_000
HIGH_MAX_BPS: Final = 9_900  # of a band: 1 / (1 - p) stays finite
NOTHING: Final = StrategyParameters()


class UrgencyPreset(NamedTuple):
    """One point of the trilemma: how fast, at most how much of the market, how surely."""

    half_life_bps: int  # 1 / kappa, of the horizon
    participation_max_bps: int  # p_max of a plan where the order's cap is none or wider


# Half-lives: SPEC section 11. Largest rates: its table, where a PASSIVE, NEUTRAL and URGENT tenth
# of a day's volume is done by the close with P .56, .99 and 1.00.
PRESETS: Final = {
    Urgency.PASSIVE: UrgencyPreset(20_000, 1_000),
    Urgency.NEUTRAL: UrgencyPreset(5_000, 2_000),
    Urgency.URGENT: UrgencyPreset(2_000, 5_000),
}


class Resolved(NamedTuple):
    """Every parameter with its value; what the strategy does not know has a value without effect.

    Units: as the names say; 0 where a comment says so.
    """

    aim: Aim  # UNKNOWN but for AUTO
    participation_rate_bps: int  # 0: no rate is aimed at
    participation_floor_bps: int
    participation_high_bps: int  # most of a bin while catching up; the order's cap may be tighter
    participation_max_bps: int  # most of a bin in a plan; the order's cap may be tighter
    half_life_bps: int  # of the horizon, where half_life_ns is 0
    half_life_ns: int  # 0: by half_life_bps
    risk_aversion_e9: int  # -1: by the half-life
    completion_floor_bps: int  # 0: nobody wants to hear of it
    opening_auction_bps: int
    closing_auction_bps: int
    pre_close_ns: int  # 0: no continuous part of its own
    time_jitter_bps: int
    size_jitter_bps: int
    display_share_bps: int  # 0: by the settings

    def half_life(self, horizon_ns: int) -> int:
        """Return the half-life in ns, at least 1. Rounds: down."""
        return self.half_life_ns or max(1, horizon_ns * self.half_life_bps // BPS)


@lru_cache(maxsize=4_096)
def resolved(
    strategy: StrategyKind, urgency: Urgency, parameters: StrategyParameters | None
) -> Resolved:
    """Return what holds: what the order says, else the preset of strategy and urgency.

    What the strategy does not know is passed over: of an order for AUTO, the chosen one takes
    what it knows.
    """
    values = {row.name: row.preset.of(urgency) for row in rows(strategy)}
    said = given(parameters)
    values |= {name: value for name, value in said.items() if name in values}
    preset = PRESETS.get(urgency, PRESETS[Urgency.NEUTRAL])
    rate = _number(values, "participation_rate_bps")
    floor = _number(values, "participation_floor_bps")
    if "participation_rate_bps" in said and "participation_floor_bps" not in said:
        floor = rate // 2 if strategy is StrategyKind.POV else floor
    aversion = values.get("risk_aversion_e9")
    aim = values.get("aim")
    return Resolved(
        aim=aim if isinstance(aim, Aim) else Aim.UNKNOWN,
        participation_rate_bps=rate,
        participation_floor_bps=floor,
        # SPEC section 5 catches up with twice the rate.
        participation_high_bps=min(2 * rate, HIGH_MAX_BPS) if rate else HIGH_MAX_BPS,
        participation_max_bps=preset.participation_max_bps,
        half_life_bps=preset.half_life_bps,
        half_life_ns=_number(values, "half_life_ns"),
        risk_aversion_e9=aversion if isinstance(aversion, int) else -1,
        completion_floor_bps=_number(values, "completion_floor_bps"),
        opening_auction_bps=_number(values, "opening_auction_bps"),
        closing_auction_bps=_number(values, "closing_auction_bps"),
        pre_close_ns=_number(values, "pre_close_ns"),
        time_jitter_bps=_number(values, "time_jitter_bps"),
        size_jitter_bps=_number(values, "size_jitter_bps"),
        display_share_bps=_number(values, "display_share_bps"),
    )


def normal(parameters: StrategyParameters | None) -> StrategyParameters | None:
    """Return None for parameters that say nothing: they are one group with orders without."""
    return None if parameters == NOTHING else parameters


def given(parameters: StrategyParameters | None) -> dict[str, Any]:
    """Return what the order says, by name."""
    if parameters is None:
        return {}
    values = {name: getattr(parameters, name) for name in parameters.__struct_fields__}
    return {name: v for name, v in values.items() if v is not None and v is not Aim.UNKNOWN}


def _number(values: dict[str, Any], name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) else 0
