"""Closing a window: cross what meets, then give every residual a parent."""

from collections.abc import Callable, Sequence
from hashlib import sha256

from schemas.messages.core import (
    Cause,
    CrossGuard,
    CrossKind,
    Member,
    Side,
    Urgency,
    Wait,
)
from schemas.messages.netting import (
    CrossExecuted,
    EpochClosed,
    EpochOpened,
    ParentClosed,
    ParentOpened,
    WindowClosed,
    WindowOpened,
)
from streams.netting import crossing, epochs
from streams.netting.closing import close_parent
from streams.netting.commands import CloseWindow, Crossing, OpenWindow, ParentExposure
from streams.netting.crossing import Interest
from streams.netting.state import SWEPT_ONCE, NettingState, Order, Parent, Window, window_key

__all__ = ["WindowEvent", "close_window", "open_window"]

WindowEvent = (
    WindowOpened
    | WindowClosed
    | CrossExecuted
    | EpochClosed
    | EpochOpened
    | ParentOpened
    | ParentClosed
)
Sides = tuple[list[Interest], list[Interest]]
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
        stopped = command.stopped_order_ids
        self.waiting = [
            state.orders[order_id] for order_id in window.waiting if order_id not in stopped
        ]
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

    def parent_interests(self, side: Side, *, is_meeting: bool = False) -> list[Interest]:
        """Return the free part of working parents; `is_meeting`: of those with a taker at least."""
        interests = []
        for parent in self.working_parents(side):
            # Thousands may work that begin in an hour: what they could give is not worked out.
            if is_meeting and not self.has_taker(parent):
                continue
            live = epochs.exposure_of(self.exposures[parent.parent_id], parent.epoch)
            free = epochs.unreleased(self.state, parent, epochs.tail_of(parent, live))
            interests += [
                Interest(self.state.orders[order_id], quantity - self.crossed.get(order_id, 0))
                for order_id, quantity in free.items()
            ]
        return interests

    def has_taker(self, parent: Parent) -> bool:
        command, orders = self.command, self.state.orders
        assert command.quote is not None, "guard said yes"
        members = (orders[order_id] for order_id in parent.wanting)
        return crossing.has_taker(members, command.quote, command)

    def is_opposed(self, side: Side) -> bool:
        """Return whether an order that leaves on `side` could meet anybody at all."""
        other = OPPOSITE[side]
        return any(order.side is side and self.left(order) for order in self.leaving) and (
            any(order.side is other and self.left(order) for order in self.waiting)
            or any(interest.quantity for interest in self.parent_interests(other))
        )

    def cross(self) -> CrossGuard:
        """Execute every cross; return why there was none, NONE when nothing was opposed."""
        if not self.is_opposed(Side.BUY) and not self.is_opposed(Side.SELL):
            return CrossGuard.NONE
        command = self.command
        rules = command.crossing or command.own_netting
        guard = crossing.guard(command, rules)
        if guard is not CrossGuard.NONE:
            return guard
        assert rules is not None, "guard said yes"
        for meeting in self.meetings():
            for sides in crossing.by_owner(*self.eligible(meeting())):
                self.execute(CrossKind.OWN_NETTING, rules, sides)
        if not self.is_opposed(Side.BUY) and not self.is_opposed(Side.SELL):
            return CrossGuard.NONE
        if command.crossing is None:
            return CrossGuard.NOT_DECLARED
        own = len(self.crosses)
        for meeting in self.meetings():
            self.execute(CrossKind.CLIENT_CROSS, rules, self.eligible(meeting()))
        return CrossGuard.NONE if len(self.crosses) > own else CrossGuard.NO_ELIGIBLE_PAIR

    def meetings(self) -> tuple[Callable[[], Sides], ...]:
        """Return who meets whom: those who wait each other, then working parents' free part."""
        # With one urgent order everybody who waits on the other side may meet it.
        has_leaving = {side: any(o.side is side for o in self.leaving) for side in OPPOSITE}
        buying, selling = (
            self.waiting if has_leaving[other] else self.leaving for other in OPPOSITE.values()
        )
        return (
            lambda: (
                self.waiting_interests(Side.BUY, buying),
                self.waiting_interests(Side.SELL, selling),
            ),
            lambda: (
                self.waiting_interests(Side.BUY, self.leaving),
                self.parent_interests(Side.SELL, is_meeting=True),
            ),
            lambda: (
                self.parent_interests(Side.BUY, is_meeting=True),
                self.waiting_interests(Side.SELL, self.leaving),
            ),
        )

    def eligible(self, sides: Sides) -> Sides:
        quote = self.command.quote
        assert quote is not None, "guard said yes"
        buys, sells = (crossing.eligible(side, quote, self.command) for side in sides)
        return buys, sells

    def execute(self, kind: CrossKind, rules: Crossing, sides: Sides) -> None:
        ordinal = self.state.crosses_executed + len(self.crosses) + 1
        cross_id = f"X{self.state.id_prefix}.{ordinal}"
        cross = crossing.execute(cross_id, kind, self.command, rules, sides)
        if cross is not None:
            self.crosses.append(cross)
            for order_id, share in crossing.shares_of(cross).items():
                self.crossed[order_id] = self.crossed.get(order_id, 0) + share

    def quantity(self, kind: CrossKind) -> int:
        return sum(cross.quantity for cross in self.crosses if cross.kind is kind)

    def waits(self) -> tuple[Wait, ...]:
        """Return what waiting cost those who leave; who came with this instant did not wait."""
        command = self.command
        price_e9 = command.quote.midpoint_e9 if command.quote is not None else None
        return tuple(
            Wait(
                order_id=order.order_id,
                waited_ns=command.at_ns - order.joined_ns,
                quantity=order.leaves,
                arrival_price_e9=order.arrival_price_e9,
                price_e9=price_e9,
                cost_e9=_cost_e9(command, order, price_e9),
            )
            for order in self.leaving
            if order.joined_ns < command.at_ns
        )

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
            parents = joinable.get(order.group_id)
            lot = parents[0].lot if parents else self.command.instrument.allocation_lot
            received = order.allocated + self.crossed.get(order.order_id, 0)
            member = epochs.member(order, quantity, received, lot)
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
        is_open = self.command.at_ns >= self.command.instrument.session_open_ns
        for side in OPPOSITE:
            for parent in self.working_parents(side):
                # Such a parent sweeps once: whoever comes later would miss the sweep.
                is_sweeping = parent.time_in_force in SWEPT_ONCE and is_open
                if not is_sweeping and len(parent.weights) < self.state.members_max:
                    groups.setdefault(parent.group_id, []).append(parent)
        return groups


