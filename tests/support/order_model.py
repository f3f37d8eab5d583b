"""A reference model of one order: what each message must lead to, written apart from intake.

It knows an order by its status, fills and pending request, not by events. Facts are told in short:
`canceled x1` is OrderCanceled that answers x1.
"""

from dataclasses import dataclass, replace

ORDERED, MORE, LESS = 100, 150, 40
FILL, TAKEN_BACK = 40, 10
OPEN = ("NEW", "DONE_FOR_DAY")
TODAY, NIGHT, TOMORROW = 0, 1, 2
MESSAGES = (
    "new",
    "cancel",
    "replace up",
    "replace down",
    "fill",
    "bust",
    "correct",
    "leave finished",
    "parent end",
    "expiry",
    "resume",
    "cancel unasked",
)


@dataclass(frozen=True)
class Model:
    """One order and what stands round it."""

    time_in_force: str  # DAY, GTC or GTD
    joins: bool  # whether it joins a parent as soon as it may; else it waits for ever
    status: str = ""  # empty before it is accepted
    name: str = "n"  # newest id in force
    quantity: int = ORDERED
    fills: tuple[int, ...] = ()
    told: int = 0  # cumulative quantity that the client was told when it ended
    pending: tuple[str, str, int, bool] | None = None  # cancel, replace, unasked; id; quantity; day
    is_new_day: bool = False  # whether `name` came on the second trade date
    is_member: bool = False
    is_leaving: bool = False
    clock: int = TODAY
    is_expired: bool = False
    is_resumed: bool = False  # it works, or worked, in the second session, which is the last known

    @property
    def filled(self) -> int:
        return sum(self.fills)

    @property
    def is_full(self) -> bool:
        return self.filled >= self.quantity

    @property
    def lives_on(self) -> bool:
        return self.time_in_force == "GTC" or (self.time_in_force == "GTD" and not self.is_expired)

    @property
    def is_later(self) -> bool:
        """Return whether clients count the second trade date: since the first session closed."""
        return self.clock != TODAY

    @property
    def is_found(self) -> bool:
        """Return whether a client finds it: by an id of that day, or as long as it stands."""
        stands = self.time_in_force != "DAY" and self.status in OPEN
        return bool(self.status) and (stands or self.is_new_day is self.is_later)

    @property
    def key(self) -> tuple[object, ...]:
        """Return what the future depends on: names do not matter, only whose they are."""
        pending = None if self.pending is None else (self.pending[0], *self.pending[2:])
        return (
            self.status,
            self.quantity,
            self.fills,
            self.told,
            self.is_new_day,
            pending,
            self.is_member,
            self.is_leaving,
            self.clock,
            self.is_expired,
            self.is_resumed,
        )


Outcome = tuple[Model, list[str]]


def is_possible(model: Model, message: str) -> bool:  # noqa: PLR0911  # one a message
    """Return whether the world can send the message now; a client always can."""
    match message:
        case "new":
            return bool(model.status) or model.clock == TODAY
        case "fill":
            return bool(model.status) and not model.is_full
        case "bust" | "correct":
            return bool(model.fills) and model.fills[-1] > TAKEN_BACK
        case "leave finished":
            return model.is_leaving
        case "parent end":
            return model.is_member
        case "expiry":
            return model.time_in_force == "GTD" and bool(model.status)
        case "resume" | "cancel unasked":
            return bool(model.status)
        case _:
            return True


def after(model: Model, message: str, name: str) -> Outcome:  # noqa: PLR0911  # one a message
    """Return the model after the message, and what must be said. `name`: id of a client's one."""
    match message:
        case "new":
            return _new(model)
        case "cancel":
            return _cancel(model, name)
        case "replace up":
            return _replace(model, name, MORE)
        case "replace down":
            return _replace(model, name, LESS)
        case "fill":
            more = min(FILL, model.quantity - model.filled)
            return _filled(replace(model, fills=(*model.fills, more)))
        case "bust":
            return _restated(replace(model, fills=model.fills[:-1]))
        case "correct":
            least = model.fills[-1] - TAKEN_BACK
            return _restated(replace(model, fills=(*model.fills[:-1], least)))
        case "leave finished":
            return _left(model)
        case "parent end":
            return _parent_end(replace(model, clock=max(model.clock, NIGHT)))
        case "expiry":
            return _expiry(replace(model, clock=TOMORROW, is_expired=True))
        case "resume":
            return _resume(replace(model, clock=TOMORROW))
        case _:
            return _unasked(model)


def _new(model: Model) -> Outcome:
    if model.status:
        return model, ["repeated n"]
    return _joined(replace(model, status="NEW")), ["accepted n"]


