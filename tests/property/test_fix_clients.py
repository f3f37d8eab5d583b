"""What clients know by FIX alone is what the engine knows, at every step of random histories."""

from random import Random
from typing import Any

import pytest

from schemas.messages.core import Side
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildPlaced,
    FillBusted,
    FillCorrected,
)
from services.fix.values import ORDER_STATUS_TEXTS
from streams.core import topics
from tests.support.builders import SECOND, TICK, crossing_declared
from tests.support.fix_clients import SEATS, ClientDesk, ClientView, seat

STEPS = 60
SEEDS = range(20)
STRATEGIES = ("1", "1000", "1002", "1002", "2")


class History:
    """Clients, venues and time, all of them by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        seats = {**SEATS, "OMS50": seat("OMS50", has_pending_new=True, cancel_on_disconnect=True)}
        seats["OMS44"] = seat("OMS44", has_final_price=True)
        self.desk = ClientDesk(crossing_declared(), seats=seats)
        self.views = {name: ClientView() for name in seats}
        self.names = 0
        self.trades: list[tuple[ChildPlaced, str, int]] = []  # child, ExecID, quantity

    def run(self) -> None:
        actions = [
            *(self.order,) * 5, *(self.trade,) * 6, *(self.acknowledge,) * 4, *(self.wait,) * 3,
            self.cancel, self.cancel, self.replace, self.replace, self.replace, self.bust,
            self.correct, self.mass_cancel, self.basket, self.again, self.crash, self.drop,
        ]  # fmt: skip
        for _ in range(STEPS):
            self.chance.choice(actions)()
            self.compare()
        self.acknowledge()
        self.wait()
        self.compare()

    def compare(self) -> None:
        """Every order of the engine stands as its client thinks."""
        for name, view in self.views.items():
            for message in self.desk.news(name):
                view.fold(message)
        for order_id, order in self.desk.application.state.intake.orders.items():
            view = self.views[order.terms.source]
            told = (view.cumulative(order_id), view.status[order_id])
            assert told == (order.cumulative_quantity, ORDER_STATUS_TEXTS[order.order_status])
            leaves = order.quantity - order.cumulative_quantity if order.is_open else 0
            assert view.leaves[order_id] == leaves, order_id

    def name(self) -> str:
        self.names += 1
        return f"c{self.names}"

    def who(self) -> str:
        return self.chance.choice(tuple(self.views))

    def body(self, name: str) -> str:
        choice = self.chance.choice
        limit = f"40=2|44={choice((99, 100, 101))}.{choice(('0', '5'))}" if choice("01") else "40=1"
        urgency = choice(("URGENT", "NEUTRAL", "URGENT"))
        return (
            f"11={name}|1={choice(('A1', 'A2'))}|55=ACME|54={choice('12')}|38={choice((1, 7, 100))}"
            f"|{limit}|847={choice(STRATEGIES)}|957=1|958=Urgency|960={urgency}"
        )

    def order(self) -> None:
        self.desk.say(self.who(), "D", self.body(self.name()))

    def basket(self) -> None:
        entries = "|".join(self.body(self.name()) for _ in range(3))
        self.desk.say(self.who(), "E", f"66=L{self.name()}|394=3|68=3|73=3|{entries}")

    def open_order(self) -> Any:
        orders = self.desk.application.state.intake.orders.values()
        found = [order for order in orders if order.is_open] or [*orders]
        return self.chance.choice(found) if found else None

    def cancel(self) -> None:
        order = self.open_order()
        if order is not None:
            side = "1" if order.terms.side == "BUY" else "2"
            body = f"11={self.name()}|41={order.client_order_id}|55=ACME|54={side}"
            self.desk.say(order.terms.source, "F", body)

    def replace(self) -> None:
        order = self.open_order()
        if order is None:
            return
        quantity = self.chance.choice((order.quantity + 10, max(1, order.quantity - 3), 50))
        price = f"40=2|44={self.chance.choice((98, 100, 102))}"
        kind = "1" if order.terms.side == "BUY" else "2"
        fix_value = {"VWAP": 1, "TWAP": 1000, "POV": 2, "IMMEDIATE": 1002}[order.terms.strategy]
        body = (
            f"11={self.name()}|41={order.client_order_id}|55=ACME|54={kind}|38={quantity}|{price}"
            f"|847={fix_value}"
        )
        self.desk.say(order.terms.source, "G", body)

    def again(self) -> None:
        """A session sends its last message anew, under the same number or another."""
        self.desk.say(self.who(), "D", "11=again|1=A1|55=ACME|54=1|38=5|40=1", resend=True)

    def mass_cancel(self) -> None:
        self.desk.say(self.who(), "q", f"11={self.name()}|530=7{self.chance.choice(('', '|54=1'))}")

    def drop(self) -> None:
        self.desk.logon("OMS50", is_logged_on=False)
        self.desk.logon("OMS50")

    def wait(self) -> None:
        self.desk.pass_ns(self.chance.choice((1, 5, 30, 120)) * SECOND)

    def crash(self) -> None:
        self.desk.crash()

    def live(self) -> list[ChildPlaced]:
        gone = {each.child_id for each in self.desk.messages(topics.CHILDREN_EVENTS, ChildCanceled)}
        placed = self.desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)
        filled = self.desk.filled
        return [
            child
            for child in placed
            if child.child_id not in gone and filled.get(child.child_id, 0) < child.quantity
        ]

    def trade(self) -> None:
        live = self.live()
        if not live:
            self.wait()
            return
        child = self.chance.choice(live)
        rest = child.quantity - self.desk.filled.get(child.child_id, 0)
        quantity = self.chance.randint(1, rest)
        name = self.desk.trade(child, quantity, self.price_e9(child))
        self.trades.append((child, name, quantity))

    def price_e9(self, child: ChildPlaced) -> int:
        """Return a price that is no worse than the child's."""
        better = self.chance.randint(0, 3) * TICK * (-1 if child.side is Side.BUY else 1)
        return (child.price_e9 or 10_000 * TICK) + better

    def acknowledge(self) -> None:
        """Venues answer every cancel that was asked of them."""
        asked = {
            each.child_id
            for each in self.desk.messages(topics.CHILDREN_EVENTS, ChildCancelRequested)
        }
        for child in self.live():
            if child.child_id in asked:
                self.desk.confirm_cancel(child)

    def bust(self) -> None:
        if self.trades:
            at = self.chance.randrange(len(self.trades))
            child, name, _ = self.trades.pop(at)
            self.desk.change(child, name)

    def correct(self) -> None:
        if self.trades:
            at = self.chance.randrange(len(self.trades))
            child, name, quantity = self.trades.pop(at)
            self.desk.change(child, name, self.chance.randint(1, quantity), self.price_e9(child))


@pytest.mark.parametrize("seed", SEEDS)
def test_clients_know_what_the_engine_knows(seed: int) -> None:
    history = History(seed)
    history.run()
    history.desk.crash()
    history.desk.prove_gateway()
    history.desk.prove()


def test_the_histories_have_all_that_can_happen() -> None:
    kinds: set[str] = set()
    changes = crosses = 0
    for seed in SEEDS[:6]:
        history = History(seed)
        history.run()
        desk = history.desk
        for name in history.views:
            kinds |= {each.get(150) for each in desk.sent(name) if each.get(35) == "8"}
            kinds |= {each.get(35) for each in desk.sent(name)}
            crosses += sum(each.get(29) == "2" for each in desk.sent(name))
        changes += len(desk.messages(topics.FILLS_EVENTS, FillBusted))
        changes += len(desk.messages(topics.FILLS_EVENTS, FillCorrected))
    assert {"0", "4", "5", "6", "8", "9", "A", "E", "F", "G", "H", "I", "N", "r"} <= kinds, kinds
    assert changes > 3 and crosses > 3
