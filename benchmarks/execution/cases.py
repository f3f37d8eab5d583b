"""One way to work orders, run over days: each day is played twice, bought and sold.

The same prices bought and sold: what the market did by itself nearly cancels, and what the way of
working costs is left. Both are one cluster; generated shares move independently of each other.
"""

from collections.abc import Iterator, Sequence
from math import exp
from typing import Any, Final, NamedTuple

from benchmarks.execution.host import run_day
from benchmarks.execution.market import SECOND_NS, Market, Setting
from benchmarks.execution.measure import Outcome, Recorder
from benchmarks.execution.naive import ROUTERS, SCHEDULES, router, schedule
from schemas.messages.core import (
    OrderType,
    Side,
    StrategyKind,
    StrategyParameters,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import NewOrder
from services.venues.assumptions import TENANT
from services.venues.flow import ClientCommand

__all__ = ["Case", "Key", "Orders", "run_case"]

SOURCE: Final = "OMS-A"
MINUTE_NS: Final = 60 * SECOND_NS
FLIPS: Final = (False, True)
Key = tuple[int, str, int, str]  # seed, instrument, start of the order, side


class Orders(NamedTuple):
    """What is ordered in each instrument, in windows after each other."""

    share_bps: int = 1_000  # of the volume expected in a window
    starts_s: int = 30  # after the open
    window_s: int = 720
    windows: int = 1
    is_to_close: bool = False  # no end of their own: the closing auction is theirs too


class Case(NamedTuple):
    """One way to work the orders."""

    name: str
    strategy: StrategyKind
    urgency: Urgency = Urgency.NEUTRAL
    parameters: StrategyParameters | None = None
    schedule: str = ""  # of naive.SCHEDULES
    router: str = "ours"  # of naive.ROUTERS
    is_dark_allowed: bool = True
    cap_bps: int = 10_000


def run_case(
    case: Case, setting: Setting, orders: Orders, seeds: Sequence[int]
) -> Iterator[tuple[Key, Outcome]]:
    """Yield every parent of every day."""
    for seed in seeds:
        for is_flipped in FLIPS:
            market = Market(setting, seed)
            commands = [*_commands(case, market, orders, is_flipped)]
            # A day hears its orders by time: one that stands behind a later one comes too late.
            commands.sort(key=lambda command: command.at_ns)
            day = market.day._replace(commands=commands)
            recorder = Recorder()
            with (
                schedule(case.strategy, SCHEDULES.get(case.schedule)),
                router(ROUTERS[case.router]),
            ):
                run_day(
                    day,
                    market.definitions,
                    seed,
                    recorder,
                    lost=setting.lost,
                    lost_steps=market.lost_steps(),
                )
            scales = {n: each.quantity_scale for n, each in day.terms.instruments.items()}
            for outcome in recorder.outcomes(scales):
                yield (seed, outcome.instrument_id, outcome.start_ns, outcome.side), outcome


def _commands(
    case: Case, market: Market, orders: Orders, is_flipped: bool
) -> Iterator[ClientCommand]:
    day, open_ns = market.day, market.day.hours.open_ns
    volumes = {curve.instrument_id: curve for curve in day.curves}
    for at, (instrument_id, terms) in enumerate(day.terms.instruments.items()):
        for number in range(orders.windows):
            start_ns = open_ns + (orders.starts_s + number * orders.window_s) * SECOND_NS
            end_ns = start_ns + orders.window_s * SECOND_NS
            expected = _expected(volumes[instrument_id], start_ns, end_ns)
            lots = expected * orders.share_bps // 10_000 // terms.lot
            is_bought = bool((market.seed + at + number) % 2) != is_flipped
            message = NewOrder(
                tenant=TENANT,
                source=SOURCE,
                client_order_id=f"C{at:02}-{number:03}",
                account_id="A001",
                desk_id="CASH",
                instrument_id=instrument_id,
                trade_date=terms.trade_date,
                side=Side.BUY if is_bought else Side.SELL,
                quantity=min(max(lots, 1) * terms.lot, terms.maximum_quantity),
                order_type=OrderType.MARKET,
                limit_price_e9=None,
                time_in_force=TimeInForce.DAY,
                strategy=case.strategy,
                urgency=case.urgency,
                start_ns=start_ns,
                end_ns=0 if orders.is_to_close else end_ns - SECOND_NS,
                participation_cap_bps=case.cap_bps,
                is_cross_allowed=False,
                is_dark_allowed=case.is_dark_allowed,
                parameters=case.parameters,
            )
            # Urgent orders open their parent at once; others wait a second in the window.
            yield ClientCommand(start_ns - 3 * SECOND_NS, SOURCE, message)


def _expected(curve: Any, start_ns: int, end_ns: int) -> int:
    """Return the volume that the curve expects, by whole minutes."""
    variance = curve.var_eta_e9 + curve.var_noise_e9
    first = (start_ns - curve.first_bin_ns) // curve.bin_ns
    last = (end_ns - curve.first_bin_ns) // curve.bin_ns
    logs = curve.log_volume_e9[max(first, 0) : max(last, first + 1)]
    return int(sum(exp((value + variance / 2) / 10**9) for value in logs))
