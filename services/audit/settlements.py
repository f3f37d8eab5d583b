"""Law of settling by hand: one says it, another agrees, and that is booked, to the share."""

from typing import Any

from services.audit.findings import Code
from services.audit.records import Entry
from services.audit.state import ShardState

__all__ = ["Settlements"]

Message = dict[str, Any]
NAME = "control.ChildSettled"
# What is asked, repeated and booked, word for word.
WORDS = (
    "child_id",
    "parent_id",
    "venue_id",
    "instrument_id",
    "settlement_id",
    "cumulative_quantity",
    "fills",
    "said_by",
    "evidence",
)
IDS = WORDS[:4]


class Settlements:
    """What people said of the children of one shard."""

    def __init__(self, state: ShardState) -> None:
        self._state = state
        self._proposed: dict[tuple[str, str], Message] = {}
        self._asked: list[Entry] = []
        self._done: dict[str, tuple[Message, Entry]] = {}  # of this batch, by child
        self._booked: dict[str, dict[int, int]] = {}  # of this batch, by child and price
        self._exposed: dict[str, int] = {}  # of this batch: what fills and freeing must account for

    def read(self, entry: Entry) -> None:
        """Note what a person asks."""
        if entry.name == NAME:
            self._asked.append(entry)

    def wrote(self, entry: Entry) -> None:
        """Hold an event of the shard against what was said."""
        m = entry.message
        if entry.name == NAME:
            self._stage(m, entry)
        elif entry.name == "routing.FillBooked" and m["child_id"] in self._done:
            booked = self._booked.setdefault(m["child_id"], {})
            quantity = m["quantity"] + m["error_quantity"]
            booked[m["price_e9"]] = booked.get(m["price_e9"], 0) + quantity
            paid = m["quantity"] - m["late_quantity"] + m["overfill_quantity"]
            self._exposed[m["child_id"]] -= paid

    def _stage(self, m: Message, entry: Entry) -> None:
        child = self._state.children.get(m["child_id"])
        if child is None or any(getattr(child, name) != m[name] for name in IDS):
            self._find(m, "names another parent, venue, instrument or no child at all", entry)
            return
        self._check_cause(m, entry)
        key = (m["child_id"], m["settlement_id"])
        if m["stage"] == "PROPOSED":
            if key in self._proposed or not m["proposed_by"].strip():
                self._find(m, f"is proposed twice, or by nobody: {m['proposed_by']!r}", entry)
            self._proposed.setdefault(key, m)
            return
        self._settled(m, self._proposed.get(key), entry)

    def _settled(self, m: Message, proposed: Message | None, entry: Entry) -> None:
        if proposed is None or any(proposed[name] != m[name] for name in WORDS):
            self._find(m, "is settled by other words than were proposed", entry)
        one, other = m["proposed_by"].strip().casefold(), m["approved_by"].strip().casefold()
        was = "" if proposed is None else proposed["proposed_by"]
        if not one or not other or one == other or m["proposed_by"] != was:
            self._find(m, f"proposed by {was!r}, settled by {one!r} and {other!r}", entry)
        child = self._state.children[m["child_id"]]
        if m["child_id"] in self._done:
            self._find(m, "is settled twice", entry)
        self._done[m["child_id"]] = (m, entry)
        self._exposed[m["child_id"]] = child.exposure

    def _check_cause(self, m: Message, entry: Entry) -> None:
        """Some person of that name said just that, in this batch."""
        stage, actor = ("PROPOSED", m["proposed_by"])
        if m["stage"] != "PROPOSED":
            stage, actor = "APPROVED", m["approved_by"]
        cause = entry.envelope["causation_id"]
        for asked in self._asked:
            said = asked.message
            is_same = (said["stage"], asked.envelope["actor"]) == (stage, actor)
            is_same = is_same and all(said[name] == m[name] for name in WORDS)
            if is_same and asked.envelope["event_id"] == cause:
                return
        self._find(m, f"{m['stage']}, and {actor!r} never said {stage} of it", entry)

    def end_batch(self, outputs: list[Entry], refused: set[tuple[str, int, int]]) -> None:
        """Prove that what was told is booked and nothing is left, and that all were answered."""
        if not self._asked and not self._done:
            return
        for child_id, (m, entry) in self._done.items():
            told: dict[int, int] = {}
            for fill in m["fills"]:
                told[fill["price_e9"]] = told.get(fill["price_e9"], 0) + fill["quantity"]
            booked = self._booked.get(child_id, {})
            if told != booked:
                self._find(m, f"tells {told}, by price; booked are {booked}", entry)
            freed, rest = m["freed_quantity"], self._exposed[child_id]
            if freed != rest:
                self._find(m, f"frees {freed}, and its fills leave {rest} exposed", entry)
            exposure = self._state.children[child_id].exposure
            if exposure:
                self._find(m, f"is settled, and {exposure} are exposed", entry)
        answered = {e.envelope["causation_id"] for e in outputs if e.name == NAME}
        for asked in self._asked:
            raw, m = asked.raw, asked.message
            is_refused = (raw.topic, raw.partition, raw.offset) in refused
            is_own = m["child_id"] in self._state.children
            if is_own and not is_refused and asked.envelope["event_id"] not in answered:
                text = f"{m['stage']} of {m['child_id']} has no effect and no refusal"
                self._state.findings.add(Code.UNANSWERED, str(asked.partition), text, asked)
        self._asked.clear()
        self._done.clear()
        self._booked.clear()
        self._exposed.clear()

    def _find(self, m: Message, text: str, entry: Entry) -> None:
        self._state.findings.add(Code.SETTLEMENT, m["child_id"], text, entry)
