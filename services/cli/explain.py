"""`penstock explain ID`: the causal story of any order, parent, slice, child, fill or cross."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from services.cli.log import DECISION_TOPICS, STORY_TOPICS, LogEntry, read_to_end
from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.tail import as_json

UNKNOWN_ID = 2
# Fields that only repeat the envelope or the terms of the order; the story leaves them out.
QUIET = {"command_digest", "group_id", "tenant", "instrument_id", "self_trade_id"}
VALUE_CHARACTERS_MAX = 60


def explain(
    subject: Annotated[str, typer.Argument(help="Id of an order, parent, slice, child or fill")],
    bootstrap: Bootstrap = "",
    is_json: Json = False,
    with_limits: Annotated[
        Path | None,
        typer.Option(help="TOML file of limits: ask the order or replace ID again under them"),
    ] = None,
) -> None:
    """Tell what happened to ID, in order, and what led to it. Exits 2 for an unknown id."""
    if with_limits is not None:
        from services.cli.explain_limits import explain_with_limits

        explain_with_limits(subject, with_limits, resolve_bootstrap(bootstrap), is_json=is_json)
        return
    entries = [e for e in read_to_end(resolve_bootstrap(bootstrap), STORY_TOPICS) if e.envelope]
    story = story_of(subject, entries)
    if not story:
        typer.echo(f"{subject} is no id in this log", err=True)
        raise typer.Exit(UNKNOWN_ID)
    if is_json:
        typer.echo(json.dumps({"id": subject, "events": [as_json(entry) for entry in story]}))
        return
    Console().print(table(subject, story))


def story_of(subject: str, entries: Iterable[LogEntry]) -> list[LogEntry]:
    """Return the events that name `subject`, and all that led to them, in order of decision."""
    by_id = {entry.envelope.event_id: entry for entry in entries if entry.envelope}
    ours = {
        event_id: entry for event_id, entry in by_id.items() if subject in set(names(entry.message))
    }
    if len(subject) == 32 and _is_hex(subject) and bytes.fromhex(subject) in by_id:
        ours[bytes.fromhex(subject)] = by_id[bytes.fromhex(subject)]
    for entry in list(ours.values()):
        cause: LogEntry | None = entry
        while cause and cause.envelope and (cause := by_id.get(cause.envelope.causation_id)):
            if cause.envelope is None or cause.envelope.event_id in ours:
                break
            ours[cause.envelope.event_id] = cause
    return sorted(ours.values(), key=_decided)


def _decided(entry: LogEntry) -> tuple[int, int, int, int]:
    assert entry.envelope is not None
    envelope = entry.envelope
    # A report or command stands before what was decided on it at the same instant.
    is_decision = int(entry.topic in DECISION_TOPICS)
    return (envelope.at_ns, is_decision, envelope.seq, envelope.index)


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)


def names(message: Any) -> Iterator[str]:
    """Yield every string inside a message: its own ids and those of its members."""
    for field in message.__struct_fields__:
        yield from _strings(getattr(message, field))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, msgspec.Struct):
        yield from names(value)


def table(subject: str, story: list[LogEntry]) -> Table:
    made = Table(title=f"{subject}: {len(story)} events", title_justify="left", box=None)
    for column in ("time (UTC)", "shard.seq.index", "event", "what", "because of"):
        made.add_column(column, overflow="fold")
    labels = {e.envelope.event_id: _label(e) for e in story if e.envelope}
    for entry in story:
        envelope = entry.envelope
        assert envelope is not None
        moment = datetime.fromtimestamp(envelope.at_ns / 1e9, UTC).strftime("%H:%M:%S.%f")[:-3]
        because = labels.get(
            envelope.causation_id, "a timer" if not any(envelope.causation_id) else ""
        )
        what = " ".join(f"{name}={value}" for name, value in _told(entry.message, subject))
        made.add_row(moment, _label(entry), type(entry.message).__name__, what, because)
    return made


def _label(entry: LogEntry) -> str:
    assert entry.envelope is not None
    return f"{entry.envelope.shard}.{entry.envelope.seq}.{entry.envelope.index}"


def _told(message: Any, subject: str) -> Iterator[tuple[str, str]]:
    for field in message.__struct_fields__:
        value = getattr(message, field)
        if field in QUIET or value in (None, "", ()):
            continue
        if isinstance(value, tuple):
            mine = [item for item in value if subject in set(_strings(item))]
            value = [*map(_short, mine)] if mine else f"{len(value)} entries"
        elif isinstance(value, msgspec.Struct):
            value = _short(value)
        yield field, str(value)[:VALUE_CHARACTERS_MAX]


def _short(value: Any) -> str:
    if isinstance(value, msgspec.Struct):
        parts = (f"{f}={getattr(value, f)}" for f in value.__struct_fields__)
        return "(" + " ".join(part for part in parts if not part.endswith("=b''")) + ")"
    return value.hex() if isinstance(value, bytes) else str(value)
