"""Rules of the session, strategies with their parameters, and refusals, as HTML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.messages.core import RejectReason, Urgency
from services.fix.codes import Version, reason_codes
from services.fix.settings import SessionSettings
from services.fix.spec.html import Html, join, table, tag
from services.fix.wire.configuration import DEFAULTS
from services.parameters.terms import TERMS, Term
from services.parameters.texts import range_text, shown, unit_text
from streams.parameters import DEFINITIONS, Row, Unit, rows

__all__ = ["refusals", "session_rules", "strategies", "told_reasons"]

REASONS: Final = Path(__file__).parents[3] / "docs" / "reject-reasons.md"
# What never reaches a counterparty by FIX.
INSIDE: Final = ("control only", "dead letter only", "suspense only", "clearing only", "only |")
RULES: Final = (
    ("Identity", "CompIDs as agreed, in both directions. A password (554) and a list of addresses "
     "where they were agreed: anything else is refused before the session begins."),
    ("Numbers", "They begin again with each session day and go on over connections. What was lost "
     "is asked for (2); a number that was used and has no 43=Y ends the session."),
    ("Duplicates", "An order that comes again with 43=Y or 97=Y is taken once and answered as it "
     "was. Executions that come again have the ExecID that they had."),
    ("Time", "UTC. A SendingTime (52) that is more than {MaxLatency} seconds off is refused (3)."),
    ("Heartbeats", "As your Logon says in 108; we ask for {HeartBtInt} seconds where we log on."),
    ("Validation", "By the dictionary of the version, with 847 to 849, 957 to 960 and 797 in all. "
     "User-defined fields (5000 and up) are passed over where they mean nothing here."),
    ("Pace", "A message too many in its second is refused by j with 380=8; your other messages "
     "wait and are not lost. A message has a mebibyte at most."),
    ("Age", "A D, E, G or L that we could not decide in time, 30 seconds unless agreed otherwise, "
     "is refused by j with 380=4: nothing was taken of it, and it may come again under its own "
     "id. What ends an order is never too old."),
    ("Never silent", "Every message is answered, by what it asks for or by 8, 9, j, r or 3 with a "
     "code of the table of refusals."),
)  # fmt: skip


def session_rules(session: SessionSettings | None) -> Html:
    """Return the rules; of a session also what its file says."""
    rows_ = [[tag("b", name), text.format_map(DEFAULTS)] for name, text in RULES]
    parts = [tag("h2", "Rules of the session", id="rules"), table([("", "name"), ("", "")], rows_)]
    if session is not None:
        told = {**session.quickfix, "messages a second": session.messages_per_s or "no bound"}
        told["password (554)"] = "yes" if session.password_env else "no"
        told["addresses"] = ", ".join(session.ip_addresses) or "any"
        own = [[tag("b", name), str(value)] for name, value in told.items()]
        parts += [tag("h3", "This session"), table([("", "name"), ("", "")], own)]
    return join(parts)


def strategies() -> Html:
    """Return every strategy with its parameters."""
    head = [("parameter (958)", "name"), ("tag", "n"), ("range", ""), ("preset", ""), ("amend", "")]
    head = [*head, ("meaning", "")]
    parts = [
        tag("h2", "Strategies", id="strategies"),
        tag("p", "A strategy is named by 847. Its parameters travel by their own tag, by name in "
            "848 (Name=Value;Name=Value), or by name in group 957. Shares are ratios (0.1 is a "
            "tenth), durations seconds. What is left out follows from the urgency: passive, "
            "neutral, urgent. The acknowledgment repeats what holds."),
        tag("p", "The same as FIXatdl 1.1: ", tag("code", "penstock fix atdl"), "."),
        tag("h3", "Of every strategy"),
        table(head, (_term(each) for each in TERMS)),
    ]  # fmt: skip
    for kind, definition in DEFINITIONS.items():
        title = kind.value.replace("_", " ").capitalize() if len(kind) > 4 else kind.value
        parts.append(tag("h3", tag("span", f"847={definition.fix_value}", class_="type"), title))
        parts.append(tag("p", definition.meaning))
        parts.append(table(head, (_parameter(row) for row in rows(kind))))
    return join(parts)


def _term(term: Term) -> list[object]:
    default = term.default.replace("10000", "1")  # people count basis points, FIX has a ratio
    tag_, kind = term.fix_tag or "", term.kind.value.removesuffix("_t")
    return [term.fix_name, tag_, kind, default, _yes(term.is_amendable), term.meaning]


def _parameter(row: Row) -> list[object]:
    urgencies = (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT)
    presets = dict.fromkeys(_scaled(row, row.preset.of(each)) for each in urgencies)
    bounds = f"{_scaled(row, row.low)} to {_scaled(row, row.high)}" if row.low is not None else ""
    return [
        row.about.fix_name,
        row.about.fix_tag or "",
        bounds or range_text(row),
        " / ".join(presets),
        _yes(row.about.is_amendable),
        row.about.meaning,
    ]


def _scaled(row: Row, value: object) -> str:
    """Return a value as FIX has it: a ratio, seconds, a decimal; words as they are."""
    if isinstance(value, int) and row.about.unit is Unit.BPS:
        return f"{value // 10_000}.{value % 10_000:04}".rstrip("0").rstrip(".")
    if isinstance(value, int) and row.about.unit is Unit.NS:
        return f"{value // 10**9} s"
    told = shown(row, value)
    return (
        told
        if row.about.unit is not Unit.E9 or not told[:1].isdigit()
        else f"{told} {unit_text(row)}"
    )


def _yes(is_true: bool) -> str:
    return "yes" if is_true else "no"


def told_reasons() -> dict[RejectReason, tuple[str, str]]:
    """Return when each reason is told to a counterparty, and the field; from the docs' table."""
    found: dict[RejectReason, tuple[str, str]] = {}
    lines = REASONS.read_text(encoding="utf-8").splitlines() if REASONS.exists() else []
    for line in lines:
        name, *cells = [cell.strip() for cell in line.strip("| ").split("|")]
        is_reason = name in RejectReason.__members__ and name != "UNKNOWN" and len(cells) > 1
        if is_reason and not any(mark in line for mark in INSIDE):
            found[RejectReason(name)] = (cells[0], cells[1])
    return found


def _by_version(codes: Sequence[int]) -> str:
    """Return one number where all versions have the same, else all of them."""
    return "/".join(map(str, codes if len({*codes}) > 1 else codes[:1]))


def refusals(versions: Sequence[Version]) -> Html:
    """Return the codes of every reason, by version where they differ."""
    head = [("code (begins 58)", "name"), ("refused when", ""), ("103", "n"), ("102", "n")]
    head += [("380", "n"), ("88", "n")]
    lines = []
    for reason, (when, _) in told_reasons().items():
        codes = [reason_codes(reason, version) for version in versions]
        columns = zip(*((c.order, c.cancel, c.business, c.allocation) for c in codes), strict=True)
        numbers = [_by_version(column) for column in columns]
        lines.append([tag("code", reason.value), when, *numbers])
    text = (
        "58 begins with the code, then the bound, the value and the field. The same code stands in "
        "our log, our screens and our records. Three numbers are those of 4.2, 4.4 and "
        "5.0 SP2, where they differ; 99 and 0 are the version's word for another reason."
    )
    return join([tag("h2", "Refusals", id="refusals"), tag("p", text), table(head, lines)])
