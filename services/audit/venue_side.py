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
    told: dict[str, dict[int, int]] = field(default_factory=dict)  # by people, by child and price
    unnamed: dict[str, int] = field(default_factory=dict)  # of it no report named, by child
    named: dict[str, int] = field(default_factory=dict)  # execution -> what of it people told
    gone: set[str] = field(default_factory=set)  # of those, the ones that were busted

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
                self._kept(m, entry)
            case "control.ChildSettled":
                if m["stage"] == "SETTLED":
                    self._settled(m)
            case "runtime.DeadLetter":
                self._refused(m)

    def _booked(self, m: Message, entry: Entry) -> None:
        key = f"{m['venue_id']}/{m['exec_id']}"
        if m["fill_id"] != key:
            self.findings.add(Code.VENUE_FILLS, m["fill_id"], f"is of execution {key}", entry)
        if key not in self.trades and self._is_told(m):
            self.answered[key] = "settled"
            return
        said = self.trades.get(key)
        if said is not None and key in self.named:
            said = (said[0] - self.named[key], said[1])
        booked = (m["quantity"] + m["error_quantity"], m["price_e9"])
        if said != booked:
            text = f"books quantity, price {booked}, the venue said {said}"
            self.findings.add(Code.VENUE_FILLS, key, text, entry)
        self._answer(key, "booked", entry)

    def _settled(self, m: Message) -> None:
        told = self.told.setdefault(m["child_id"], {})
        for fill in m["fills"]:
            told[fill["price_e9"]] = told.get(fill["price_e9"], 0) + fill["quantity"]
        self.unnamed[m["child_id"]] = sum(told.values())

    def _is_told(self, m: Message) -> bool:
        """Return whether people told this fill, and take it as booked."""
        told, quantity = self.told.get(m["child_id"], {}), m["quantity"] + m["error_quantity"]
        if told.get(m["price_e9"], 0) < quantity:
            return False
        told[m["price_e9"]] -= quantity
        return True

    def _kept(self, m: Message, entry: Entry) -> None:
        """Note an execution that people had told, or more of it; each share is told once."""
        child_id, key = m["child_id"], f"{m['venue_id']}/{m['exec_id']}"
        is_told = m["reason"] == "NOTHING_CHANGED" or m["exec_ref_id"] != ""
        if m["exec_type"] not in ("TRADE", "TRADE_CORRECT") or child_id not in self.unnamed:
            return
        if m["exec_type"] == "TRADE_CORRECT":
            if m["reason"] != "NOTHING_CHANGED":
                return
            self.fill_of[key] = self.fill_of.get(ref := f"{m['venue_id']}/{m['exec_ref_id']}", ref)
            key = self.fill_of[key]
        elif not is_told:
            return
        self.named[key] = self.named.get(key, 0) + m["quantity"]
        self.unnamed[child_id] -= m["quantity"]
        if self.unnamed[child_id] < 0 and m["reason"] == "NOTHING_CHANGED":
            text = f"{m['quantity']} were told already, {self.unnamed[child_id]} are left of that"
            self.findings.add(Code.VENUE_FILLS, key, text, entry)

    def _changed(self, m: Message, exec_id: str, kind: str, entry: Entry) -> None:
        key, whose = f"{m['venue_id']}/{exec_id}", f"{m['venue_id']}/{m['exec_id']}"
        if whose in self.named:  # it may be parts of several fills
            self.fill_of[key] = whose
            if self.pending.get(key, ("",))[0] == "busted":
                self.gone.add(whose)
            self.answered[key] = kind
            return
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

    def _is_gone(self, changed: str, busted: set[str]) -> bool:
        whose = self.fill_of.get(changed, changed)
        return whose in busted or whose in self.gone

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
            is_moot = kind != "booked" and self._is_gone(changed, busted)
            if key not in self.answered and not is_moot:
                text = f"{m['exec_type']} of {m['last_quantity']} for {m['child_id']} is lost"
                self.findings.add(Code.VENUE_FILLS, key, text, entry)
            self.answered.setdefault(key, "moot")
        self.pending.clear()
