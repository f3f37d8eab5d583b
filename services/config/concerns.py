"""The concerns of a configuration, one file each, in the order in which they depend on another.

Another service adds its own with `register`, before anything is read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemas.messages.control import (
    AccountDefined,
    CalendarDefined,
    ClientDefined,
    CrossingDeclared,
    DeskDefined,
    InstrumentDefined,
    PairRestricted,
    SettingsLoaded,
    VenueDefined,
)
from services.config.calendars import CalendarRow
from services.config.engine import SettingsRow
from services.config.markets import CrossingRow, InstrumentRow, PairRow, VenueRow
from services.config.parties import AccountRow, ClientRow, DeskRow
from services.config.rows import Row

__all__ = ["CONCERNS", "Concern", "concern_of", "label_of", "register", "subject_of"]

Tables = Iterator[tuple[str, dict[str, Any]]]


def _tables(name: str, document: dict[str, Any]) -> Tables:
    """Yield the rows of a file of `[[name]]` tables. Raises ValueError on anything else."""
    others = sorted(set(document) - {name})
    if others:
        raise ValueError(f"{others[0]} is not among: [[{name}]]")
    rows = document.get(name, [])
    if not isinstance(rows, list):
        raise ValueError(f"[{name}] is one table: write [[{name}]]")
    for ordinal, row in enumerate(rows, 1):
        yield f"{name} {ordinal}", row


def _contexts(_: str, document: dict[str, Any]) -> Tables:
    for context, content in document.items():
        yield context, {"context": context, "content": content}


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What one file says. `names`: the fields by which a definition's subject is told."""

    file: str  # without suffix
    table: str
    row: type[Row]
    message: type[Any]
    names: tuple[str, ...]
    has_csv: bool = False
    tables: Callable[[str, dict[str, Any]], Tables] = _tables


CONCERNS: Final[dict[str, Concern]] = {}
_BY_MESSAGE: Final[dict[type[Any], Concern]] = {}


def register(concern: Concern) -> None:
    """Add a concern behind those that are known."""
    CONCERNS[concern.file] = concern
    _BY_MESSAGE[concern.message] = concern


def concern_of(message: Any) -> Concern | None:
    """Return the concern that a message belongs to; None when it is no configuration."""
    return _BY_MESSAGE.get(type(message))


def subject_of(message: Any) -> str:
    """Return what a definition defines, such as `ACME` or `XNYS/20261101..20261110`."""
    if isinstance(message, CalendarDefined):
        return f"{message.calendar_id}/{message.first_date}..{message.last_date}"
    names = _BY_MESSAGE[type(message)].names
    return "/".join(str(getattr(message, name)) for name in names)


def label_of(message: Any) -> str:
    """Return kind and subject, such as `InstrumentDefined ACME`."""
    return f"{type(message).__name__} {subject_of(message)}"


for _concern in (
    Concern(
        file="settings",
        table="",
        row=SettingsRow,
        message=SettingsLoaded,
        names=("context",),
        tables=_contexts,
    ),
    Concern(
        file="calendars",
        table="calendar",
        row=CalendarRow,
        message=CalendarDefined,
        names=("calendar_id",),
    ),
    Concern(file="venues", table="venue", row=VenueRow, message=VenueDefined, names=("venue_id",)),
    Concern(
        file="clients", table="client", row=ClientRow, message=ClientDefined, names=("client_id",)
    ),
    Concern(file="desks", table="desk", row=DeskRow, message=DeskDefined, names=("desk_id",)),
    Concern(
        file="accounts",
        table="account",
        row=AccountRow,
        message=AccountDefined,
        names=("account_id",),
        has_csv=True,
    ),
    Concern(
        file="instruments",
        table="instrument",
        row=InstrumentRow,
        message=InstrumentDefined,
        names=("instrument_id",),
        has_csv=True,
    ),
    Concern(
        file="crossing",
        table="crossing",
        row=CrossingRow,
        message=CrossingDeclared,
        names=("tenant",),
    ),
    Concern(
        file="pairs",
        table="pair",
        row=PairRow,
        message=PairRestricted,
        names=("tenant", "level", "one", "other"),
    ),
):
    register(_concern)
