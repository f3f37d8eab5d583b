"""A client's own book: what it asked for, and what it knows of it by FIX alone."""

from typing import Final

import msgspec

from schemas.messages.core import OrderType
from schemas.messages.intake import CancelOrder, NewBasket, NewOrder, ReplaceOrder
from services.fix import values
from services.fix.fields import Fields

__all__ = ["Book", "Known", "key_of", "orders_of"]

REJECTED, REPLACED, STATUS = "8", "5", "I"  # FIX 150
TRADE, CORRECT, BUST = "F", "G", "H"  # FIX 150 from 4.4 on
OLD_FILLS: Final = ("1", "2")  # FIX 150 of 4.2
OLD_KINDS: Final = {"1": BUST, "2": CORRECT, "3": STATUS}  # FIX 20 of 4.2


class Known(msgspec.Struct):
    """One order. FIX values as texts; quantities in smallest units, prices 1e-9."""

    client_order_id: str  # of the D
    instrument_id: str
    account_id: str
    side: str  # FIX 54
    time_in_force: str  # FIX 59
    quantity: int
    limit_price_e9: int | None
    order: NewOrder  # as it was sent
    order_id: str = ""  # FIX 37
    status: str = ""  # FIX 39; empty until something is heard
    cumulative: int = 0
    leaves: int = 0
    average_e9: int = 0
    executions: dict[str, tuple[int, int]] = {}  # by the newest ExecID of each: quantity, price
    heard: list[str] = []  # every ExecID
    text: str = ""  # of the newest refusal

    def hear(self, fields: Fields, scale: int) -> str:
        """Take an 8 into account; return what does not add up in it, empty for nothing."""
        kind, exec_id = _kind(fields), fields.get(17)
        if exec_id in self.heard and kind != STATUS:
            return ""
        if kind != STATUS:
            self.heard.append(exec_id)
        self.order_id = fields.get(37) or self.order_id
        self.status = fields.get(39)
        self.cumulative = values.quantity(fields.get(14, "0"), scale)
        self.leaves = values.quantity(fields.get(151, "0"), scale)
        self.average_e9 = values.price_e9(fields.get(6, "0"))
        if 38 in fields:
            self.quantity = values.quantity(fields.get(38), scale)
        if 44 in fields:
            self.limit_price_e9 = values.price_e9(fields.get(44))
        if kind == REJECTED:
            self.text = fields.get(58)
        if kind in (TRADE, CORRECT, BUST):
            return self._execute(kind, fields, scale)
        return ""

    def _execute(self, kind: str, fields: Fields, scale: int) -> str:
        exec_id, reference = fields.get(17), fields.get(19)
        if kind in (CORRECT, BUST) and self.executions.pop(reference, None) is None:
            return f"{exec_id} changes {reference}, which was never told"
        if kind != BUST:
            quantity = values.quantity(fields.get(32), scale)
            self.executions[exec_id] = (quantity, values.price_e9(fields.get(31)))
        total = sum(row[0] for row in self.executions.values())
        if total != self.cumulative:
            return f"{exec_id}: executions sum to {total}, CumQty says {self.cumulative}"
        return ""


