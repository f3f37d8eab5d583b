"""Laws of an instrument's terms: what is accepted keeps those in force at that instant."""

from typing import Any

from services.audit.definitions import tick_at
from services.audit.findings import Code
from services.audit.records import Entry
from services.audit.state import ShardState

__all__ = ["HANDLERS"]

Message = dict[str, Any]


def accepted(state: ShardState, m: Message, entry: Entry) -> None:
    """Price, quantity, trade date and session, each as defined when the order was accepted."""
    order_id, at_ns = m["order_id"], m["accepted_ns"]
    terms = state.reference.instrument(m["instrument_id"])
    if terms is None:
        text = f"{m['instrument_id']} is accepted and not defined"
        state.findings.add(Code.TERMS, order_id, text, entry)
        return
    price, quantity = m["limit_price_e9"], m["quantity"]
    trade_date, open_ns, close_ns = _session(state, terms, at_ns)
    tick = 1 if price is None else tick_at(terms, price)
    breaches = [
        (price is not None and (price <= 0 or price % tick), f"limit {price}, tick {tick}"),
        (
            quantity % terms["lot"] or not 0 < quantity <= terms["maximum_quantity"],
            f"quantity {quantity}, lot {terms['lot']}, at most {terms['maximum_quantity']}",
        ),
        (m["trade_date"] != trade_date, f"trade date {m['trade_date']}, session {trade_date}"),
        (not open_ns <= at_ns < close_ns, f"at {at_ns}, entry from {open_ns} to {close_ns}"),
    ]
    for is_breach, text in breaches:
        if is_breach:
            state.findings.add(Code.TERMS, order_id, text, entry)


def _session(state: ShardState, terms: Message, at_ns: int) -> tuple[int, int, int]:
    """Return trade date, from when orders may be entered, and the close."""
    if not terms.get("calendar_id", ""):
        return terms["trade_date"], terms["session_open_ns"], terms["session_close_ns"]
    session = state.reference.calendars.session(terms["calendar_id"], at_ns)
    if session is None:
        return 0, 0, 0
    phases = session["phases"]
    close_ns = max(p["end_ns"] for p in phases if p["kind"] == "CONTINUOUS")
    return session["trade_date"], phases[0]["start_ns"], close_ns


def crossed(state: ShardState, m: Message, entry: Entry) -> None:
    """A cross takes place in continuous trading, as far as a calendar says when that is."""
    terms, at_ns = state.reference.instrument(m["instrument_id"]), m["crossed_ns"]
    calendar_id = "" if terms is None else terms.get("calendar_id", "")
    if not calendar_id:
        return
    session = state.reference.calendars.session(calendar_id, at_ns)
    phases = () if session is None else session["phases"]
    kinds = [p["kind"] for p in phases if p["start_ns"] <= at_ns < p["end_ns"]]
    if kinds != ["CONTINUOUS"]:
        text = f"at {at_ns}, in {kinds or 'no phase'} of {calendar_id}"
        state.findings.add(Code.TERMS, m["cross_id"], text, entry)


def placed(state: ShardState, m: Message, entry: Entry) -> None:
    """No child goes to a venue that is disabled."""
    venue = state.reference.venue(m["venue_id"])
    if venue is not None and not venue.get("is_enabled", True):
        text = f"is sent to {m['venue_id']}, which is disabled"
        state.findings.add(Code.TERMS, m["child_id"], text, entry)


HANDLERS = {
    "intake.OrderAccepted": accepted,
    "netting.CrossExecuted": crossed,
    "routing.ChildPlaced": placed,
}
