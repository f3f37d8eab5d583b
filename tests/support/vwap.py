"""A VWAP parent of 1,000 in four bins of a minute, begun, and the events it leads to."""

from typing import Any

from schemas.messages.core import Cause, RoutingLogic, Side, StrategyKind, Tactic, Urgency
from schemas.messages.strategy import ParentRecalibrated, ScheduleSet, SliceReleased
from tests.support.builders import ACME, MINUTE, OPEN_NS, SECOND
from tests.support.parents import (
    PARENT,
    epoch_opened,
    forecast,
    parent_opened,
)

END_NS = OPEN_NS + 4 * MINUTE
CROSS_NS = 45 * SECOND  # a quarter of a bin before its end
CURVE = forecast(1_000, 2_000, 3_000, 4_000)


def vwap(**changes: Any) -> Any:
    return parent_opened(StrategyKind.VWAP, **{"end_ns": END_NS, **changes})


def plan(
    *targets: int,
    starts: tuple[int, ...] = (),
    anchor: tuple[int, int] = (0, 0),
    ordinal: int = 1,
    model: str = "test",
) -> ScheduleSet:
    return ScheduleSet(
        parent_id=PARENT,
        ordinal=ordinal,
        strategy=StrategyKind.VWAP,
        bin_starts_ns=starts or tuple([OPEN_NS + i * MINUTE for i in range(len(targets))]),
        targets=targets,
        anchor_quantity=anchor[0],
        anchor_market_quantity=anchor[1],
        seed=b"",
        cause=Cause.OPENED if ordinal == 1 else Cause.EPOCH,
        model=model,
    )


def position(cause: Cause, target: int, next_due_ns: int, **changes: Any) -> ParentRecalibrated:
    return ParentRecalibrated(
        **{
            "parent_id": PARENT,
            "cause": cause,
            "filled_quantity": 0,
            "open_quantity": 0,
            "target_quantity": target,
            "market_quantity": 0,
            "cap_quantity": 1_000,
            "next_due_ns": next_due_ns,
            "not_before_ns": 0,
            "bin": 0,
            "tactic": Tactic.JOIN,
            **changes,
        }
    )


def released(
    quantity: int, cause: Cause, deadline_ns: int, ordinal: int = 1, **changes: Any
) -> SliceReleased:
    return SliceReleased(
        **{
            "slice_id": f"{PARENT}.{ordinal}",
            "parent_id": PARENT,
            "epoch": 1,
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": quantity,
            "limit_price_e9": None,
            "logic": RoutingLogic.SEQUENTIAL,
            "is_dark_allowed": True,
            "deadline_ns": deadline_ns,
            "self_trade_id": "T1.ACME",
            "cause": cause,
            "tactic": _TACTICS[changes.get("logic", RoutingLogic.SEQUENTIAL)],
            "urgency": Urgency.NEUTRAL,
            **changes,
        }
    )


_TACTICS = {RoutingLogic.SEQUENTIAL: Tactic.JOIN, RoutingLogic.SWEEP: Tactic.CROSS}
PLAN = plan(100, 300, 600, 1_000)
CROSS_1 = OPEN_NS + CROSS_NS  # when the first bin starts to cross
BEGUN = (
    PLAN,
    position(Cause.OPENED, 100, CROSS_1, not_before_ns=OPEN_NS + 3 * SECOND),
    released(100, Cause.OPENED, CROSS_1),
)
OPENED = (vwap(), epoch_opened())
WORKING = (*OPENED, *BEGUN)
