"""Builders of routing's events and commands; keyword arguments override any field."""

from typing import Any

from schemas.messages.core import (
    Cause,
    ExecType,
    Liquidity,
    OrderStatus,
    OrderType,
    RejectReason,
    RoutingLogic,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
    VenueKind,
)
from schemas.messages.netting import EpochOpened, ParentOpened
from schemas.messages.routing import (
    ChildAcknowledged,
    ChildCanceled,
    ChildCancelRejected,
    ChildCancelRequested,
    ChildPlaced,
    ChildStatusRequested,
    FillBooked,
    SliceReturned,
    SuspenseRecorded,
)
from schemas.messages.strategy import SliceReleased
from schemas.messages.venues import OrderCancelReject
from streams.routing.commands import ApplyCancelReject, ApplyReport, MarketBooks, WakeRouting
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    TRADE_DATE,
    execution_report,
    instrument,
    quote,
    venue,
    venue_book,
)

PRICE_E9 = 10_000 * TICK
DEADLINE_NS = OPEN_NS + 300 * SECOND
IDS: dict[str, Any] = {"slice_id": "P.1", "parent_id": "P", "epoch": 1, "instrument_id": ACME}


def market(*books: Any, **changes: Any) -> MarketBooks:
    """Return two lit venues and a dark one; V2 rebates more."""
    if not books:
        books = (
            venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=()),
            venue_book("V1"),
            venue_book("V2", venue=venue("V2", maker_fee_e9=-3_000_000)),
        )
    return MarketBooks(**{"instrument": instrument(), "quote": quote(), "books": books, **changes})


def opened(quantity: int = 100, **changes: Any) -> tuple[Any, ...]:
    """Return a parent and its first epoch."""
    parent = ParentOpened(
        parent_id="P",
        group_id="",
        tenant="T1",
        instrument_id=ACME,
        side=changes.get("side", Side.BUY),
        quantity=quantity,
        limit_price_e9=None,
        time_in_force=TimeInForce.DAY,
        strategy=StrategyKind.TWAP,
        urgency=Urgency.NEUTRAL,
        start_ns=OPEN_NS,
        end_ns=DEADLINE_NS,
        participation_cap_bps=10_000,
        is_dark_allowed=True,
        self_trade_id="STP",
        arrival_price_e9=PRICE_E9,
    )
    return parent, epoch_opened(1, quantity)


def epoch_opened(epoch: int, quantity: int) -> EpochOpened:
    return EpochOpened(
        parent_id="P",
        epoch=epoch,
        quantity=quantity,
        parent_quantity=quantity,
        members=(),
        cause=Cause.OPENED,
    )


def released(quantity: int = 100, **changes: Any) -> SliceReleased:
    return SliceReleased(
        **{
            **IDS,
            "side": Side.BUY,
            "quantity": quantity,
            "limit_price_e9": None,
            "logic": RoutingLogic.SEQUENTIAL,
            "is_dark_allowed": False,
            "deadline_ns": DEADLINE_NS,
            "self_trade_id": "STP",
            "cause": Cause.BIN,
            **changes,
        }
    )


def placed(child_id: str = "P.1.1", quantity: int = 100, **changes: Any) -> ChildPlaced:
    """Return a child that rests at the bid of V1."""
    return ChildPlaced(
        **{
            **IDS,
            "child_id": child_id,
            "venue_id": "V1",
            "side": Side.BUY,
            "quantity": quantity,
            "order_type": OrderType.LIMIT,
            "price_e9": 9_999 * TICK,
            "time_in_force": TimeInForce.DAY,
            "minimum_quantity": 0,
            "self_trade_id": "STP",
            "arrival_price_e9": PRICE_E9,
            "placed_ns": OPEN_NS,
            "ack_due_ns": OPEN_NS + 5 * SECOND,
            "rest_until_ns": OPEN_NS + 15 * SECOND,
            "trade_date": TRADE_DATE,
            **changes,
        }
    )


def working(quantity: int = 100, **changes: Any) -> tuple[Any, ...]:
    """Return the history of one slice with all of it in one child, not answered yet."""
    return (*opened(quantity), released(quantity, **changes), placed(quantity=quantity))


def acknowledged(**changes: Any) -> ChildAcknowledged:
    return ChildAcknowledged(
        **{
            **IDS,
            "child_id": "P.1.1",
            "venue_id": "V1",
            "venue_order_id": "vo-P.1.1",
            "ack_latency_ns": SECOND,
            **changes,
        }
    )


def cancel_requested(**changes: Any) -> ChildCancelRequested:
    return ChildCancelRequested(
        **{
            **IDS,
            "child_id": "P.1.1",
            "venue_id": "V1",
            "request": 1,
            "cause": Cause.TIMEOUT,
            "retry_ns": OPEN_NS + 20 * SECOND,
            "requested_ns": changes.get("retry_ns", OPEN_NS + 20 * SECOND) - 5 * SECOND,
            **changes,
        }
    )


