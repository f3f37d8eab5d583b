"""What venues do to us: late fills, rejects, busts, corrections, ends; down to the source order."""

import pytest

from schemas.messages.core import TimeInForce
from tests.support.builders import OPEN_NS, SECOND, TICK
from tests.support.scenario import HELD, ONE_ORDER, TWO_ORDERS, URGENT, Step, play

FILLED = [
    *TWO_ORDERS,
    Step(
        ("fill", 300),
        [
            "FillBooked 300 late 0 error 0",
            "FillAllocated c1+100 c2+200",
            "EpochClosed 1: tail 0",
            "ParentClosed FILLED 300/300",
            "OrderClosed c1 FILLED 100",
            "OrderClosed c2 FILLED 200",
            "CashAllocated 1 v1 29970.00",
        ],
    ),
]

SCENARIOS = {
    "what the cancel counted stays exposed until its fills arrive and pay their epoch": [
        *TWO_ORDERS,
        Step(("cancel", "c3", "c1"), ["OrderPendingCancel c3", *HELD]),
        Step(("confirm_cancel", 90), ["ChildCanceled free 210 outstanding 90"]),
        Step(("wait", 1), []),
        Step(
            ("fill_late", 90, 0),
            [
                "FillBooked 90 late 0 error 0",
                "FillAllocated c1+30 c2+60",
                "MemberLeft c1 30",
                "EpochClosed 1: tail 0",
                "EpochOpened 2: 140 c2=140",
                "OrderCanceled c3 filled 30 canceled 70",
                "ChildPlaced BUY 140 epoch 2",
            ],
        ),
    ],
    "a fill beyond the venue's own word is the error account's and no order's": [
        *ONE_ORDER,
        Step(("cancel", "c2", "c1"), ["OrderPendingCancel c2", *HELD]),
        Step(
            ("confirm_cancel", 0),
            [
                "ChildCanceled free 100 outstanding 0",
                "MemberLeft c1 0",
                "EpochClosed 1: tail 0",
                "ParentClosed CANCELED 0/100",
                "OrderCanceled c2 filled 0 canceled 100",
            ],
        ),
        Step(("fill_late", 50, 0), ["FillBooked 0 late 0 error 50"]),
    ],
    "a rejected child is placed elsewhere": [
        *ONE_ORDER,
        Step(("reject",), ["ChildRejected 100", "ChildPlaced BUY 100 epoch 1"]),
        Step(
            ("fill", 100),
            [
                "FillBooked 100 late 0 error 0",
                "FillAllocated c1+100",
                "EpochClosed 1: tail 0",
                "ParentClosed FILLED 100/100",
                "OrderClosed c1 FILLED 100",
                "CashAllocated 1 v1 9990.00",
            ],
        ),
    ],
    "a bust while the parent works takes the shares back": [
        *TWO_ORDERS,
        Step(("fill", 100), ["FillBooked 100 late 0 error 0", "FillAllocated c1+33 c2+67"]),
        Step(("bust", 0), ["FillBusted 100 error 0", "AllocationRestated c1-33 c2-67"]),
    ],
    "a bust after the end restates the orders and the cash": [
        *FILLED,
        Step(
            ("bust", 0),
            [
                "FillBusted 300 error 0",
                "AllocationRestated c1-100 c2-200",
                "CashAllocated 1 v2 0.00",
                "OrderRestated c1 CANCELED 0",
                "OrderRestated c2 CANCELED 0",
            ],
        ),
    ],
    "a correction down restates as if only that had been filled": [
        *FILLED,
        Step(
            ("correct", 0, 270),
            [
                "FillCorrected 300 -> 270",
                "AllocationRestated c1-10 c2-20",
                "CashAllocated 1 v2 26973.00",
                "OrderRestated c1 CANCELED 90",
                "OrderRestated c2 CANCELED 180",
            ],
        ),
    ],
    "a bust of an older epoch is worked again in a new one": [
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
            ("bust", 0),
            [
                "FillBusted 300 error 0",
                "AllocationRestated c1-100 c2-200",
                "EpochClosed 2: tail 50 c1=50",
                "EpochOpened 3: 300 c1=100 c2=200",
                "OrderRestated c2 NEW 0",
            ],
        ),
        Step(
            ("fill", 50),
            [
                "FillBooked 50 late 0 error 0",
                "FillAllocated c1+50",
                "ChildPlaced BUY 300 epoch 3",
            ],
        ),
        Step(
            ("fill", 300),
            [
                "FillBooked 300 late 0 error 0",
                "FillAllocated c1+100 c2+200",
                "EpochClosed 3: tail 0",
                "ParentClosed FILLED 350/350",
                "OrderClosed c1 FILLED 150",
                "OrderClosed c2 FILLED 200",
                "CashAllocated 2 v1 4995.00",
                "CashAllocated 3 v1 29970.00",
            ],
        ),
    ],
    "a bust lets an order work again that was full": [
        *TWO_ORDERS,
        Step(("fill", 150), ["FillBooked 150 late 0 error 0", "FillAllocated c1+50 c2+100"]),
        Step(
            ("fill", 149),
            [
                "FillBooked 149 late 0 error 0",
                "FillAllocated c1+50 c2+99",
                "OrderClosed c1 FILLED 100",
            ],
        ),
        Step(
            ("bust", 0),
            [
                "FillBusted 150 error 0",
                "AllocationRestated c1-50 c2-100",
                "OrderRestated c1 PARTIALLY_FILLED 50",
            ],
        ),
    ],
    "a bust after a replace is worked again where the order works now": [
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
        Step(
            ("bust", 0),
            [
                "FillBusted 60 error 0",
                "AllocationRestated c1-20 c2-40",
                "EpochClosed 2: tail 160 c2=160",
                "EpochOpened 3: 40 c2=40",
                "EpochClosed 1: tail 80 c1=80",
                "EpochOpened 2: 20 c1=20",
                "ChildPlaced BUY 20 epoch 2",
            ],
        ),
    ],
    "at its end a parent cancels what is live, then its orders expire": [
        Step(
            ("buy", "c1", 100, {**URGENT, "end_ns": OPEN_NS + 5 * SECOND}),
            ONE_ORDER[0].expected,
        ),
        Step(("fill", 30), ["FillBooked 30 late 0 error 0", "FillAllocated c1+30"]),
        Step(("wait", 3), ["ChildCancelRequested DEADLINE"]),
        Step(("refuse_cancel",), ["ChildCancelRejected 1"]),
        Step(
            ("confirm_cancel", 30),
            [
                "ChildCanceled free 70 outstanding 0",
                "EpochClosed 1: tail 0",
                "ParentClosed EXPIRED 30/100",
                "OrderClosed c1 EXPIRED 30",
                "CashAllocated 1 v1 2997.00",
            ],
        ),
    ],
    "an IOC order ends with what its sweep got": [
        Step(
            (
                "buy",
                "c1",
                100,
                {
                    **URGENT,
                    "time_in_force": TimeInForce.IOC,
                    "limit_price_e9": 10_010 * TICK,
                },
            ),
            ONE_ORDER[0].expected,
        ),
        Step(
            ("fill", 40),
            [
                "FillBooked 40 late 0 error 0",
                "FillAllocated c1+40",
                "ChildCancelRequested DEADLINE",
            ],
        ),
        Step(
            ("expire",),
            [
                "ChildCanceled free 60 outstanding 0",
                "EpochClosed 1: tail 0",
                "ParentClosed CANCELED 40/100",
                "OrderClosed c1 CANCELED 40",
                "CashAllocated 1 v1 4000.40",
            ],
        ),
    ],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    play(SCENARIOS[name])
