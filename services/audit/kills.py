"""Law of the kill: nothing in scope is sent from KillEngaged to its release by two persons."""

from dataclasses import dataclass, field
from typing import Any

from services.audit.findings import Code
from services.audit.records import Entry
from services.audit.state import ShardState

__all__ = ["Kills"]

Message = dict[str, Any]
# What a scope names of an order; FIRM names nothing, VENUE nothing of an order.
FIELDS = {
    "CLIENT": "client_id",
    "ACCOUNT": "account_id",
    "DESK": "desk_id",
    "SOURCE": "source",
    "STRATEGY": "strategy",
    "INSTRUMENT": "instrument_id",
}
OF_PARENT = ("FIRM", "STRATEGY", "INSTRUMENT")
COMMANDS = ("kill.EngageKill", "kill.ProposeRelease", "kill.ApproveRelease")


@dataclass(slots=True)
class Kill:
    """A kill in force."""

    scope: str
    scope_id: str
    children: list[str]
    flags: set[str] = field(default_factory=set)
    proposed_by: str = ""

    def covers(self, named: Message) -> bool:
        """Return whether it stops what has these fields."""
        if self.scope == "FIRM":
            return True
        name = FIELDS.get(self.scope)
        return name is not None and named.get(name) == self.scope_id


class Kills:
    """The kills of one shard, and what of its orders and parents they may name."""

    def __init__(self, state: ShardState) -> None:
        self._state = state
        self._kills: dict[str, Kill] = {}
        self._released: set[str] = set()
        self._orders: dict[str, Message] = {}
        self._parents: dict[str, Message] = {}
        self._off: set[str] = set()  # children that their venue has called off its book

    def wrote(self, entry: Entry) -> None:
        """Hold one event of the shard against the kills in force."""
        handler = _HANDLERS.get(entry.name)
        if handler is not None:
            handler(self, entry.message, entry)

    def end_batch(self, journal: Entry, inputs: list[Entry], outputs: list[Entry]) -> None:
        """Prove that each command was answered, and that each flag stands in the journal."""
        refused = {e.envelope["causation_id"] for e in outputs if e.name == "kill.KillRefused"}
        for entry in inputs:
            if entry.name not in COMMANDS or entry.envelope["event_id"] in refused:
                continue
            if not self._is_done(entry):
                text = f"{entry.name} of {entry.message['kill_id']} has no effect and no refusal"
                self._state.findings.add(Code.UNANSWERED, str(entry.partition), text, entry)
        if not journal.message.get("signals"):
            for entry in outputs:
                if entry.name == "kill.KillEngaged" and entry.message["flag"]:
                    text = f"engaged by flag {entry.message['flag']}, the journal names none"
                    self._find(entry.message["kill_id"], text, entry)

    def _is_done(self, entry: Entry) -> bool:
        kill_id = entry.message["kill_id"]
        if kill_id in self._released:
            return True
        kill = self._kills.get(kill_id)
        if entry.name == "kill.ProposeRelease":
            return kill is not None and bool(kill.proposed_by)
        return entry.name == "kill.EngageKill" and kill is not None

    def _find(self, subject: str, text: str, entry: Entry) -> None:
        self._state.findings.add(Code.KILL, subject, text, entry)

    def _accepted(self, m: Message, entry: Entry) -> None:
        named = {name: m.get(name, "") for name in FIELDS.values()}
        self._orders[m["order_id"]] = named
        for kill_id, kill in self._kills.items():
            if kill.covers(named):
                self._find(m["order_id"], f"is accepted while kill {kill_id} covers it", entry)

    def _parent(self, m: Message, entry: Entry) -> None:
        self._parents[m["parent_id"]] = {name: m[name] for name in ("strategy", "instrument_id")}

    def _crossed(self, m: Message, entry: Entry) -> None:
        for share in (*m["buys"], *m["sells"]):
            for kill_id, kill in self._kills.items():
                if kill.covers(self._orders.get(share["order_id"], {})):
                    text = f"crosses {share['order_id']} while kill {kill_id} covers it"
                    self._find(m["cross_id"], text, entry)

    def _placed(self, m: Message, entry: Entry) -> None:
        for kill_id, kill in self._kills.items():
            if self._is_sent_under(kill, m):
                text = f"is sent while kill {kill_id} of {kill.scope} {kill.scope_id} covers it"
                self._find(m["child_id"], text, entry)

    def _is_sent_under(self, kill: Kill, m: Message) -> bool:
        if kill.scope == "VENUE":
            return bool(m["venue_id"] == kill.scope_id)
        if kill.scope in OF_PARENT:
            return kill.covers(self._parents.get(m["parent_id"], {}))
        parent = self._state.parents.get(m["parent_id"])
        epoch = None if parent is None else parent.epochs.get(m["epoch"])
        for order_id in () if epoch is None else epoch.main.weights:
            order = self._state.orders.get(order_id)
            is_wanting = order is not None and order.filled < order.bound
            if is_wanting and kill.covers(self._orders.get(order_id, {})):
                return True
        return False

    def _canceled(self, m: Message, entry: Entry) -> None:
        self._off.add(m["child_id"])

    def _engaged(self, m: Message, entry: Entry) -> None:
        kill_id = m["kill_id"]
        if kill_id in self._kills or kill_id in self._released:
            self._find(kill_id, "is engaged twice", entry)
        told = {child["child_id"]: child["quantity"] for child in m["children"]}
        kill = Kill(m["scope"], m["scope_id"], [*told], {m["flag"]} - {""})
        self._kills[kill_id] = kill
        for child_id, quantity in told.items():
            child = self._state.children.get(child_id)
            if child is None or child.exposure != quantity:
                self._find(kill_id, f"counts {quantity} of {child_id}", entry)
        if kill.scope in (*OF_PARENT, "VENUE"):
            self._check_complete(kill_id, kill, entry)

    def _check_complete(self, kill_id: str, kill: Kill, entry: Entry) -> None:
        """Whoever counts the unconfirmed must have seen every child that may fill."""
        known = frozenset(kill.children)
        for child in self._state.children.values():
            place = {"parent_id": child.parent_id, "venue_id": child.venue_id}
            is_live = child.exposure > 0 and child.child_id not in self._off
            if is_live and child.child_id not in known and self._is_sent_under(kill, place):
                self._find(kill_id, f"does not count {child.child_id}, which may fill", entry)

    def _confirmed(self, m: Message, entry: Entry) -> None:
        kill = self._kills.get(m["kill_id"])
        for child_id in () if kill is None else kill.children:
            child = self._state.children.get(child_id)
            if child is not None and child.exposure:
                text = f"is confirmed, {child_id} may fill {child.exposure}"
                self._find(m["kill_id"], text, entry)

    def _raised(self, m: Message, entry: Entry) -> None:
        if m["kill_id"] in self._kills:
            self._kills[m["kill_id"]].flags.add(m["flag"])

    def _removed(self, m: Message, entry: Entry) -> None:
        if m["kill_id"] in self._kills:
            self._kills[m["kill_id"]].flags.discard(m["flag"])

    def _proposed(self, m: Message, entry: Entry) -> None:
        if m["kill_id"] in self._kills:
            self._kills[m["kill_id"]].proposed_by = m["proposed_by"]

    def _release(self, m: Message, entry: Entry) -> None:
        kill_id = m["kill_id"]
        kill = self._kills.pop(kill_id, None)
        self._released.add(kill_id)
        if kill is None:
            self._find(kill_id, "is released and was not in force", entry)
            return
        one, other = m["proposed_by"].strip().casefold(), m["approved_by"].strip().casefold()
        if not one or not other or one == other or m["proposed_by"] != kill.proposed_by:
            text = f"proposed by {kill.proposed_by!r}, released by {other!r} and {one!r}"
            self._find(kill_id, text, entry)
        if kill.flags:
            self._find(kill_id, f"is released while {sorted(kill.flags)} stand", entry)


_HANDLERS = {
    "intake.OrderAccepted": Kills._accepted,
    "netting.ParentOpened": Kills._parent,
    "netting.CrossExecuted": Kills._crossed,
    "routing.ChildPlaced": Kills._placed,
    "routing.ChildCanceled": Kills._canceled,
    "routing.ChildRejected": Kills._canceled,
    "kill.KillEngaged": Kills._engaged,
    "kill.KillConfirmed": Kills._confirmed,
    "kill.KillFlagRaised": Kills._raised,
    "kill.KillFlagRemoved": Kills._removed,
    "kill.KillReleaseProposed": Kills._proposed,
    "kill.KillReleased": Kills._release,
}
