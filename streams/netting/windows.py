"""Closing a window: cross what meets, then give every residual a parent."""

from collections.abc import Sequence

from schemas.messages.core import Cause, Member, Side, TimeInForce, Urgency
from schemas.messages.netting import (
    CrossExecuted,
    EpochClosed,
    EpochOpened,
    ParentClosed,
    ParentOpened,
    WindowClosed,
)
from streams.netting import crossing, epochs
from streams.netting.closing import close_parent
from streams.netting.commands import CloseWindow, ParentExposure
from streams.netting.crossing import Interest
from streams.netting.state import NettingState, Order, Parent, Window, window_key

__all__ = ["WindowEvent", "close_window"]

WindowEvent = WindowClosed | CrossExecuted | EpochClosed | EpochOpened | ParentOpened | ParentClosed
OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


class _Round:
    """One close in the making. It reads the state and writes only its own fields."""

    def __init__(self, state: NettingState, window: Window, command: CloseWindow) -> None:
        self.state = state
        self.window = window
        self.command = command
        self.exposures = {exposure.parent_id: exposure for exposure in command.parents}
        self.crossed: dict[str, int] = {}  # by order
        self.crosses: list[CrossExecuted] = []
        self.waiting = [state.orders[order_id] for order_id in window.waiting]
        is_urgent_only = command.cause is Cause.WINDOW_ZERO
        self.leaving = [
            order for order in self.waiting if not is_urgent_only or order.urgency is Urgency.URGENT
        ]

    def left(self, order: Order) -> int:
        return order.leaves - self.crossed.get(order.order_id, 0)

    def working_parents(self, side: Side) -> list[Parent]:
        return [
            parent
            for parent_id in self.window.parent_ids
            if (parent := self.state.parents[parent_id]).side is side
            and parent_id in self.exposures
            and parent.is_joinable(self.command.at_ns)
        ]

    def waiting_interests(self, side: Side, orders: Sequence[Order]) -> list[Interest]:
        return [Interest(order, self.left(order)) for order in orders if order.side is side]

    def parent_interests(self, side: Side) -> list[Interest]:
        interests = []
        for parent in self.working_parents(side):
            live = epochs.exposure_of(self.exposures[parent.parent_id], parent.epoch)
            free = epochs.unreleased(self.state, parent, epochs.tail_of(parent, live))
            interests += [
                Interest(self.state.orders[order_id], quantity - self.crossed.get(order_id, 0))
                for order_id, quantity in free.items()
            ]
        return interests

    def is_opposed(self, side: Side) -> bool:
        """Return whether an order that leaves on `side` could meet anybody at all."""
        other = OPPOSITE[side]
        return any(order.side is side and order.leaves for order in self.leaving) and (
            any(order.side is other and order.leaves for order in self.waiting)
            or any(self.parent_interests(other))
        )

    def cross(self) -> str:
        """Execute every cross; return why there was none, empty when nothing was opposed."""
        if not self.is_opposed(Side.BUY) and not self.is_opposed(Side.SELL):
            return ""
        reason = crossing.guard(self.command.quote, self.command.crossing, self.command.at_ns)
        if reason:
            return reason
        # With one urgent order everybody who waits on the other side may meet it.
        has_leaving = {side: any(o.side is side for o in self.leaving) for side in OPPOSITE}
        buys, sells = (
            self.waiting_interests(side, self.waiting if has_leaving[other] else self.leaving)
            for side, other in OPPOSITE.items()
        )
        self.execute(buys, sells)
        self.execute(
            self.waiting_interests(Side.BUY, self.leaving), self.parent_interests(Side.SELL)
        )
        self.execute(
            self.parent_interests(Side.BUY), self.waiting_interests(Side.SELL, self.leaving)
        )
        return "" if self.crosses else "no eligible pair"

    def execute(self, buys: Sequence[Interest], sells: Sequence[Interest]) -> None:
        command = self.command
        assert command.quote is not None, "guard said yes"
        ordinal = self.state.crosses_executed + len(self.crosses) + 1
        cross = crossing.execute(
            f"X{self.state.id_prefix}.{ordinal}",
            command,
            crossing.eligible(buys, command.quote, command.at_ns),
            crossing.eligible(sells, command.quote, command.at_ns),
        )
        if cross is not None:
            self.crosses.append(cross)
            for order_id, share in crossing.shares_of(cross).items():
                self.crossed[order_id] = self.crossed.get(order_id, 0) + share

    def joins(self) -> tuple[dict[str, list[Member]], list[list[Member]]]:
        """Return what joins working parents by parent, and the groups that need a new one."""
        joining: dict[str, list[Member]] = {}
        newest: dict[str, list[Member]] = {}  # by group
        opening: list[list[Member]] = []
        joinable, members_max = self.joinable(), self.state.members_max
        for order in self.leaving:
            quantity = self.left(order)
            if quantity <= 0:
                continue
            member = Member(order_id=order.order_id, quantity=quantity)
            parents = joinable.get(order.group_id)
            if parents:
                joined = joining.setdefault(parents[0].parent_id, [])
                joined.append(member)
                if len(parents[0].weights) + len(joined) >= members_max:
                    del parents[0]
                continue
            group = newest.get(order.group_id)
            if group is None or len(group) >= members_max:
                group = newest[order.group_id] = []
                opening.append(group)
            group.append(member)
        return joining, opening

    def joinable(self) -> dict[str, list[Parent]]:
        """Return the parents that take new members, by group in order of opening."""
        groups: dict[str, list[Parent]] = {}
        for side in OPPOSITE:
            for parent in self.working_parents(side):
                # An IOC parent sweeps once: whoever comes later would miss the sweep.
                is_sweeping = parent.time_in_force is TimeInForce.IOC
                if not is_sweeping and len(parent.weights) < self.state.members_max:
                    groups.setdefault(parent.group_id, []).append(parent)
        return groups


