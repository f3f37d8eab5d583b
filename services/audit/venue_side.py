"""What venues said against what was booked: no execution lost, none doubled, none invented."""

from dataclasses import dataclass, field
from typing import Any

from services.audit.findings import Code, Findings
from services.audit.records import Entry

__all__ = ["VenueSide"]

Message = dict[str, Any]
KINDS = {"TRADE": "booked", "TRADE_CANCEL": "busted", "TRADE_CORRECT": "corrected"}


@dataclass(slots=True)
class VenueSide:
    """Reports read and their answers, by venue and ExecID; a repeat is answered once."""

    findings: Findings
    answered: dict[str, str] = field(default_factory=dict)  # key -> what became of it
    trades: dict[str, tuple[int, int | None]] = field(default_factory=dict)  # quantity, price
    fill_of: dict[str, str] = field(default_factory=dict)  # change -> fill that it changed
    pending: dict[str, tuple[str, Entry]] = field(default_factory=dict)  # read in this batch

    def read(self, entry: Entry) -> None:
        """Note a report that the engine consumes now."""
        m = entry.message
        kind = KINDS.get(m.get("exec_type", ""))
        if entry.name != "venues.ExecutionReport" or kind is None:
            return
        key = f"{m['venue_id']}/{m['exec_id']}"
        if kind == "booked":
            self.trades.setdefault(key, (m["last_quantity"], m["last_price_e9"]))
        if key not in self.answered:
            self.pending[key] = (kind, entry)

    def wrote(self, entry: Entry) -> None:
        """Note an event of the engine that answers a report."""
        m = entry.message
        match entry.name:
            case "routing.FillBooked":
                self._booked(m, entry)
            case "routing.FillBusted":
                self._changed(m, m["bust_exec_id"], "busted", entry)
            case "routing.FillCorrected":
                self._changed(m, m["correction_exec_id"], "corrected", entry)
            case "routing.SuspenseRecorded":
                self.answered.setdefault(f"{m['venue_id']}/{m['exec_id']}", "suspense")
            case "runtime.DeadLetter":
                self._refused(m)

    def _booked(self, m: Message, entry: Entry) -> None:
        key = f"{m['venue_id']}/{m['exec_id']}"
        if m["fill_id"] != key:
            self.findings.add(Code.VENUE_FILLS, m["fill_id"], f"is of execution {key}", entry)
        said = self.trades.get(key)
        booked = (m["quantity"] + m["error_quantity"], m["price_e9"])
        if said != booked:
            text = f"books quantity, price {booked}, the venue said {said}"
            self.findings.add(Code.VENUE_FILLS, key, text, entry)
        self._answer(key, "booked", entry)

    def _changed(self, m: Message, exec_id: str, kind: str, entry: Entry) -> None:
        key = f"{m['venue_id']}/{exec_id}"
        self.fill_of[key] = m["fill_id"]
        self._answer(key, kind, entry)

    def _answer(self, key: str, kind: str, entry: Entry) -> None:
        before = self.answered.get(key)
        if before not in (None, "suspense"):
            text = f"is {kind}, was {before} already"
            self.findings.add(Code.VENUE_FILLS, key, text, entry)
        if key not in self.pending and before != "suspense":
            text = f"is {kind}, and no such report was read"
            self.findings.add(Code.VENUE_FILLS, key, text, entry)
        self.answered[key] = kind

    def _refused(self, m: Message) -> None:
        place = (m["topic"], m["partition"], m["offset"])
        for key, (_, entry) in list(self.pending.items()):
            raw = entry.raw
            if (raw.topic, raw.partition, raw.offset) == place:
                self.answered.setdefault(key, "dead letter")

    def end_batch(self, busted: set[str]) -> None:
        """Prove that every execution read in this batch led to something.

        `busted`: fills that are gone; a further change of one says nothing new.
        """
        for key, (kind, entry) in self.pending.items():
            m = entry.message
            changed = f"{m['venue_id']}/{m['exec_ref_id']}"
            is_moot = kind != "booked" and self.fill_of.get(changed, changed) in busted
            if key not in self.answered and not is_moot:
                text = f"{m['exec_type']} of {m['last_quantity']} for {m['child_id']} is lost"
                self.findings.add(Code.VENUE_FILLS, key, text, entry)
            self.answered.setdefault(key, "moot")
        self.pending.clear()