class Book(msgspec.Struct):
    """All orders of all sessions, by source and ClOrdID."""

    scales: dict[str, int] = {}  # instrument: smallest units to a whole one
    orders: dict[str, Known] = {}  # by key of the D's ClOrdID
    ids: dict[str, str] = {}  # key of every ClOrdID: key of its order
    replaces: dict[str, ReplaceOrder] = {}  # by key, those that are not answered
    lists: dict[str, list[str]] = {}  # key of each list: keys of its orders
    answers: dict[str, int] = {}  # messages heard, by 35 and, of an 8, 150
    repeated: int = 0  # reports whose ExecID was known
    breaks: list[str] = []  # what did not add up, as sentences

    def known(self, source: str, client_order_id: str) -> Known | None:
        return self.orders.get(self.ids.get(key_of(source, client_order_id), ""))

    def open_of(self, source: str) -> list[Known]:
        """Return the orders of a source that work, as far as it knows."""
        prefix = key_of(source, "")
        return [o for key, o in self.orders.items() if key.startswith(prefix) and o.leaves]

    def ask(self, source: str, message: object) -> None:
        """Note what is sent. A repeated D is known already."""
        match message:
            case NewOrder():
                self._new(source, message)
            case NewBasket():
                keys = [self._new(source, order) for order in orders_of(message)]
                self.lists[key_of(source, message.basket_id)] = keys
            case CancelOrder() | ReplaceOrder():
                key = key_of(source, message.client_order_id)
                original = self.ids.get(key_of(source, message.original_client_order_id))
                if original is not None:
                    self.ids.setdefault(key, original)

    def hear(self, source: str, message_type: str, fields: Fields) -> None:
        """Take an answer into account."""
        kind = f"8/{fields.get(150)}" if message_type == "8" else message_type
        self.answers[kind] = self.answers.get(kind, 0) + 1
        if message_type == "8":
            self._hear_report(source, fields)
        elif message_type == "9":
            self._hear_reject(source, fields)
        elif message_type == "j":
            self.refuse(source, fields.get(379), fields.get(58))

    def refuse(self, source: str, client_order_id: str, text: str) -> None:
        """Take into account that a message was refused as such: a D among them is no order."""
        known = self.known(source, client_order_id)
        if known is not None and known.client_order_id == client_order_id and not known.status:
            known.status, known.text = REJECTED, text

    def _new(self, source: str, order: NewOrder) -> str:
        key = key_of(source, order.client_order_id)
        if key not in self.ids:
            self.ids[key] = key
            self.orders[key] = Known(
                client_order_id=order.client_order_id,
                instrument_id=order.instrument_id,
                account_id=order.account_id,
                side=values.side_text(order.side, order.is_short_sale),
                time_in_force=values.time_in_force_text(order.time_in_force),
                quantity=order.quantity,
                limit_price_e9=(
                    None if order.order_type is OrderType.MARKET else order.limit_price_e9
                ),
                order=order,
            )
        return key

    def _hear_report(self, source: str, fields: Fields) -> None:
        known = self.known(source, fields.get(11)) or self.known(source, fields.get(41))
        if known is None:
            self.breaks.append(f"{source}: {fields.get(17)} is of no order of ours")
            return
        if _kind(fields) == REJECTED and fields.get(11) != known.client_order_id:
            return  # of a request, in the words of some; the order lives on
        self.repeated += fields.get(17) in known.heard
        problem = known.hear(fields, self.scales.get(known.instrument_id, 1))
        if problem:
            self.breaks.append(f"{source} {known.client_order_id}: {problem}")

    def _hear_reject(self, source: str, fields: Fields) -> None:
        """Take a 9: the order is no more on its way to what was asked, whatever it was before."""
        known = self.known(source, fields.get(11)) or self.known(source, fields.get(41))
        if known is not None:
            known.text = fields.get(58)
            if fields.get(37) == known.order_id:
                known.status = fields.get(39)


def orders_of(basket: NewBasket) -> list[NewOrder]:
    """Return a basket's orders, each as if it had come by itself."""
    return [
        NewOrder(
            tenant=basket.tenant,
            source=basket.source,
            trade_date=basket.trade_date,
            basket_id=basket.basket_id,
            **{name: getattr(entry, name) for name in entry.__struct_fields__},
        )
        for entry in basket.entries
    ]


def key_of(source: str, client_order_id: str) -> str:
    return f"{source}|{client_order_id}"


def _kind(fields: Fields) -> str:
    """Return FIX 150 as 4.4 has it."""
    text = fields.get(150)
    old = OLD_KINDS.get(fields.get(20))
    if old is not None:
        return old
    return TRADE if 20 in fields and text in OLD_FILLS else text
