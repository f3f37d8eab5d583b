"""The world round intake's decider in the model check: messages in, consequences as the shard."""

from typing import Any

import msgspec

from schemas.messages import intake as said
from schemas.messages.allocation import AllocationRestated, FillAllocated
from schemas.messages.core import AllocationEntry, Cause, CommandKind, Member, TimeInForce
from schemas.messages.core import OrderStatus as S
from schemas.messages.netting import EpochOpened, MemberLeft, ParentClosed
from streams.intake import INTAKE, LIFECYCLE, IntakeState
from streams.intake.commands import (
    CancelUnasked,
    CloseOrder,
    ExpireOrder,
    FinishCancel,
    FinishReplace,
    RestateOrder,
    ResumeOrder,
)
from streams.intake.state import Order
from tests.support.builders import CLOSE_NS, MINUTE, OPEN_NS, TRADE_DATE, instrument
from tests.support.intake_commands import NOW_NS, cancel, named, replace, submit
from tests.support.order_model import FILL, LESS, MORE, TAKEN_BACK, TODAY, TOMORROW, Model

DAY_NS = 24 * 60 * MINUTE
EXPIRE_NS = OPEN_NS + DAY_NS + 10 * MINUTE
INSTANTS = (NOW_NS, CLOSE_NS + MINUTE, OPEN_NS + DAY_NS + MINUTE)
SESSION = instrument(lot=5, next_open_ns=OPEN_NS + DAY_NS)
NEXT_SESSION = instrument(
    lot=5,
    session_open_ns=OPEN_NS + DAY_NS,
    session_close_ns=CLOSE_NS + DAY_NS,
    trade_date=TRADE_DATE + 1,
)
ORDER_ID = "Oabcdef.0.1"


