"""What an experiment is: cases in one market, and which of them are told apart by what."""

from typing import Final, NamedTuple

from benchmarks.execution.cases import Case, Orders
from benchmarks.execution.market import Setting

__all__ = ["DAY", "WINDOW", "Experiment", "Pair"]

DAY: Final = "share and day"
WINDOW: Final = "window"
Pair = tuple[str, str, tuple[str, ...]]  # ours, the naive form, figures that shall differ


class Experiment(NamedTuple):
    """Cases in one market."""

    name: str
    title: str
    setting: Setting
    orders: Orders
    cases: tuple[Case, ...]
    pairs: tuple[Pair, ...]
    clusters: str = DAY  # or WINDOW: a tape is one day, whose windows differ
    seeds: int = 0  # 0: as many as are asked for
    is_routers: bool = False  # seeds are then asked for apart, and a pair is one row of its table
    left_out: tuple[tuple[str, str], ...] = ()  # a logic, and why it makes no sense here
    note: str = ""  # what a reader must know of the market to judge by it
