"""A small world round netting and allocation: clients and venues, and the laws."""

from typing import Any

import msgspec

from schemas.messages.core import Cause, Liquidity, OrderType, Side
from schemas.messages.intake import OrderCanceled, OrderReplaced
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.strategy import ParentEnded
from streams.allocation import AllocationState
from streams.netting import (
    NettingState,
    parent_of,
)
from streams.netting.commands import (
    LeaveParent,
)
from tests.support.builders import ACME, NO_ID, order_accepted
from tests.support.netting_shard import PRICE_E9, Child, Client, Desk, ShardModel


class World(ShardModel):
    """Clients, strategy, routing and venues; `check` holds the laws against them."""

    def submit(self, side: Side, quantity: int, **changes: Any) -> str:
        order_id = f"O.{len(self.clients) + 1}"
        group = f"{side}{changes.pop('group', '')}"
        self.clients[order_id] = Client(quantity=quantity, group=group, side=side)
        self.record(
            order_accepted(order_id, side=side, quantity=quantity, group_id=group, **changes)
        )
        self.close_at_once()
        return order_id

    def cancel(self, order_id: str) -> None:
        client = self.clients[order_id]
        canceled = OrderCanceled(
            order_id=order_id,
            tenant="T1",
            source="OMS",
            client_order_id="c",
            cumulative_quantity=client.cumulative,
            canceled_quantity=client.quantity - client.cumulative,
            command_digest=NO_ID,
        )
        if parent_of(self.netting, order_id) is None:
            client.is_closed = True
            self.record(canceled)
        else:
            client.pending = canceled
            self.leave(order_id)

    def amend(self, order_id: str, quantity: int, group: str) -> None:
        client = self.clients[order_id]
        replaced = OrderReplaced(
            order_id=order_id,
            tenant="T1",
            source="OMS",
            client_order_id="c",
            quantity=quantity,
            order_type=OrderType.MARKET,
            limit_price_e9=None,
            group_id=group,
            cumulative_quantity=client.cumulative,
            replaced_ns=self.now_ns,
            command_digest=NO_ID,
        )
        parent_id = parent_of(self.netting, order_id)
        if parent_id is None:
            self.replace(order_id, replaced)
        elif quantity > client.quantity and group == client.group:
            self.replace(order_id, replaced)
            self.rebase(parent_id, Cause.MEMBER_JOINED)
        else:
            client.pending = replaced
            self.leave(order_id)

    def leave(self, order_id: str) -> None:
        parent_id = parent_of(self.netting, order_id)
        assert parent_id is not None
        self.ask_netting(
            LeaveParent(
                order_id=order_id,
                cause=Cause.CLIENT,
                parent=self.exposure(parent_id),
                at_ns=self.now_ns,
            )
        )

    # The part of strategy, routing and venues.

    def release(self, parent_id: str, quantity: int) -> Child:
        desk = self.desks[parent_id]
        assert 0 < quantity <= desk.room and not desk.is_held and not desk.is_ended
        desk.room -= quantity
        child = Child(parent_id, desk.epoch, quantity)
        self.children.append(child)
        return child

    def fill(self, child: Child, quantity: int, price_e9: int = PRICE_E9, late: int = 0) -> str:
        """Fill what is exposed, or with `late` what the venue had said was over."""
        self.ordinal += 1
        fill_id = f"V1/{self.ordinal}"
        desk = self.desks[child.parent_id]
        child.live -= quantity - late
        desk.room -= late
        child.fills[fill_id] = quantity
        self.record(
            FillBooked(
                **_of(child, fill_id),
                quantity=quantity,
                error_quantity=0,
                late_quantity=late,
                price_e9=price_e9,
                cash_e9=price_e9 * quantity,
                fee_e9=self.ordinal % 7 - 2,
                liquidity=Liquidity.ADDED,
                midpoint_e9=None,
            )
        )
        return fill_id

    def hand_back(self, child: Child, quantity: int) -> None:
        """Free exposure: a cancel's acknowledgment, a reject, or a slice that comes back."""
        child.live -= quantity
        if not self.desks[child.parent_id].is_closed:
            self._return(child, quantity)
            self.settle(child.parent_id)

    def _return(self, child: Child, quantity: int) -> None:
        desk = self.desks[child.parent_id]
        if desk.epoch == child.epoch:
            desk.room += quantity

    def bust(self, child: Child, fill_id: str) -> None:
        quantity = child.fills.pop(fill_id)
        self._return(child, quantity)
        self.record(
            FillBusted(
                **_of(child, fill_id),
                bust_exec_id=f"b{fill_id}",
                quantity=quantity,
                error_quantity=0,
                price_e9=PRICE_E9,
                cash_e9=PRICE_E9 * quantity,
                fee_e9=0,
            )
        )

    def correct(self, child: Child, fill_id: str, quantity: int, price_e9: int) -> None:
        before, child.fills[fill_id] = child.fills[fill_id], quantity
        self._return(child, before - quantity)
        self.record(
            FillCorrected(
                **_of(child, fill_id),
                correction_exec_id=f"c{len(self.events)}",
                previous_quantity=before,
                quantity=quantity,
                error_quantity=0,
                previous_price_e9=PRICE_E9,
                price_e9=price_e9,
                cash_e9=price_e9 * quantity,
                fee_e9=1,
                transact_ns=self.now_ns,
            )
        )

    def end(self, parent_id: str) -> None:
        self.record(ParentEnded(parent_id=parent_id, cause=Cause.END_OF_WINDOW))

    def reload(self) -> None:
        """Go on from a snapshot, as after a crash."""
        for name, kind in (("netting", NettingState), ("allocation", AllocationState)):
            data = msgspec.msgpack.encode(getattr(self, name), order="deterministic")
            state = msgspec.msgpack.decode(data, type=kind)
            assert msgspec.msgpack.encode(state, order="deterministic") == data
            setattr(self, name, state)

    def check(self) -> None:
        self._check_orders()
        for parent_id, desk in self.desks.items():
            self._check_parent(parent_id, desk)

    def _check_orders(self) -> None:
        for order_id, client in self.clients.items():
            assert 0 <= client.cumulative <= client.quantity, f"{order_id} is over-filled"
            order = self.netting.orders.get(order_id)
            if order is not None:
                assert order.allocated == client.cumulative

    def _check_parent(self, parent_id: str, desk: Desk) -> None:
        filled = sum(
            sum(child.fills.values()) for child in self.children if child.parent_id == parent_id
        )
        parent = self.netting.parents[parent_id]
        assert parent.filled == filled
        exposure = self.exposure(parent_id)
        if desk.is_closed:
            assert not exposure.total
            self._check_cash(parent_id)
            return
        by_epoch = {e.epoch: e.quantity for e in exposure.exposures}
        # Law 2: the current epoch's weights are what it filled, what is live and what is free.
        given = sum(parent.weights.values()) - sum(parent.allocated.values())
        assert desk.room >= 0
        assert given == desk.room + by_epoch.pop(desk.epoch, 0)
        # Law 3: everything live of an older epoch is reserved, and nobody is promised too much.
        reserves: dict[str, int] = {}
        for tail in parent.tails:
            assert sum(tail.reserved.values()) >= by_epoch.pop(tail.epoch, 0)
            for order_id, quantity in tail.reserved.items():
                reserves[order_id] = reserves.get(order_id, 0) + quantity
        assert not by_epoch, "live exposure without a tail"
        for order_id in parent.order_ids:
            current = parent.weights.get(order_id, 0) - parent.allocated.get(order_id, 0)
            client = self.clients[order_id]
            promised = client.cumulative + reserves.get(order_id, 0) + current
            assert promised <= client.quantity, f"{order_id} is promised more than it asked for"

    def _check_cash(self, parent_id: str) -> None:
        for (owner, epoch), cash in self.cash.items():
            if owner != parent_id:
                continue
            children = [c for c in self.children if (c.parent_id, c.epoch) == (owner, epoch)]
            filled = sum(sum(child.fills.values()) for child in children)
            assert cash.quantity == filled == sum(entry.quantity for entry in cash.entries)
            for entry in cash.entries:
                part = cash.cash_e9 * entry.quantity
                assert abs(entry.cash_e9 * cash.quantity - part) < cash.quantity


def _of(child: Child, fill_id: str) -> dict[str, Any]:
    """Return what says which fill of which child it is."""
    return {
        "fill_id": fill_id,
        "exec_id": fill_id.partition("/")[2],
        "child_id": "c",
        "slice_id": "s",
        "parent_id": child.parent_id,
        "epoch": child.epoch,
        "venue_id": "V1",
        "instrument_id": ACME,
        "side": Side.BUY,
    }
