"""Builders of what netting and allocation are shown and asked."""

from collections.abc import Sequence
from typing import Any

from schemas.messages.allocation import FillAllocated
from schemas.messages.core import AllocationEntry, Cause, Liquidity, Member, Side, Wait
from schemas.messages.intake import OrderAccepted
from schemas.messages.netting import EpochClosed, EpochOpened
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from streams.netting import NETTING, NettingState
from streams.netting.commands import (
    CloseWindow,
    Crossing,
    EpochExposure,
    LeaveParent,
    ParentExposure,
    Rebase,
    SettleParent,
)
from tests.support.builders import ACME, OPEN_NS, TICK, instrument, order_accepted, quote
from tests.support.given import Given, given

PARENT = "Pabcdef.0.1"


def netting(*history: Any) -> Given:
    """Return netting after `history`, under the id prefix abcdef.0."""
    return given(NETTING, *history, prepare=_prepare)


def _prepare(state: NettingState) -> None:
    state.id_prefix = "abcdef.0"


def after(*history: Any) -> NettingState:
    state: NettingState = netting(*history).state()
    return state


def buy(order_id: str, quantity: int, **changes: Any) -> OrderAccepted:
    return order_accepted(
        order_id, quantity=quantity, **{"group_id": "buys", "account_id": order_id, **changes}
    )


def sell(order_id: str, quantity: int, **changes: Any) -> OrderAccepted:
    return buy(order_id, quantity, **{"side": Side.SELL, "group_id": "sells", **changes})


def members(**quantities: int) -> tuple[Member, ...]:
    return tuple(Member(order_id=name, quantity=quantity) for name, quantity in quantities.items())


def wait(order_id: str, quantity: int, **changes: Any) -> Wait:
    """Return the wait of an order that stood 1,000 ns in a market that did not move."""
    return Wait(
        **{
            "order_id": order_id,
            "waited_ns": 1_000,
            "quantity": quantity,
            "arrival_price_e9": 10_000 * TICK,
            "price_e9": 10_000 * TICK,
            "cost_e9": 0,
            **changes,
        }
    )


def crossing(**changes: Any) -> Crossing:
    return Crossing(
        **{"declaration_id": "D1", "quote_age_max_ns": 2_000, "spread_max_bps": 100, **changes}
    )


def exposed(room: int = 0, parent_id: str = PARENT, **by_epoch: int) -> ParentExposure:
    """Return an exposure; epochs are named e1, e2 and so on."""
    return ParentExposure(
        parent_id=parent_id,
        room=room,
        exposures=tuple(EpochExposure(int(e[1:]), by_epoch[e]) for e in sorted(by_epoch)),
    )


def close_window(*parents: ParentExposure, **changes: Any) -> CloseWindow:
    return CloseWindow(
        **{
            "tenant": "T1",
            "instrument_id": ACME,
            "cause": Cause.WINDOW_TIME,
            "at_ns": OPEN_NS + 1_000,
            "instrument": instrument(),
            "quote": quote(),
            "crossing": crossing(),
            "parents": parents,
            **changes,
        }
    )


def settle(parent: ParentExposure, is_ended: bool = False) -> SettleParent:
    return SettleParent(parent=parent, is_ended=is_ended, at_ns=OPEN_NS)


def rebase(parent: ParentExposure, cause: Cause) -> Rebase:
    return Rebase(parent=parent, cause=cause, at_ns=OPEN_NS)


def leave(order_id: str, parent: ParentExposure) -> LeaveParent:
    return LeaveParent(order_id=order_id, cause=Cause.CLIENT, parent=parent, at_ns=OPEN_NS)


def epoch_opened(epoch: int, of: Sequence[Member], **changes: Any) -> EpochOpened:
    quantity = sum(member.quantity for member in of)
    return EpochOpened(
        **{
            "parent_id": PARENT,
            "epoch": epoch,
            "quantity": quantity,
            "parent_quantity": quantity,
            "members": tuple(of),
            "cause": Cause.OPENED,
            **changes,
        }
    )


def epoch_closed(epoch: int, tail: Sequence[Member] = (), **changes: Any) -> EpochClosed:
    return EpochClosed(
        **{
            "parent_id": PARENT,
            "epoch": epoch,
            "tail_quantity": sum(member.quantity for member in tail),
            "tail": tuple(tail),
            "cause": Cause.MEMBER_JOINED,
            **changes,
        }
    )


def booked(fill_id: str, quantity: int, epoch: int = 1, **changes: Any) -> FillBooked:
    price_e9 = changes.get("price_e9", 10_000 * TICK)
    return FillBooked(
        **{
            "fill_id": fill_id,
            "exec_id": fill_id,
            "child_id": f"{PARENT}.1.1",
            "slice_id": f"{PARENT}.1",
            "parent_id": PARENT,
            "epoch": epoch,
            "venue_id": "V1",
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": quantity,
            "error_quantity": 0,
            "late_quantity": 0,
            "price_e9": price_e9,
            "cash_e9": price_e9 * quantity,
            "fee_e9": 0,
            "liquidity": Liquidity.REMOVED,
            "midpoint_e9": None,
            **changes,
        }
    )


_NAMES = (
    *("fill_id", "exec_id", "child_id", "slice_id", "parent_id", "epoch"),
    *("venue_id", "instrument_id", "side"),
)


def _of(fill: FillBooked) -> dict[str, Any]:
    """Return what says which fill it is, in everything that changes it."""
    return {name: getattr(fill, name) for name in _NAMES}


def busted(fill: FillBooked) -> FillBusted:
    return FillBusted(
        **_of(fill),
        bust_exec_id=f"b{fill.exec_id}",
        quantity=fill.quantity,
        error_quantity=0,
        price_e9=fill.price_e9,
        cash_e9=fill.cash_e9,
        fee_e9=fill.fee_e9,
    )


def corrected(fill: FillBooked, quantity: int, price_e9: int) -> FillCorrected:
    return FillCorrected(
        **_of(fill),
        correction_exec_id=f"c{fill.exec_id}",
        previous_quantity=fill.quantity,
        quantity=quantity,
        error_quantity=0,
        previous_price_e9=fill.price_e9,
        price_e9=price_e9,
        cash_e9=price_e9 * quantity,
        fee_e9=fill.fee_e9,
        transact_ns=OPEN_NS,
    )


def entries(**changes: tuple[int, int]) -> tuple[AllocationEntry, ...]:
    """Return entries from order=(quantity, cumulative quantity)."""
    return tuple(
        AllocationEntry(order_id=name, quantity=quantity, cumulative_quantity=cumulative)
        for name, (quantity, cumulative) in changes.items()
    )


def allocated(
    fill_id: str, epoch: int, is_tail: bool = False, **shares: tuple[int, int]
) -> FillAllocated:
    return FillAllocated(
        fill_id=fill_id,
        parent_id=PARENT,
        epoch=epoch,
        is_tail=is_tail,
        quantity=sum(quantity for quantity, _ in shares.values()),
        price_e9=10_000 * TICK,
        entries=entries(**shares),
    )
