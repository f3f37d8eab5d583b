"""Sessions, expiry, mass cancel and baskets through the whole shard, also after recovery."""

from typing import Any

import msgspec

from schemas.messages.control import CalendarDefined
from schemas.messages.core import (
    BasketMode,
    LimitKind,
    MassCancelScope,
    OrderType,
    PhaseKind,
    Session,
    SessionPhase,
    StrategyKind,
)
from schemas.messages.core import TimeInForce as T
from schemas.messages.intake import OrderAccepted, OrderRejected
from schemas.messages.netting import ParentOpened
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from streams.core.murmur import partition_of
from streams.shard import EngineShard
from tests.support.builders import (
    ACME,
    EURO,
    MINUTE,
    OPEN_NS,
    SECOND,
    TRADE_DATE,
    basket_entry,
    cancel_order,
    instrument_defined,
    new_basket,
)
from tests.support.limits import limit, limit_set, put_in_force
from tests.support.scenario import Desk, Step, play
from tests.support.shard_host import LOG_ID, trading_host

CLOSE_NS = OPEN_NS + 10 * SECOND
SHORT_DAY = instrument_defined(session_close_ns=CLOSE_NS)
NEXT_OPEN_NS = OPEN_NS + MINUTE
NEXT_DAY = instrument_defined(
    session_open_ns=NEXT_OPEN_NS,
    session_close_ns=NEXT_OPEN_NS + 10 * SECOND,
    trade_date=TRADE_DATE + 1,
)
GTC = {"time_in_force": T.GTC}


def assert_recovers(desk: Desk) -> None:
    """A shard that folds what was recorded knows what the one that decided knows."""
    app = EngineShard(0, 1, LOG_ID)
    for batch in desk.host.batches:
        app.restore(batch)
    mine, theirs = (
        msgspec.json.encode(msgspec.msgpack.decode(each.snapshot()))
        for each in (app, desk.host.app)
    )
    assert mine == theirs


def first_day(*more: Step, **changes: Any) -> Desk:
    """Order c1 of 100 works, 40 of it fill, and the session closes."""
    return play(
        [
            Step(("buy", "c1", 100, {**GTC, **changes}), ["OrderAccepted c1 BUY 100"]),
            Step(
                ("wait", 1),
                [
                    "WindowClosed buy 100 sell 0",
                    "ParentOpened BUY 100",
                    "EpochOpened 1: 100 c1=100",
                    "ChildPlaced BUY 100 epoch 1",
                ],
            ),
            Step(("fill", 40), ["FillBooked 40 late 0 error 0", "FillAllocated c1+40"]),
            Step(("wait", 7), ["ChildCancelRequested DEADLINE"]),
            Step(
                ("confirm_cancel", 40),
                [
                    "ChildCanceled free 60 outstanding 0",
                    "EpochClosed 1: tail 0",
                    "ParentClosed EXPIRED 40/100",
                    "OrderDoneForDay c1 filled 40 leaves 60",
                    "CashAllocated 1 v1 3996.00",
                ],
            ),
            *more,
        ],
        trading_host(SHORT_DAY),
    )


def test_a_gtc_order_works_on_in_the_next_session() -> None:
    desk = first_day(
        Step(("wait", 20), []),
        # A definition brings the next session: now its opening is known.
        Step(("define", NEXT_DAY), ["OrderDoneForDay c1 filled 40 leaves 60"]),
        Step(("wait", 28), [f"OrderResumed c1 {TRADE_DATE + 1}"]),
        Step(
            ("wait", 1),
            [
                "WindowClosed buy 60 sell 0",
                "ParentOpened BUY 60",
                "EpochOpened 1: 60 c1=60",
                "ChildPlaced BUY 60 epoch 1",
            ],
        ),
        Step(
            ("fill", 60),
            [
                "FillBooked 60 late 0 error 0",
                "FillAllocated c1+60",
                "EpochClosed 1: tail 0",
                "ParentClosed FILLED 60/60",
                "OrderClosed c1 FILLED 100",
                "CashAllocated 1 v1 5994.00",
            ],
        ),
        # Busts of both days, after the end: each restates the epoch that it was paid in.
        Step(
            ("bust", 0),
            [
                "FillBusted 40 error 0",
                "AllocationRestated c1-40",
                "CashAllocated 1 v2 0.00",
                "OrderRestated c1 CANCELED 60",
            ],
        ),
    )
    first, second = desk.host.messages(ParentOpened)
    assert second.end_ns == NEXT_OPEN_NS + 10 * SECOND
    assert first.group_id != second.group_id
    assert_recovers(desk)


def test_a_bust_overnight_is_worked_the_next_day() -> None:
    desk = first_day(
        Step(
            ("bust", 0),
            [
                "FillBusted 40 error 0",
                "AllocationRestated c1-40",
                "CashAllocated 1 v2 0.00",
                "OrderRestated c1 DONE_FOR_DAY 0",
            ],
        ),
        Step(("define", NEXT_DAY), ["OrderDoneForDay c1 filled 0 leaves 100"]),
        Step(("wait", 47), [f"OrderResumed c1 {TRADE_DATE + 1}"]),
        Step(
            ("wait", 1),
            [
                "WindowClosed buy 100 sell 0",
                "ParentOpened BUY 100",
                "EpochOpened 1: 100 c1=100",
                "ChildPlaced BUY 100 epoch 1",
            ],
        ),
    )
    assert_recovers(desk)


