"""Routers: each logic alone and the free choice among them, against three naive routers.

A pair is the same orders on the same prices; so that a logic can be held against a naive router,
both do all that rests (or all that takes), and the engine's own choice does the other.
"""

from pathlib import Path
from typing import Final

from benchmarks.execution.cases import Case, Orders
from benchmarks.execution.experiment import WINDOW, Experiment, Pair
from benchmarks.execution.market import Setting
from schemas.messages.core import StrategyKind, Urgency

__all__ = ["LOGICS", "NAIVE", "ONE_VENUE", "ROUTERS", "taped_routers"]

FREE: Final = "ours"
NAIVE: Final = ("best price only", "pro rata to depth", "round robin")
LOGICS: Final = ("sequential", "parallel", "sweep", "liquidity seeking", "passive split")
NO_DARK: Final = tuple(logic for logic in LOGICS if logic != "liquidity seeking")
WORKING: Final = ("arrival", "unit", "vwap", "fees", "unfilled", "unmet")
TAKING: Final = ("arrival", "unit", "fees", "unfilled", "unmet", "seconds")
RESTS: Final = "rests, and these orders take: for them it is never weighed"
TAKES: Final = (
    ("sequential", RESTS),
    ("parallel", "takes by an over-fill budget only, of an error account that no case here names"),
    ("liquidity seeking", RESTS),
    ("passive split", RESTS),
)
COINS: Final = (("liquidity seeking", "this tape has no dark venue"),)
ONE_VENUE: Final = (
    "Little can be routed here: ETH is recorded at one venue, and the basis between spot and "
    "futures crosses the two of BTC, so that the guard of crossed markets suspends one of them."
)


def _cases(strategy: StrategyKind, urgency: Urgency, logics: tuple[str, ...]) -> tuple[Case, ...]:
    return tuple(Case(name, strategy, urgency, router=name) for name in (FREE, *logics, *NAIVE))


def _pairs(figures: tuple[str, ...], logics: tuple[str, ...]) -> tuple[Pair, ...]:
    """Return every logic against every naive router, then the free choice against each logic."""
    against = [(ours, naive, figures) for ours in (FREE, *logics) for naive in NAIVE]
    return *against, *((FREE, logic, figures) for logic in logics)


def _working(
    name: str, title: str, setting: Setting, orders: Orders, logics: tuple[str, ...] = LOGICS
) -> Experiment:
    return Experiment(
        name,
        title,
        setting,
        orders,
        _cases(StrategyKind.VWAP, Urgency.NEUTRAL, logics),
        _pairs(WORKING, logics),
        is_routers=True,
        left_out=() if logics == LOGICS else COINS,
    )


def _taking(name: str, title: str, setting: Setting, orders: Orders) -> Experiment:
    return Experiment(
        name,
        title,
        setting,
        orders,
        _cases(StrategyKind.IMMEDIATE, Urgency.URGENT, ("sweep",)),
        _pairs(TAKING, ("sweep",)),
        is_routers=True,
        left_out=TAKES,
    )


ROUTERS: Final = (
    _working(
        "routers, working",
        "Routers under VWAP: most of it rests, hidden quantity in the books and a dark pool",
        Setting(minutes=15),
        Orders(),
    ),
    _taking(
        "routers, taking",
        "Routers under IMMEDIATE: all of it takes, hidden quantity in the books and a dark pool",
        Setting(minutes=15),
        Orders(share_bps=800, window_s=120, windows=6),
    ),
)


def taped_routers(data: Path) -> tuple[Experiment, ...]:
    """Return the same on recorded markets. A tape is one day: its windows are the clusters."""
    amazon, coins = data / "lobster", data / "binance"
    found = (
        _working(
            "routers, AMZN",
            "Routers under VWAP on LOBSTER's AMZN day (no impact)",
            Setting(minutes=390, tape=amazon),
            # The whole day: six windows of a morning showed nothing that the next change kept.
            Orders(share_bps=1_000, starts_s=300, window_s=720, windows=31),
        ),
        _taking(
            "routers taking, AMZN",
            "Routers under IMMEDIATE on LOBSTER's AMZN day (no impact)",
            Setting(minutes=80, tape=amazon),
            Orders(share_bps=500, window_s=120, windows=36),
        ),
        _working(
            "routers, BTC and ETH",
            "Routers under VWAP on Binance's spot and futures (no impact, six minutes)",
            Setting(minutes=6, step_s=1, tape=coins),
            Orders(share_bps=500, starts_s=20, window_s=60, windows=5),
            NO_DARK,
        ),
        _taking(
            "routers taking, BTC and ETH",
            "Routers under IMMEDIATE on Binance's spot and futures (no impact, six minutes)",
            Setting(minutes=6, step_s=1, tape=coins),
            # Volume is expected by whole minutes: a half of it is in a window.
            Orders(share_bps=250, starts_s=20, window_s=30, windows=10),
        ),
    )
    return tuple(
        each._replace(
            clusters=WINDOW, seeds=1, note=ONE_VENUE if each.setting.tape == coins else ""
        )
        for each in found
    )