def _joined(model: Model) -> Model:
    return replace(model, is_member=model.joins and model.status == "NEW")


def _cancel(model: Model, name: str) -> Outcome:
    refusal = _refusal(model)
    if refusal:
        return model, [f"refused {name} {refusal}"]
    if model.is_member:
        pending = ("cancel", name, 0, model.is_later)
        return replace(model, pending=pending, is_leaving=True), [f"pending cancel {name}"]
    return _ended(model, "CANCELED"), [f"canceled {name}"]


def _refusal(model: Model) -> str:
    if not model.is_found:
        return "UNKNOWN_ORDER"
    if model.status not in OPEN:
        return "TOO_LATE"
    return "ALREADY_PENDING" if model.pending else ""


def _replace(model: Model, name: str, quantity: int) -> Outcome:
    is_closed = model.clock == NIGHT and model.status != "DONE_FOR_DAY"
    refusal = "SESSION_CLOSED" if is_closed else _refusal(model)
    if not refusal and quantity < model.filled:
        refusal = "QUANTITY_BELOW_FILLED"
    if not refusal and quantity == model.quantity:
        refusal = "NOTHING_CHANGED"
    if refusal:
        return model, [f"refused {name} {refusal}"]
    if model.is_member and quantity < model.quantity:
        pending = ("replace", name, quantity, model.is_later)
        return replace(model, pending=pending, is_leaving=True), [f"pending replace {name}"]
    return _replaced(model, name, quantity, model.is_later)


def _replaced(model: Model, name: str, quantity: int, is_new_day: bool) -> Outcome:
    quantity = max(quantity, model.filled)
    model = replace(model, name=name, quantity=quantity, pending=None, is_new_day=is_new_day)
    said = [f"replaced {name} {quantity}"]
    if model.is_full:
        return _ended(model, "FILLED"), [*said, "closed FILLED"]
    return (model if model.is_member else _joined(model)), said


def _ended(model: Model, status: str) -> Model:
    return replace(model, status=status, pending=None, told=model.filled)


def _late(model: Model) -> list[str]:
    """The answer to a request that comes to nothing; nobody asked for an unasked one."""
    asked = model.pending is not None and model.pending[0] != "unasked"
    return [f"refused {model.pending[1]} TOO_LATE"] if model.pending and asked else []


def _filled(model: Model) -> Outcome:
    if model.status in OPEN and model.is_full:
        return _ended(model, "FILLED"), [*_late(model), "closed FILLED"]
    return _restated(model)


def _restated(model: Model) -> Outcome:
    if model.status == "NEW" or model.told == model.filled:
        return model, []
    status = model.status
    if model.is_full:
        status = "FILLED"
    elif status == "FILLED" and model.is_member and not model.is_leaving:
        status = "PARTIALLY_FILLED" if model.filled else "NEW"
    elif status == "FILLED":
        status = "CANCELED"
    works = status in ("NEW", "PARTIALLY_FILLED")
    after_it = replace(model, told=model.filled, status="NEW" if works else status)
    return after_it, [f"restated {status}"]


def _left(model: Model) -> Outcome:
    pending = model.pending
    model = replace(model, is_member=False, is_leaving=False)
    if pending is None:
        return model, []
    if pending[0] == "replace":
        return _replaced(model, *pending[1:])
    return _ended(model, "CANCELED"), [f"canceled {pending[1]}"]


def _parent_end(model: Model) -> Outcome:
    if model.is_leaving:
        return _left(model)
    model = replace(model, is_member=False)
    if model.status != "NEW":
        return model, []
    if model.lives_on:
        return replace(model, status="DONE_FOR_DAY", told=model.filled), ["done for day"]
    return _ended(model, "EXPIRED"), ["closed EXPIRED"]


def _expiry(model: Model) -> Outcome:
    if model.status not in OPEN or model.is_member:
        return model, []  # a parent ends at that instant too, and takes its members along
    return _ended(model, "EXPIRED"), ["closed EXPIRED"]


def _resume(model: Model) -> Outcome:
    if model.status != "DONE_FOR_DAY" or not model.lives_on or model.is_resumed:
        return model, []
    return _joined(replace(model, status="NEW", is_resumed=True)), ["resumed"]


def _unasked(model: Model) -> Outcome:
    if model.status not in OPEN or (model.pending and model.pending[0] != "replace"):
        return model, []
    if not model.is_member:
        return _ended(model, "CANCELED"), [f"canceled {model.name}"]
    said = [*_late(model), f"pending cancel {model.name}"]
    pending = ("unasked", model.name, 0, False)
    return replace(model, pending=pending, is_leaving=True), said
