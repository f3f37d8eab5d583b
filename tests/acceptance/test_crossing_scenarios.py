"""Opposing interest: crossed inside where the firm declared it, two parents where it did not."""

from schemas.messages.core import StrategyKind
from schemas.messages.netting import CrossExecuted, ParentOpened
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    TICK,
    crossing_declared,
    settings_loaded,
)
from tests.support.scenario import Step, play
from tests.support.shard_host import trading_host

AT_MIDPOINT = {"limit_price_e9": 10_000 * TICK}
BUYER = {"account_id": "A2", **AT_MIDPOINT}
SELLER = {"account_id": "A3", "source": "FIX", **AT_MIDPOINT}
LONG_WINDOW = settings_loaded(window_ns=3 * SECOND)
TOGETHER = [
    Step(("buy", "c1", 300, AT_MIDPOINT), ["OrderAccepted c1 BUY 300"]),
    Step(("buy", "c2", 200, BUYER), ["OrderAccepted c2 BUY 200"]),
    Step(("sell", "c3", 200, SELLER), ["OrderAccepted c3 SELL 200"]),
]


def test_500_to_buy_and_200_to_sell_leave_a_parent_of_300_and_a_cross_of_200() -> None:
    desk = play(
        [
            *TOGETHER,
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 500 sell 200",
                    "CrossExecuted 200 @ 100.000",
                    "ParentOpened BUY 300",
                    "EpochOpened 1: 300 c1=180 c2=120",
                    "OrderClosed c3 FILLED 200",
                    "ChildPlaced BUY 300 epoch 1",
                ],
            ),
        ],
        trading_host(crossing_declared(), LONG_WINDOW, venues=1),
    )
    (cross,) = desk.host.messages(CrossExecuted)
    assert (cross.evidence.bid_e9, cross.evidence.ask_e9) == (9_999 * TICK, 10_001 * TICK)
    assert cross.declaration_id == "D1"


def test_without_a_declaration_both_sides_become_parents() -> None:
    desk = play(
        [
            *TOGETHER,
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 500 sell 200 crossing not declared",
                    "ParentOpened BUY 500",
                    "EpochOpened 1: 500 c1=300 c2=200",
                    "ParentOpened SELL 200",
                    "EpochOpened 1: 200 c3=200",
                    "ChildPlaced BUY 500 epoch 1",
                    "ChildPlaced SELL 200 epoch 1",
                ],
            ),
        ],
        trading_host(LONG_WINDOW, venues=1),
    )
    buy, sell = desk.host.messages(ParentOpened)
    assert buy.self_trade_id == sell.self_trade_id


def test_a_later_order_crosses_what_a_working_parent_has_not_released() -> None:
    slow = {"strategy": StrategyKind.TWAP, "end_ns": OPEN_NS + 1_200 * SECOND}
    play(
        [
            Step(("buy", "c1", 3_000, {**AT_MIDPOINT, **slow}), ["OrderAccepted c1 BUY 3000"]),
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 3000 sell 0",
                    "ParentOpened BUY 3000",
                    "EpochOpened 1: 3000 c1=3000",
                ],
            ),
            Step(("sell", "c2", 500, {**SELLER, **slow}), ["OrderAccepted c2 SELL 500"]),
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 0 sell 500",
                    "CrossExecuted 500 @ 100.000",
                    "EpochClosed 1: tail 0",
                    "EpochOpened 2: 2500 c1=2500",
                    "OrderClosed c2 FILLED 500",
                ],
            ),
        ],
        trading_host(crossing_declared(), venues=1),
    )


def test_live_children_are_never_crossed_away() -> None:
    play(
        [
            Step(("buy", "c1", 300, AT_MIDPOINT), ["OrderAccepted c1 BUY 300"]),
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 300 sell 0",
                    "ParentOpened BUY 300",
                    "EpochOpened 1: 300 c1=300",
                    "ChildPlaced BUY 300 epoch 1",
                ],
            ),
            Step(("sell", "c2", 500, SELLER), ["OrderAccepted c2 SELL 500"]),
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 0 sell 500",
                    "ParentOpened SELL 500",
                    "EpochOpened 1: 500 c2=500",
                    "ChildPlaced SELL 500 epoch 1",
                ],
            ),
        ],
        trading_host(crossing_declared(), venues=1),
    )
