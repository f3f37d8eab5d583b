"""What a folder would change in a log."""

from typing import Any, NamedTuple

import msgspec

from schemas.messages.control import AccountDefined, CalendarDefined
from services.config.canonical import canonical
from services.config.concerns import label_of
from services.config.files import Configuration, Defined
from services.config.inforce import InForce
from services.config.problems import ConfigError, Place, Problem
from streams.core.errors import DecodeError

__all__ = ["Change", "Comparison", "FieldChange", "check", "compare"]


class FieldChange(NamedTuple):
    """A field before and after; None where there is none."""

    name: str
    old: Any
    new: Any


class Change(NamedTuple):
    """A definition to publish."""

    message: Any
    place: Place
    is_new: bool
    fields: tuple[FieldChange, ...]

    @property
    def label(self) -> str:
        return label_of(self.message)

    @property
    def effective_ns(self) -> int:
        return int(getattr(self.message, "effective_ns", 0))


class Comparison(NamedTuple):
    """What to publish, and what the files do not say, of concerns that have one.

    `absent`: in force and in no file: it stays. `waiting`: in the log for a later instant, at which
    the files want something else or nothing: it comes into force then, unless it is replaced.
    """

    changes: tuple[Change, ...]
    absent: tuple[str, ...]
    waiting: tuple[tuple[str, int], ...]


def compare(
    configuration: Configuration, in_force: InForce, now_ns: int, effective_ns: int = 0
) -> Comparison:
    """Return what differs, each definition compared at its own instant.

    What the files say of `effective_ns` (0: of now) is to hold from then on; rows with a later
    instant wait for it. `in_force` is the caller's own: it is moved to those instants.
    Raises: ConfigError for a definition that an engine would refuse.
    """
    in_force.advance(now_ns)
    wanted = _wanted(configuration, now_ns, effective_ns)
    waiting = _unwanted(wanted, configuration, in_force)
    subjects = {_subject(message) for message in in_force.messages()}
    changes: list[Change] = []
    problems: list[Problem] = []
    for message, place in wanted:
        at_ns = _instant(message, now_ns)
        in_force.advance(at_ns)
        known = in_force.find(message)
        if known is not None and canonical(known) == canonical(message):
            continue
        try:
            in_force.apply(message, at_ns)
        except DecodeError as error:
            told = (error.field, error.value, error.bound)
            problems.append(Problem(str(error.reason), place, *told))
            continue
        if effective_ns > now_ns and not hasattr(message, "effective_ns"):
            bound = "holds at once whenever it is loaded: load it apart"
            problems.append(Problem("NOT_DATED", place, label_of(message), "", bound))
        changes.append(Change(message, place, known is None, _fields(known, message)))
    problems += _unknown_parties(configuration, in_force)
    if problems:
        raise ConfigError(problems)
    named = {_subject(definition.message) for definition in configuration.definitions}
    messages = {concern.message for concern in configuration.concerns}
    absent = [label for label, kind in subjects if kind in messages and (label, kind) not in named]
    return Comparison(tuple(changes), tuple(sorted(absent)), waiting)


def _unknown_parties(configuration: Configuration, in_force: InForce) -> list[Problem]:
    """Return accounts of unknown clients or desks, where the tenant registers those at all."""
    problems, view = [], in_force.view
    for message, place in configuration.definitions:
        if not isinstance(message, AccountDefined):
            continue
        account = view.account(message.account_id)
        if account is not None and not account.is_client_known:
            bound = f"defined clients of tenant {message.tenant}"
            problems.append(Problem("UNKNOWN_CLIENT", place, "client_id", message.client_id, bound))
        for desk_id in message.desk_ids:
            if desk_id not in view.desks and not view.is_desk_known(desk_id, message.tenant):
                bound = f"defined desks of tenant {message.tenant}"
                problems.append(Problem("UNKNOWN_DESK", place, "desk_ids", desk_id, bound))
    return problems


def check(configuration: Configuration) -> None:
    """Raise ConfigError unless the folder adds up by itself, on an empty log."""
    compare(configuration, InForce(), 1)


def _wanted(configuration: Configuration, now_ns: int, effective_ns: int) -> list[Defined]:
    """Return the definitions to compare by instant: of those due at the start, the newest only."""
    start_ns = effective_ns or now_ns
    newest: dict[str, Defined] = {}
    later: list[Defined] = []
    for defined in configuration.definitions:
        stated_ns = getattr(defined.message, "effective_ns", 0)
        label = label_of(defined.message)
        if stated_ns > start_ns:
            later.append(defined)
        elif label not in newest or newest[label].message.effective_ns < stated_ns:
            newest[label] = defined
    return [
        *(Defined(_from(message, effective_ns), place) for message, place in newest.values()),
        *sorted(later, key=lambda defined: int(defined.message.effective_ns)),
    ]


def _unwanted(
    wanted: list[Defined], configuration: Configuration, in_force: InForce
) -> tuple[tuple[str, int], ...]:
    """Return what waits in the log and is not what the files want at its instant."""
    messages = {concern.message for concern in configuration.concerns}
    found = []
    for waiting in in_force.waiting:
        label, at_ns = label_of(waiting), waiting.effective_ns
        own = [d.message for d in wanted if label_of(d.message) == label]
        then = [message for message in own if message.effective_ns <= at_ns]
        if type(waiting) in messages and (not then or canonical(then[-1]) != canonical(waiting)):
            found.append((label, at_ns))
    return tuple(found)


def _from(message: Any, effective_ns: int) -> Any:
    if getattr(message, "effective_ns", effective_ns) == effective_ns:
        return message
    return msgspec.structs.replace(message, effective_ns=effective_ns)


def _instant(message: Any, now_ns: int) -> int:
    """Return when the definition would come into force if it were published now."""
    return max(now_ns, getattr(message, "effective_ns", 0))


def _subject(message: Any) -> tuple[str, type[Any]]:
    """Return what is absent or there; a calendar as a whole."""
    if isinstance(message, CalendarDefined):
        return f"CalendarDefined {message.calendar_id}", CalendarDefined
    return label_of(message), type(message)


def _fields(old: Any | None, new: Any) -> tuple[FieldChange, ...]:
    before, after = ({} if old is None else _flat(old)), _flat(new)
    names = [*after, *(name for name in before if name not in after)]
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def _flat(message: Any) -> dict[str, Any]:
    """Return fields by name; a chunk's sessions by trade date, since people look for those."""
    content = msgspec.to_builtins(message)
    content.pop("effective_ns", None)
    for session in content.pop("sessions", ()):
        name = f"session {session['trade_date']} {session['name']}".rstrip()
        content[name] = session
    return dict(content)