def close_window(state: NettingState, command: CloseWindow) -> tuple[WindowEvent, ...]:
    """Return the window's end and all that follows; () when nobody is to leave."""
    window = state.windows.get(window_key(command.tenant, command.instrument_id))
    if window is None:
        return ()
    work = _Round(state, window, command)
    if not work.leaving:
        return ()
    totals = {
        side: sum(order.leaves for order in work.waiting if order.side is side) for side in OPPOSITE
    }
    reason = work.cross()
    joining, opening = work.joins()
    events: list[WindowEvent] = [
        WindowClosed(
            tenant=command.tenant,
            instrument_id=command.instrument_id,
            window=window.ordinal + 1,
            cause=command.cause,
            order_ids=tuple(order.order_id for order in work.leaving),
            buy_quantity=totals[Side.BUY],
            sell_quantity=totals[Side.SELL],
            crossed_quantity=sum(cross.quantity for cross in work.crosses),
            no_cross_reason=reason,
        ),
        *work.crosses,
    ]
    for parent_id in window.parent_ids:
        parent = state.parents[parent_id]
        joined = joining.get(parent_id, [])
        is_crossed = work.crossed and any(o in work.crossed for o in parent.order_ids)
        if joined or is_crossed:
            events += _reopen(work, parent, work.exposures[parent_id], joined)
    for ordinal, group in enumerate(opening, state.parents_opened + 1):
        events += _open(work, f"P{state.id_prefix}.{ordinal}", group)
    return tuple(events)


def _reopen(
    work: _Round, parent: Parent, exposure: ParentExposure, joined: Sequence[Member]
) -> Sequence[WindowEvent]:
    closed, opened = epochs.turn_epoch(
        work.state,
        parent,
        exposure,
        Cause.MEMBER_JOINED if joined else work.command.cause,
        joining=joined,
        crossed=work.crossed,
    )
    if opened.quantity == 0 and exposure.total == 0:
        return closed, close_parent(parent, 0, Cause.COMPLETED)
    return closed, opened


def _open(work: _Round, parent_id: str, group: Sequence[Member]) -> Sequence[WindowEvent]:
    command, first = work.command, work.state.orders[group[0].order_id]
    quantity = sum(member.quantity for member in group)
    opened = ParentOpened(
        parent_id=parent_id,
        group_id=first.group_id,
        tenant=first.tenant,
        instrument_id=first.instrument_id,
        side=first.side,
        quantity=quantity,
        limit_price_e9=first.limit_price_e9,
        time_in_force=first.time_in_force,
        strategy=first.strategy,
        urgency=first.urgency,
        start_ns=first.start_ns or command.at_ns,
        end_ns=first.end_ns or command.instrument.session_close_ns,
        participation_cap_bps=first.participation_cap_bps,
        is_dark_allowed=first.is_dark_allowed,
        self_trade_id=f"{first.tenant}/{first.instrument_id}",
        arrival_price_e9=command.quote.midpoint_e9 if command.quote is not None else None,
        is_short_sale=first.is_short_sale,
        constraints=first.constraints,
    )
    epoch = EpochOpened(
        parent_id=parent_id,
        epoch=1,
        quantity=quantity,
        parent_quantity=quantity,
        members=tuple(group),
        cause=Cause.OPENED,
    )
    return opened, epoch
