"""Law of inputs: every command is answered, and what cannot be used is kept with its reason."""

from services.audit.findings import Code, Findings
from services.audit.records import Entry

__all__ = ["check_answers"]

COMMANDS = "orders.commands.v1"
ANSWERS = "intake."  # accepted, rejected, pending, done or repeated: intake says it


def check_answers(findings: Findings, inputs: list[Entry], outputs: list[Entry]) -> None:
    """Prove that a batch answers each command and keeps each unreadable input."""
    asked = [e for e in inputs if _needs_answer(e)]
    if not asked:
        return
    answered = {e.envelope["causation_id"] for e in outputs if e.name.startswith(ANSWERS)}
    kept = {
        (m["topic"], m["partition"], m["offset"])
        for m in (e.message for e in outputs if e.name == "runtime.DeadLetter")
    }
    for entry in asked:
        raw = entry.raw
        is_kept = (raw.topic, raw.partition, raw.offset) in kept
        if not is_kept and not (entry.name and entry.envelope["event_id"] in answered):
            text = f"{entry.name or 'an unreadable record'} has neither answer nor dead letter"
            findings.add(Code.UNANSWERED, str(entry.partition), text, entry)


def _needs_answer(entry: Entry) -> bool:
    if not entry.name:
        return True
    return entry.raw.topic == COMMANDS and entry.name != "market.Watermark"