def test_a_replace_and_a_cancel_overnight() -> None:
    desk = first_day(
        Step(("replace", "c2", "c1", 200, 9_980), ["OrderReplaced c2 200 filled 40"]),
        Step(("define", NEXT_DAY), ["OrderDoneForDay c1 filled 40 leaves 160"]),
        Step(("cancel", "c3", "c2"), ["OrderCanceled c3 filled 40 canceled 160"]),
        Step(("wait", 60), []),
    )
    assert_recovers(desk)


def test_a_gtd_order_expires_overnight() -> None:
    desk = first_day(
        Step(("wait", 19), []),
        Step(("wait", 1), ["OrderClosed c1 EXPIRED 40"]),
        Step(("define", NEXT_DAY), []),
        Step(("wait", 60), []),
        time_in_force=T.GTD,
        expire_ns=CLOSE_NS + 21 * SECOND,
    )
    assert_recovers(desk)


def test_a_gtd_order_that_expires_in_the_session_ends_with_its_parent() -> None:
    changes = {"time_in_force": T.GTD, "expire_ns": OPEN_NS + 4 * SECOND}
    desk = Desk(trading_host(SHORT_DAY))
    desk.act("buy", "c1", 100, changes)
    desk.act("wait", 3)
    assert desk.act("confirm_cancel")[-3:] == [
        "EpochClosed 1: tail 0",
        "ParentClosed EXPIRED 0/100",
        "OrderClosed c1 EXPIRED 0",
    ]


def test_a_mass_cancel_meets_waiting_working_and_sleeping_orders() -> None:
    desk = Desk()
    desk.act("buy", "c1", 100)
    desk.act("wait", 1)
    desk.act("buy", "c2", 100)
    written = desk.act("mass_cancel", "m1", {"scope": MassCancelScope.SIDE, "scope_id": "BUY"})
    assert written == [
        "OrderPendingCancel c1",
        "OrderCanceled c2 filled 0 canceled 100",
        "MassCancelAnswered m1 1 1 0 UNKNOWN",
        "ParentHeld c1",
        "ChildCancelRequested CLIENT",
    ]
    written = desk.act("confirm_cancel")
    assert "OrderCanceled c1 filled 0 canceled 100" in written
    assert desk.act("mass_cancel", "m1", {"scope": MassCancelScope.SIDE, "scope_id": "BUY"}) == [
        "CommandRepeated m1 True"
    ]
    assert desk.act("mass_cancel", "m2") == ["MassCancelAnswered m2 0 0 2 UNKNOWN"]
    assert_recovers(desk)


def test_a_basket_is_one_window_and_one_parent() -> None:
    desk = Desk()
    basket = new_basket(*[basket_entry(f"c{n}", quantity=100) for n in range(1, 4)])
    desk.host.put(topics.ORDERS_COMMANDS, basket)
    assert desk.act("wait", 1) == [
        "OrderAccepted c1 BUY 100",
        "OrderAccepted c2 BUY 100",
        "OrderAccepted c3 BUY 100",
        "BasketAnswered B1 3 0 UNKNOWN",
    ]
    assert "EpochOpened 1: 300 c1=100 c2=100 c3=100" in desk.act("wait", 1)
    desk.host.put(topics.ORDERS_COMMANDS, basket)
    assert desk.act("wait", 1) == ["CommandRepeated B1 True"]
    assert_recovers(desk)


def test_a_refused_basket_leaves_one_letter_and_no_order() -> None:
    desk = Desk()
    entries = [basket_entry("c1"), basket_entry("c2", quantity=0), basket_entry("c3", quantity=-1)]
    desk.host.put(topics.ORDERS_COMMANDS, new_basket(*entries))
    assert desk.act("wait", 1) == [
        "OrderRejected c1 BASKET_MEMBER_REFUSED",
        "OrderRejected c2 QUANTITY_NOT_POSITIVE",
        "OrderRejected c3 QUANTITY_NOT_POSITIVE",
        "BasketAnswered B1 0 3 BASKET_MEMBER_REFUSED",
    ]
    assert len(desk.host.messages(DeadLetter)) == 1
    assert_recovers(desk)


def test_a_basket_over_two_shards_is_refused_whole_or_taken_in_parts() -> None:
    shard = partition_of(ACME, 2)
    elsewhere = next(f"X{n}" for n in range(99) if partition_of(f"X{n}", 2) != shard)
    for mode, kinds in (
        (BasketMode.ALL_OR_NONE, [OrderRejected, OrderRejected]),
        (BasketMode.VALID_ONES, [OrderAccepted, OrderRejected]),
    ):
        host = trading_host(shard=shard, partitions=2)
        entries = (basket_entry("c1"), basket_entry("c2", instrument_id=elsewhere))
        host.put(topics.ORDERS_COMMANDS, new_basket(*entries, mode=mode))
        written = host.step()
        assert [type(m) for m in written[:2]] == kinds
        assert written[1].reason == "BASKET_SPANS_SHARDS"


