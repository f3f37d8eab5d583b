"""A client changes its mind: FIX 4.4 appendix D, told in events."""

import pytest

from tests.support.builders import SECOND, settings_loaded
from tests.support.scenario import A2, HELD, ONE_ORDER, TWO_ORDERS, Step, play
from tests.support.shard_host import trading_host

SCENARIOS = {
    "a cancel of a working order waits for the venue's answer": [
        *TWO_ORDERS,
        Step(("acknowledge",), []),
        Step(("cancel", "c3", "c1"), ["OrderPendingCancel c3", *HELD]),
        Step(("cancel", "c3", "c1"), ["CommandRepeated c3 True"]),
        Step(("cancel", "c4", "c1"), ["OrderCancelRejected c4 ALREADY_PENDING"]),
        Step(("fill", 30), ["FillBooked 30 late 0 error 0", "FillAllocated c1+10 c2+20"]),
        Step(("refuse_cancel",), ["ChildCancelRejected 1"]),
        Step(
            ("confirm_cancel", 30),
            [
                "ChildCanceled free 270 outstanding 0",
                "MemberLeft c1 10",
                "EpochClosed 1: tail 0",
                "EpochOpened 2: 180 c2=180",
                "OrderCanceled c3 filled 10 canceled 90",
                "ChildPlaced BUY 180 epoch 2",
            ],
        ),
    ],
    "a cancel that the last fill overtakes is too late": [
        *ONE_ORDER,
        Step(("cancel", "c2", "c1"), ["OrderPendingCancel c2", *HELD]),
        Step(
            ("fill", 100),
            [
                "FillBooked 100 late 0 error 0",
                "FillAllocated c1+100",
                "MemberLeft c1 100",
                "EpochClosed 1: tail 0",
                "ParentClosed FILLED 100/100",
                "OrderCancelRejected c2 TOO_LATE",
                "OrderClosed c1 FILLED 100",
                "CashAllocated 1 v1 9990.00",
            ],
        ),
        Step(("cancel", "c2", "c1"), ["CommandRepeated c2 False"]),
        Step(("cancel", "c3", "c1"), ["OrderCancelRejected c3 TOO_LATE"]),
    ],
    "an increase is in force at once and the live child keeps paying the old weights": [
        *TWO_ORDERS,
        Step(
            ("replace", "c3", "c1", 150, 9_990),
            [
                "OrderReplaced c3 150 filled 0",
                "EpochClosed 1: tail 300 c1=100 c2=200",
                "EpochOpened 2: 50 c1=50",
                "ChildPlaced BUY 50 epoch 2",
            ],
        ),
        Step(
            ("fill", 300),
            [
                "FillBooked 300 late 0 error 0",
                "FillAllocated c1+100 c2+200",
                "OrderClosed c2 FILLED 200",
            ],
        ),
        Step(
            ("fill", 50),
            [
                "FillBooked 50 late 0 error 0",
                "FillAllocated c1+50",
                "EpochClosed 2: tail 0",
                "ParentClosed FILLED 350/350",
                "OrderClosed c1 FILLED 150",
                "CashAllocated 1 v1 29970.00",
                "CashAllocated 2 v1 4995.00",
            ],
        ),
    ],
    "a decrease waits, leaves the parent, and joins again with what is left": [
        *TWO_ORDERS,
        Step(("fill", 60), ["FillBooked 60 late 0 error 0", "FillAllocated c1+20 c2+40"]),
        Step(("replace", "c3", "c1", 50, 9_990), ["OrderPendingReplace c3 50", *HELD]),
        Step(
            ("confirm_cancel", 60),
            [
                "ChildCanceled free 240 outstanding 0",
                "MemberLeft c1 20",
                "EpochClosed 1: tail 0",
                "EpochOpened 2: 160 c2=160",
                "OrderReplaced c3 50 filled 20",
                "ChildPlaced BUY 160 epoch 2",
            ],
        ),
        Step(
            ("wait", 1),
            [
                "WindowClosed buy 30 sell 0",
                "EpochClosed 2: tail 160 c2=160",
                "EpochOpened 3: 30 c1=30",
                "ChildPlaced BUY 30 epoch 3",
            ],
        ),
    ],
    "another limit makes another parent": [
        *TWO_ORDERS,
        Step(("fill", 60), ["FillBooked 60 late 0 error 0", "FillAllocated c1+20 c2+40"]),
        Step(("replace", "c3", "c1", 100, 9_980), ["OrderPendingReplace c3 100", *HELD]),
        Step(
            ("confirm_cancel", 60),
            [
                "ChildCanceled free 240 outstanding 0",
                "MemberLeft c1 20",
                "EpochClosed 1: tail 0",
                "EpochOpened 2: 160 c2=160",
                "OrderReplaced c3 100 filled 20",
                "ChildPlaced BUY 160 epoch 2",
            ],
        ),
        Step(
            ("wait", 1),
            [
                "WindowClosed buy 80 sell 0",
                "ParentOpened BUY 80",
                "EpochOpened 1: 80 c1=80",
                "ChildPlaced BUY 80 epoch 1",
            ],
        ),
    ],
    "the same order twice is one order": [
        Step(("buy", "c1", 100), ["OrderAccepted c1 BUY 100"]),
        Step(
            ("buy", "c1", 100),
            [
                "CommandRepeated c1 True",
                "WindowClosed buy 100 sell 0",
                "ParentOpened BUY 100",
                "EpochOpened 1: 100 c1=100",
                "ChildPlaced BUY 100 epoch 1",
            ],
        ),
        Step(("buy", "c1", 200), ["OrderRejected c1 DUPLICATE_ORDER"]),
    ],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    play(SCENARIOS[name])


def test_a_waiting_order_is_canceled_and_replaced_at_once() -> None:
    play(
        [
            Step(("buy", "c1", 100), ["OrderAccepted c1 BUY 100"]),
            Step(("buy", "c2", 50, A2), ["OrderAccepted c2 BUY 50"]),
            Step(("replace", "c3", "c2", 30, 9_990), ["OrderReplaced c3 30 filled 0"]),
            Step(("cancel", "c4", "c1"), ["OrderCanceled c4 filled 0 canceled 100"]),
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 30 sell 0",
                    "ParentOpened BUY 30",
                    "EpochOpened 1: 30 c2=30",
                    "ChildPlaced BUY 30 epoch 1",
                ],
            ),
        ],
        trading_host(settings_loaded(window_ns=4 * SECOND)),
    )
