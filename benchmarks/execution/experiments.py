"""What is compared with what, in which market, by which figures."""

from pathlib import Path
from typing import Final

from benchmarks.execution.cases import Case, Orders
from benchmarks.execution.experiment import WINDOW, Experiment
from benchmarks.execution.market import Setting
from benchmarks.execution.routers import ROUTERS, taped_routers
from schemas.messages.core import StrategyKind, StrategyParameters, Urgency

__all__ = ["EXPERIMENTS", "experiments"]

K = StrategyKind
P = StrategyParameters
TENTH: Final = P(participation_rate_bps=1_000)
EQUAL: Final = P(time_jitter_bps=0, size_jitter_bps=0)
VWAP: Final = Case("VWAP", K.VWAP)
STATIC: Final = Case("VWAP: static curve", K.VWAP, schedule="static curve")
SLICES: Final = Case("equal slices", K.TWAP, parameters=EQUAL)
TWAP: Final = Case("TWAP", K.TWAP)
POV: Final = Case("POV 10 %", K.POV, parameters=TENTH)
POV_TAPE: Final = Case(
    "POV 10 %: p of the whole tape", K.POV, parameters=TENTH, schedule="p of the whole tape"
)
POV_OVER: Final = Case(
    "POV 10 %: p / (1 - p) of the whole tape",
    K.POV,
    parameters=TENTH,
    schedule="p / (1 - p) of the whole tape",
)
SHORTFALL: Final = tuple(
    Case(f"IS {urgency.lower()}", K.IMPLEMENTATION_SHORTFALL, urgency)
    for urgency in (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT)
)
IMMEDIATE: Final = Case("IMMEDIATE", K.IMMEDIATE, Urgency.URGENT)
CLOSE: Final = Case("CLOSE", K.CLOSE)
NO_AUCTION: Final = Case(
    "CLOSE: no auction", K.CLOSE, parameters=P(closing_auction_bps=0, pre_close_ns=12 * 60 * 10**9)
)
SCHEDULE_PAIRS: Final = (
    ("VWAP", "VWAP: static curve", ("vwap", "gap", "arrival")),
    ("VWAP", "equal slices", ("vwap", "gap", "arrival")),
    ("TWAP", "equal slices", ("vwap", "gap", "arrival")),
    ("POV 10 %", "POV 10 %: p of the whole tape", ("miss", "vwap", "arrival")),
    ("POV 10 %", "POV 10 %: p / (1 - p) of the whole tape", ("miss", "vwap", "arrival")),
    ("IS passive", "equal slices", ("arrival",)),
    ("IS neutral", "equal slices", ("arrival",)),
    ("IS urgent", "equal slices", ("arrival",)),
    ("IS passive", "IS urgent", ("arrival",)),
    ("IS neutral", "IMMEDIATE", ("arrival",)),
)


def experiments(data: Path | None) -> tuple[Experiment, ...]:
    """Return all that can be run; tapes only where the data is."""
    return (*EXPERIMENTS, *(() if data is None else _taped(data)))


def _misspecified(name: str, title: str, setting: Setting) -> Experiment:
    capped = [case._replace(cap_bps=2_500) for case in (VWAP, STATIC, SHORTFALL[1], SLICES)]
    pairs = (
        ("VWAP", "VWAP: static curve", ("vwap", "gap", "unfilled")),
        ("IS neutral", "equal slices", ("arrival", "unfilled")),
    )
    return Experiment(name, title, setting, Orders(), tuple(capped), pairs)


EXPERIMENTS: Final = (
    Experiment(
        "schedules",
        "Strategies against their naive forms, generated market with decaying impact",
        Setting(minutes=15),
        Orders(),
        (VWAP, STATIC, SLICES, TWAP, POV, POV_TAPE, POV_OVER, *SHORTFALL, IMMEDIATE),
        SCHEDULE_PAIRS,
    ),
    Experiment(
        "close",
        "CLOSE against working towards the close without its auction",
        Setting(minutes=15, closing_s=60),
        # Four fifths of it are a tenth of the auction; ten times as much would be the auction.
        Orders(share_bps=100, window_s=810, is_to_close=True),
        (CLOSE, NO_AUCTION, VWAP),
        (
            ("CLOSE", "CLOSE: no auction", ("far", "close", "arrival")),
            ("CLOSE", "VWAP", ("far", "close", "arrival")),
        ),
    ),
    _misspecified(
        "volume x0.5", "The engine expects half of the volume", Setting(minutes=15, believed=0.5)
    ),
    _misspecified(
        "volume x2", "The engine expects twice the volume", Setting(minutes=15, believed=2.0)
    ),
    _misspecified(
        "volatility x2", "Prices move twice as much as usual", Setting(minutes=15, volatility=2)
    ),
    _misspecified(
        "venue lost",
        "A lit venue with 30 % of volume is silent for a fifth of the day",
        Setting(minutes=15, lost="OST"),
    ),
    *ROUTERS,
)


def _taped(data: Path) -> tuple[Experiment, ...]:
    return *_amazon(data), *_coins(data), *taped_routers(data)


def _coins(data: Path) -> tuple[Experiment, ...]:
    """Return experiments on six minutes of two real venues; too few windows to show much."""
    setting = Setting(minutes=6, step_s=1, tape=data / "binance")
    minutes = Orders(share_bps=500, starts_s=20, window_s=110, windows=3)
    return (
        Experiment(
            "schedules, BTC and ETH",
            "Strategies against their naive forms on Binance's spot and futures (no impact)",
            setting,
            minutes,
            (VWAP, STATIC, SLICES, TWAP, POV, POV_TAPE),
            tuple(
                p
                for p in SCHEDULE_PAIRS
                if p[0][:4] in ("VWAP", "TWAP", "POV ") and "/ (1" not in p[1]
            ),
            clusters=WINDOW,
            seeds=1,
        ),
    )


def _amazon(data: Path) -> tuple[Experiment, ...]:
    # The whole day: six windows of a morning showed no difference that the next change kept.
    day = Setting(minutes=390, tape=data / "lobster")
    windows = Orders(share_bps=1_000, starts_s=300, window_s=720, windows=31)
    return (
        Experiment(
            "schedules, AMZN",
            "Strategies against their naive forms on LOBSTER's AMZN day (no impact)",
            day,
            windows,
            (VWAP, STATIC, SLICES, TWAP, POV, POV_TAPE, *SHORTFALL, IMMEDIATE),
            tuple(p for p in SCHEDULE_PAIRS if "p / (1 - p)" not in p[1]),
            clusters=WINDOW,
            seeds=1,
        ),
    )