class World:
    """Intake's state behind `model`, with what was said since it was made."""

    def __init__(self, state: bytes = b"", parents: int = 0) -> None:
        if state:
            self.state = msgspec.msgpack.decode(state, type=IntakeState)
        else:
            self.state = IntakeState()
            named(self.state)
        self.parents = parents
        self.said: list[str] = []

    def copy(self) -> "World":
        return World(msgspec.msgpack.encode(self.state), self.parents)

    @property
    def order(self) -> Order | None:
        return self.state.orders.get(ORDER_ID)

    def receive(self, model: Model, message: str, name: str) -> None:
        """Carry out the message as the shard would; `model` is the one after it."""
        instrument = NEXT_SESSION if model.clock == TOMORROW else SESSION
        at_ns = EXPIRE_NS if model.is_expired else INSTANTS[model.clock]
        around = {"at_ns": at_ns, "instrument": instrument}
        original = model.name if self.order is None else self.order.client_order_id
        dated = {"trade_date": TRADE_DATE + (model.clock != TODAY)}
        match message:
            case "new":
                self.ask(self.new(model))
                self.join(model)
            case "cancel":
                self.ask(cancel(name, original=original, around={"at_ns": at_ns}, **dated))
            case "replace up" | "replace down":
                quantity = MORE if message == "replace up" else LESS
                changes = {"quantity": quantity, **dated}
                self.ask(replace(name, original=original, around=around, **changes))
                self.join(model)
            case "fill" | "bust" | "correct":
                self.trade(message)
            case "leave finished":
                self.leave(at_ns)
                self.join(model)
            case "parent end":
                self.end_parent(at_ns, instrument)
                self.join(model)
            case "expiry":
                self.ask(ExpireOrder(order_id=ORDER_ID, at_ns=at_ns))
            case "resume":
                self.ask(ResumeOrder(order_id=ORDER_ID, instrument=instrument, at_ns=at_ns))
                self.join(model)
            case _:
                self.ask(CancelUnasked(order_id=ORDER_ID, cause=Cause.KILL, at_ns=at_ns))

    def new(self, model: Model) -> Any:
        expire_ns = EXPIRE_NS if model.time_in_force == "GTD" else 0
        return submit(
            "n",
            time_in_force=TimeInForce(model.time_in_force),
            expire_ns=expire_ns,
            around={"instrument": SESSION},
        )

    def ask(self, command: Any) -> None:
        """Decide, fold, and ask again: a repeat is told the same and changes nothing."""
        for event in INTAKE.decide(self.state, command):
            self.fold(event)
            if line := brief(event):
                self.said.append(line)
        before = msgspec.msgpack.encode(self.state)
        again = INTAKE.decide(self.state, command)
        is_client = hasattr(command, "message")
        assert [type(e) for e in again] == ([said.CommandRepeated] if is_client else []), again
        assert msgspec.msgpack.encode(self.state) == before

    def fold(self, event: Any) -> None:
        move, order = LIFECYCLE.get(type(event)), self.order
        if move is not None and order is not None:
            assert order.order_status in move.sources, (type(event), order.order_status)
        INTAKE.evolve(self.state, event)
        if move is not None and self.order is not None:
            assert self.order.order_status in move.targets, (type(event), self.order.order_status)

    def join(self, model: Model) -> None:
        """Let the window close if the order is to work now."""
        order = self.order
        if order is None or order.parent_id or not (model.joins and order.status is S.NEW):
            return
        self.parents += 1
        member = Member(order_id=ORDER_ID, quantity=order.quantity - order.cumulative_quantity)
        opened = EpochOpened(
            parent_id=f"P{self.parents}",
            epoch=1,
            quantity=member.quantity,
            parent_quantity=member.quantity,
            members=(member,),
            cause=Cause.OPENED,
        )
        self.fold(opened)

    def trade(self, message: str) -> None:
        order = self.order
        assert order is not None
        cause = {"fill": Cause.FILL, "bust": Cause.BUST}.get(message, Cause.CORRECTION)
        if message == "fill":
            self.fold(_fill(min(FILL, order.quantity - order.cumulative_quantity)))
            if order.is_full and order.is_open:
                self.ask(CloseOrder(order_id=ORDER_ID, cause=cause, at_ns=NOW_NS))
                return
        else:
            quantity = TAKEN_BACK if message == "correct" else self.last_fill
            self.fold(_taken_back(quantity, cause))
        if order.status is not S.NEW:
            self.ask(RestateOrder(order_id=ORDER_ID, cause=cause))

    last_fill = 0  # set by the walk: intake knows sums only

    def leave(self, at_ns: int) -> None:
        order = self.order
        assert order is not None
        pending = order.pending
        left = MemberLeft(
            parent_id=order.parent_id,
            order_id=ORDER_ID,
            cumulative_quantity=order.cumulative_quantity,
        )
        self.fold(left)
        if pending is None:
            return
        finish = FinishCancel if pending.command is CommandKind.CANCEL else FinishReplace
        self.ask(finish(order_id=ORDER_ID, at_ns=at_ns))

    def end_parent(self, at_ns: int, instrument: Any) -> None:
        order = self.order
        assert order is not None
        parent_id, is_leaving = order.parent_id, order.is_leaving
        if is_leaving:
            self.leave(at_ns)
        self.fold(
            ParentClosed(parent_id=parent_id, status=S.EXPIRED, quantity=0, filled_quantity=0)
        )
        if not is_leaving:
            self.ask(
                CloseOrder(
                    order_id=ORDER_ID,
                    cause=Cause.END_OF_WINDOW,
                    at_ns=at_ns,
                    instrument=instrument,
                )
            )


def _fill(quantity: int) -> FillAllocated:
    return FillAllocated(
        fill_id="V1/1",
        parent_id="P1",
        epoch=1,
        is_tail=False,
        quantity=quantity,
        price_e9=1,
        entries=(AllocationEntry(order_id=ORDER_ID, quantity=quantity, cumulative_quantity=0),),
    )


def _taken_back(quantity: int, cause: Cause) -> AllocationRestated:
    return AllocationRestated(
        parent_id="P1",
        epoch=1,
        is_tail=False,
        fill_id="V1/1",
        cause=cause,
        is_minimal=False,
        entries=(AllocationEntry(order_id=ORDER_ID, quantity=-quantity, cumulative_quantity=0),),
    )


def brief(event: Any) -> str:  # noqa: PLR0911  # one an event
    """Return what the event says, in the words of the model."""
    match event:
        case said.OrderAccepted():
            return f"accepted {event.client_order_id}"
        case said.CommandRepeated():
            return f"repeated {event.client_order_id}"
        case said.OrderCancelRejected():
            return f"refused {event.client_order_id} {event.reason}"
        case said.OrderPendingCancel():
            return f"pending cancel {event.client_order_id}"
        case said.OrderPendingReplace():
            return f"pending replace {event.client_order_id}"
        case said.OrderCanceled():
            return f"canceled {event.client_order_id}"
        case said.OrderReplaced():
            return f"replaced {event.client_order_id} {event.quantity}"
        case said.OrderClosed():
            return f"closed {event.status}"
        case said.OrderDoneForDay():
            return "done for day"
        case said.OrderResumed():
            return "resumed"
        case said.OrderRestated():
            return f"restated {event.status}"
        case _:
            raise AssertionError(event)
