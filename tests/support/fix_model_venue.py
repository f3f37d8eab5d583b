"""A venue that speaks FIX 4.4: honest about its book, careless about how often it says things."""

from random import Random

from services.fix.fields import Fields

__all__ = ["ModelVenue", "VenueOrder"]

PRICE = "99.98"
OPEN = ("0", "1")


class VenueOrder:
    """One order as the venue has it."""

    def __init__(self, fields: Fields) -> None:
        self.newest_id = fields.get(11)  # by which it is known now
        self.symbol, self.side = fields.get(55), fields.get(54)
        self.quantity = int(fields.get(38))
        self.executions: dict[str, int] = {}  # net of busts
        self.status = "0"

    @property
    def net(self) -> int:
        return sum(self.executions.values())

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def leaves(self) -> int:
        return max(self.quantity - self.net, 0) if self.is_open else 0


class ModelVenue:
    """`take` is told what came, `outbox` holds what it says: type and body."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.orders: dict[str, VenueOrder] = {}  # by ClOrdID of the D
        self.arrived: list[str] = []  # every ClOrdID that came, in order
        self.outbox: list[tuple[str, Fields]] = []
        self.said: list[tuple[str, Fields]] = []  # executions
        self._by_id: dict[str, str] = {}  # any ClOrdID: that of the D
        self._exec_ids = 0

    def take(self, kind: str, fields: Fields) -> None:
        """Hear a message that came for the first time."""
        if kind in ("D", "F", "G"):
            self.arrived.append(fields.get(11))
        match kind:
            case "D":
                self._place(fields)
            case "F":
                self._cancel(fields)
            case "G":
                self._replace(fields)
            case "H":
                self._status(fields)

    def act(self) -> None:
        """Let something happen by itself: a fill, a bust, an unsolicited cancel."""
        live = [key for key, order in self.orders.items() if order.is_open]
        if not live:
            return
        key = self.dice.choice(live)
        order = self.orders[key]
        draw = self.dice.randrange(10)
        if draw < 7:
            self._fill(key, order)
        elif draw == 7 and order.executions:
            self._bust(key, order)
        elif draw == 8:
            order.status = "4"
            self._say(key, "4", t11=order.newest_id)

    def say_again(self) -> None:
        """Say an execution once more, under its ExecID and a new number."""
        if self.said:
            self.outbox.append(self.dice.choice(self.said))

    def _place(self, fields: Fields) -> None:
        key = fields.get(11)
        self._by_id[key] = key
        order = self.orders[key] = VenueOrder(fields)
        if self.dice.randrange(8) == 0:
            order.status = "8"
            self._say(key, "8", t103="99")
            return
        self._say(key, "0")
        if self.dice.randrange(3) == 0:
            self._fill(key, order)

    def _cancel(self, fields: Fields) -> None:
        key = self._by_id.get(fields.get(41), "")
        order = self.orders.get(key)
        if order is None or not order.is_open or self.dice.randrange(8) == 0:
            self._reject(fields, order, "1")
            return
        order.status = "4"
        self._say(key, "4", t11=fields.get(11), t41=order.newest_id)

    def _replace(self, fields: Fields) -> None:
        key = self._by_id.get(fields.get(41), "")
        order = self.orders.get(key)
        quantity = int(fields.get(38))
        if order is None or not order.is_open or quantity <= order.net or self._is_moody():
            self._reject(fields, order, "2")
            return
        known, order.newest_id, order.quantity = order.newest_id, fields.get(11), quantity
        self._by_id[order.newest_id] = key
        self._say(key, "5", t11=order.newest_id, t41=known)

    def _status(self, fields: Fields) -> None:
        key = self._by_id.get(fields.get(11), "")
        order = self.orders.get(key)
        if order is None:
            answer = Fields().add(37, "NONE").add(11, fields.get(11)).add(17, "0").add(150, "I")
            answer.add(39, "8").add(103, "5").add(55, fields.get(55)).add(54, fields.get(54))
            self.outbox.append(("8", answer.add(151, 0).add(14, 0).add(6, 0)))
            return
        self.outbox += [each for each in self.said if self._by_id[each[1].get(11)] == key]
        self._say(key, "I", t790=fields.get(790))

    def _fill(self, key: str, order: VenueOrder) -> None:
        quantity = self.dice.randint(1, order.leaves)
        exec_id = f"E{self._exec_ids + 1}"
        order.executions[exec_id] = quantity
        order.status = "2" if order.net >= order.quantity else "1"
        self._say(key, "F", t32=str(quantity), t31=PRICE)

    def _bust(self, key: str, order: VenueOrder) -> None:
        exec_id = self.dice.choice(list(order.executions))
        quantity = order.executions.pop(exec_id)
        order.status = "1" if order.executions else "0"
        self._say(key, "H", t32=str(quantity), t31=PRICE, t19=exec_id)

    def _say(self, key: str, exec_type: str, **more: str) -> None:
        order = self.orders[key]
        self._exec_ids += 1
        tags = {
            37: f"V-{key}", 11: order.newest_id, 17: f"E{self._exec_ids}", 150: exec_type,
            39: order.status, 55: order.symbol, 54: order.side, 38: str(order.quantity),
            151: str(order.leaves), 14: str(order.net), 6: "0",
        }  # fmt: skip
        tags |= {int(name[1:]): value for name, value in more.items()}
        message = ("8", Fields(tags.items()))
        if exec_type in ("F", "H"):
            self.said.append(message)
        self.outbox.append(message)

    def _reject(self, fields: Fields, order: VenueOrder | None, response_to: str) -> None:
        status = "8" if order is None else order.status
        answer = Fields().add(37, "NONE").add(11, fields.get(11)).add(41, fields.get(41))
        self.outbox.append(("9", answer.add(39, status).add(434, response_to).add(102, "0")))

    def _is_moody(self) -> bool:
        return self.dice.randrange(6) == 0