def test_the_answer_to_an_overnight_cancel_is_repeated_under_its_own_date() -> None:
    desk = first_day()
    command = cancel_order("c9", "c1", trade_date=TRADE_DATE + 1)
    for expected in ("OrderCanceled c9 filled 40 canceled 60", "CommandRepeated c9 True"):
        desk.host.put(topics.ORDERS_COMMANDS, command)
        assert desk.act("wait", 1) == [expected]


def test_members_that_one_command_cancels_leave_together() -> None:
    desk = Desk()
    later = {"start_ns": OPEN_NS + MINUTE}
    for n in range(1, 4):
        desk.act("buy", f"c{n}", 100, {**later, "account_id": f"A{n}"})
    desk.act("buy", "c4", 50, {**later, "source": "FIX"})
    desk.act("wait", 1)
    assert desk.act("mass_cancel", "m1")[3:] == [
        "MassCancelAnswered m1 0 3 0 UNKNOWN",
        "ParentHeld c1 c2 c3",
        "MemberLeft c1 0",
        "MemberLeft c2 0",
        "MemberLeft c3 0",
        "EpochClosed 2: tail 0",
        "EpochOpened 3: 50 c4=50",
        "OrderCanceled c1 filled 0 canceled 100",
        "OrderCanceled c2 filled 0 canceled 100",
        "OrderCanceled c3 filled 0 canceled 100",
    ]
    assert_recovers(desk)


AUCTIONS = {"strategy": StrategyKind.IMMEDIATE, "order_type": OrderType.MARKET}


def test_an_order_for_the_open_waits_sweeps_once_and_leaves_nothing_working() -> None:
    open_ns = NEXT_OPEN_NS
    phases = (
        SessionPhase(kind=PhaseKind.PRE_OPEN, start_ns=OPEN_NS, end_ns=open_ns),
        SessionPhase(kind=PhaseKind.CONTINUOUS, start_ns=open_ns, end_ns=open_ns + 10 * MINUTE),
    )
    calendar = CalendarDefined(
        calendar_id="CAL",
        first_date=TRADE_DATE,
        last_date=TRADE_DATE,
        sessions=(Session(trade_date=TRADE_DATE, phases=phases),),
    )
    desk = Desk(trading_host(calendar, instrument_defined(calendar_id="CAL")))
    order = {**AUCTIONS, "limit_price_e9": None, "time_in_force": T.AT_OPEN}
    assert desk.act("buy", "c1", 100, order) == ["OrderAccepted c1 BUY 100"]
    assert "ParentOpened BUY 100" in desk.act("wait", 1)
    # Who comes before the open joins the same parent, which has not swept yet.
    desk.act("buy", "c2", 100, order)
    assert "EpochOpened 2: 200 c1=100 c2=100" in desk.act("wait", 1)
    desk.act("wait", 55)
    assert desk.children == []
    desk.act("wait", 3)
    (child,) = desk.children
    assert child.quantity == 200
    assert desk.act("buy", "c3", 100, order) == ["OrderRejected c3 AFTER_CUTOFF"]
    desk.act("fill", 80)
    ends = [line for line in desk.act("expire") if line.startswith("OrderClosed")]
    assert ends == ["OrderClosed c1 CANCELED 40", "OrderClosed c2 CANCELED 40"]


def test_an_order_for_the_close_starts_five_minutes_before_it() -> None:
    day = instrument_defined(session_close_ns=OPEN_NS + 5 * MINUTE + 10 * SECOND)
    desk = Desk(trading_host(day))
    order = {**AUCTIONS, "limit_price_e9": None, "time_in_force": T.AT_CLOSE}
    assert desk.act("buy", "c1", 100, order) == ["OrderAccepted c1 BUY 100"]
    assert [line for line in desk.act("wait", 8) if line.startswith("Child")] == []
    assert "ChildPlaced BUY 100 epoch 1" in desk.act("wait", 2)


def test_the_limits_count_a_baskets_entries_one_after_another() -> None:
    for mode, expected in (
        (BasketMode.ALL_OR_NONE, ["BASKET_MEMBER_REFUSED", "CREDIT_LIMIT"]),
        (BasketMode.VALID_ONES, ["OrderAccepted", "CREDIT_LIMIT"]),
    ):
        host = trading_host()
        put_in_force(host, limit_set(limit(LimitKind.CREDIT, 15_000)))
        limited = {"order_type": OrderType.LIMIT, "limit_price_e9": 100 * EURO}
        entries = [basket_entry(f"c{n}", quantity=100, **limited) for n in (1, 2)]
        host.put(topics.ORDERS_COMMANDS, new_basket(*entries, mode=mode))
        written = [m for m in host.step() if isinstance(m, OrderAccepted | OrderRejected)]
        assert [
            type(m).__name__ if isinstance(m, OrderAccepted) else str(m.reason) for m in written
        ] == expected