def close_window(state: NettingState, command: CloseWindow) -> tuple[WindowEvent, ...]:
    """Return the window's end and all that follows; () when nobody is to leave."""
    window = state.windows.get(window_key(command.tenant, command.instrument_id))
    if window is None:
        return ()
    work = _Round(state, window, command)
    # When all are stopped, that round is over too: its clock must not ring for ever.
    is_over = window.due_ns is not None and command.cause is not Cause.WINDOW_ZERO
    if not work.leaving and not (window.waiting and is_over):
        return ()
    totals = {
        side: sum(order.leaves for order in work.waiting if order.side is side) for side in OPPOSITE
    }
    guard = work.cross()
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
            crossed_quantity=work.quantity(CrossKind.CLIENT_CROSS),
            no_cross_reason=crossing.REASONS[guard],
            guard=guard,
            netted_quantity=work.quantity(CrossKind.OWN_NETTING),
            waits=work.waits(),
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


def open_window(state: NettingState, command: OpenWindow) -> tuple[WindowOpened, ...]:
    """Return the instant at which the window that has just opened closes; () if it is known.

    It lies between the window's end and random_ns later, and nobody can know it before.
    """
    key = window_key(command.tenant, command.instrument_id)
    window = state.windows.get(key)
    if window is None or window.due_ns is None or window.is_drawn:
        return ()
    ordinal = window.ordinal + 1
    digest = sha256(command.entropy + f"window:{key}/{ordinal}".encode()).digest()
    drawn_ns = int.from_bytes(digest[:16], "big") % (command.random_ns + 1)
    return (
        WindowOpened(
            tenant=command.tenant,
            instrument_id=command.instrument_id,
            window=ordinal,
            opened_ns=command.at_ns,
            window_ns=state.window_ns,
            random_ns=command.random_ns,
            due_ns=command.at_ns + state.window_ns + drawn_ns,
        ),
    )


def _cost_e9(command: CloseWindow, order: Order, price_e9: int | None) -> int:
    if price_e9 is None or order.arrival_price_e9 is None:
        return 0
    moved_e9 = price_e9 - order.arrival_price_e9
    against_e9 = moved_e9 if order.side is Side.BUY else -moved_e9
    return command.instrument.cash_e9(against_e9, order.leaves)


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
        parameters=first.parameters,
    )
    epoch = EpochOpened(
        parent_id=parent_id,
        epoch=1,
        quantity=quantity,
        parent_quantity=quantity,
        members=tuple(group),
        cause=Cause.OPENED,
        lot=command.instrument.allocation_lot,
        is_per_fill=command.is_per_fill,
    )
    return opened, epoch