def cancel_rejected(**changes: Any) -> ChildCancelRejected:
    return ChildCancelRejected(
        **{
            **IDS,
            "child_id": "P.1.1",
            "venue_id": "V1",
            "request": 1,
            "text": "too late",
            "retry_ns": OPEN_NS + 25 * SECOND,
            **changes,
        }
    )


def status_requested(**changes: Any) -> ChildStatusRequested:
    return ChildStatusRequested(
        **{
            **IDS,
            "child_id": "P.1.1",
            "venue_id": "V1",
            "request": 1,
            "cause": Cause.TIMEOUT,
            "retry_ns": OPEN_NS + 25 * SECOND,
            **changes,
        }
    )


def canceled(quantity: int, outstanding: int = 0, **changes: Any) -> ChildCanceled:
    return ChildCanceled(
        **{
            **IDS,
            "child_id": "P.1.1",
            "venue_id": "V1",
            "status": OrderStatus.CANCELED,
            "canceled_quantity": quantity,
            "outstanding_quantity": outstanding,
            "is_unsolicited": False,
            "retry_ns": OPEN_NS + 25 * SECOND if outstanding else 0,
            "canceled_ns": OPEN_NS + SECOND,
            **changes,
        }
    )


def returned(quantity: int, **changes: Any) -> SliceReturned:
    return SliceReturned(
        **{
            "slice_id": "P.1",
            "parent_id": "P",
            "epoch": 1,
            "quantity": quantity,
            "is_closed": True,
            "cause": Cause.VENUE,
            **changes,
        }
    )


def booked(exec_id: str, quantity: int, **changes: Any) -> FillBooked:
    """Return a fill at 100.00 that costs nothing extra."""
    return FillBooked(
        **{
            **IDS,
            "fill_id": f"V1/{exec_id}",
            "exec_id": exec_id,
            "child_id": "P.1.1",
            "venue_id": "V1",
            "side": Side.BUY,
            "quantity": quantity,
            "error_quantity": 0,
            "late_quantity": 0,
            "price_e9": PRICE_E9,
            "cash_e9": PRICE_E9 * quantity,
            "fee_e9": 0,
            "liquidity": Liquidity.REMOVED,
            "midpoint_e9": PRICE_E9,
            "transact_ns": OPEN_NS,
            "booked_ns": OPEN_NS + SECOND,
            **changes,
        }
    )


def suspense(
    exec_id: str, reason: RejectReason, exec_type: ExecType, **changes: Any
) -> SuspenseRecorded:
    """Return a report of P.1.1 that is kept for people, or for what it refers to."""
    fields: dict[str, Any] = {
        "venue_id": "V1",
        "child_id": "P.1.1",
        "exec_id": exec_id,
        "exec_type": exec_type,
        "quantity": 0,
        "price_e9": None,
        "reason": reason,
        "exec_ref_id": "",
        "fee_e9": 0,
        "transact_ns": OPEN_NS,
    }
    return SuspenseRecorded(**{**fields, **changes})


def report(exec_type: ExecType, exec_id: str = "e9", **changes: Any) -> ApplyReport:
    """Return a report of P.1.1 one second after the open; `room` and `epoch` go to the command."""
    room = changes.pop("room", 0)
    at_ns = changes.pop("at_ns", OPEN_NS + SECOND)
    books = changes.pop("market", market())
    epoch = changes.pop("current_epoch", 1)
    fields = {
        "exec_type": exec_type,
        "order_status": OrderStatus.UNKNOWN,
        "last_quantity": 0,
        "last_price_e9": None,
        "cumulative_quantity": 0,
        **changes,
    }
    return ApplyReport(
        report=execution_report(
            "P.1.1" if "child_id" not in fields else fields.pop("child_id"), exec_id, **fields
        ),
        at_ns=at_ns,
        market=books,
        current_epoch=epoch,
        room=room,
    )


def trade(exec_id: str, quantity: int, cumulative: int, leaves: int, **changes: Any) -> ApplyReport:
    return report(
        ExecType.TRADE,
        exec_id,
        **{
            "order_status": OrderStatus.PARTIALLY_FILLED if leaves else OrderStatus.FILLED,
            "last_quantity": quantity,
            "last_price_e9": PRICE_E9,
            "cumulative_quantity": cumulative,
            "leaves_quantity": leaves,
            **changes,
        },
    )


def cancel_reject(request: int = 1, **changes: Any) -> ApplyCancelReject:
    at_ns = changes.pop("at_ns", OPEN_NS + 20 * SECOND)
    return ApplyCancelReject(
        reject=OrderCancelReject(
            **{
                "venue_id": "V1",
                "instrument_id": ACME,
                "child_id": "P.1.1",
                "venue_order_id": "vo-P.1.1",
                "request": request,
                "text": "too late",
                "transact_ns": at_ns,
                **changes,
            }
        ),
        at_ns=at_ns,
    )


def wake(timer_id: str, at_ns: int, **changes: Any) -> WakeRouting:
    return WakeRouting(timer_id=timer_id, at_ns=at_ns, market=changes.get("market", market()))
