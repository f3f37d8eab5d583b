"""Laws of the error account: what it holds is hedged by the other side, never beyond, once."""

from dataclasses import dataclass, field
from typing import Any

from services.audit.findings import Code
from services.audit.records import Entry
from services.audit.state import ShardState

__all__ = ["HedgeLaws"]

Message = dict[str, Any]
SOURCE = "error-account"
CHANGES = ("routing.FillBooked", "routing.FillBusted", "routing.FillCorrected")
ENDS = ("intake.OrderCanceled", "intake.OrderClosed", "intake.OrderRestated")
AT_WORK = ("NEW", "PARTIALLY_FILLED")


@dataclass(slots=True)
class Hedge:
    """One house order: what it was entered for, and what of the position it covers now."""

    message: Message
    signed: int
    covered: int


@dataclass(slots=True)
class HedgeLaws:
    """The error account of one shard, folded from its fills' error parts and its own orders."""

    state: ShardState
    open: dict[str, int] = field(default_factory=dict)  # by instrument; positive is long
    unanswered: dict[str, Hedge] = field(default_factory=dict)  # by hedge_id
    orders: dict[str, Hedge] = field(default_factory=dict)  # by order_id
    known: set[str] = field(default_factory=set)

    def wrote(self, entry: Entry) -> None:
        """Note an event; to be called before the fill that it changes is changed."""
        m = entry.message
        if entry.name in CHANGES:
            self._changed(entry.name, m)
        elif entry.name == "routing.ErrorHedged":
            self._hedged(m, entry)
        elif entry.name in ("intake.OrderAccepted", "intake.OrderRejected"):
            if m["source"] == SOURCE:
                self._answered(m, entry, is_taken=entry.name == "intake.OrderAccepted")
        elif entry.name in ENDS and m["order_id"] in self.orders:
            self._ended(self.orders[m["order_id"]], m)

    def end_batch(self, journal: Entry) -> None:
        """Every hedge is entered and answered in the batch that decided it."""
        for hedge_id in self.unanswered:
            self._find(hedge_id, "was entered by nobody", journal)
        self.unanswered.clear()

    def _changed(self, name: str, m: Message) -> None:
        fill = self.state.fills.get(m["fill_id"])
        if name == "routing.FillBooked":
            if fill is not None:
                return  # booked twice: another law's finding
            change = m["error_quantity"]
        elif fill is None or fill.is_busted:
            return
        else:
            now = 0 if name == "routing.FillBusted" else m["error_quantity"]
            change = now - fill.error_quantity
        self._add(m["instrument_id"], change if m["side"] == "BUY" else -change)

    def _hedged(self, m: Message, entry: Entry) -> None:
        hedge_id, held = m["hedge_id"], self.open.get(m["instrument_id"], 0)
        if hedge_id in self.known:
            self._find(hedge_id, "is entered twice", entry)
        self.known.add(hedge_id)
        signed = m["quantity"] if m["side"] == "BUY" else -m["quantity"]
        if m["quantity"] <= 0 or signed * held >= 0 or abs(signed) > abs(held):
            self._find(hedge_id, f"{m['side']} {m['quantity']} against {held} held", entry)
        routing = self.state.reference.routing
        bearer = (routing.get("error_tenant", ""), routing.get("error_account_id", ""))
        if (m["tenant"], m["account_id"]) != bearer or not all(bearer):
            text = f"for {m['tenant']} {m['account_id']}, the settings name {bearer}"
            self._find(hedge_id, text, entry)
        self._add(m["instrument_id"], signed)
        self.unanswered[hedge_id] = Hedge(m, signed, signed)

    def _answered(self, m: Message, entry: Entry, *, is_taken: bool) -> None:
        hedge = self.unanswered.pop(m["client_order_id"], None)
        if hedge is None:
            self._find(m["client_order_id"], "is a house order that hedges nothing", entry)
            return
        if not is_taken:
            self._add(hedge.message["instrument_id"], -hedge.signed)
            return
        names = ("tenant", "account_id", "instrument_id", "side", "quantity")
        if any(m[name] != hedge.message[name] for name in names):
            text = f"entered as {[m[name] for name in names]}"
            self._find(m["client_order_id"], text, entry)
        self.orders[m["order_id"]] = hedge

    def _ended(self, hedge: Hedge, m: Message) -> None:
        got = m["cumulative_quantity"] if hedge.signed > 0 else -m["cumulative_quantity"]
        if m.get("status") in AT_WORK:  # a bust after the end, and it is worked again
            got = hedge.signed
        self._add(hedge.message["instrument_id"], got - hedge.covered)
        hedge.covered = got

    def _add(self, instrument_id: str, change: int) -> None:
        self.open[instrument_id] = self.open.get(instrument_id, 0) + change

    def _find(self, subject: str, text: str, place: Entry) -> None:
        self.state.findings.add(Code.HEDGE, subject, text, place)
