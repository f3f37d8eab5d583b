"""`penstock config check|diff|load|show|calendar`: reference data and settings from files."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from services.cli.options import Bootstrap, Json, resolve_bootstrap

if TYPE_CHECKING:
    from services.config.changes import Comparison
    from services.config.files import Configuration
    from services.config.inforce import InForce
    from services.config.problems import ConfigError

app = typer.Typer(
    name="config",
    help="Reference data and settings: files, checked, compared with the log, loaded as events.",
    no_args_is_help=True,
)
Folder = Annotated[
    Path, typer.Argument(help="Folder of TOML and CSV files", exists=True, file_okay=False)
]
Effective = Annotated[
    str,
    typer.Option(
        help="Instant with its zone, such as 2026-12-01T00:00:00Z, from which on it holds, unless "
        "a row has its own; default: at once"
    ),
]
Actor = Annotated[
    str,
    typer.Option(help="Who loads it", envvar=["PENSTOCK_ACTOR", "USER"]),
]


@app.command()
def check(folder: Folder, as_json: Json = False) -> None:
    """Check that the files add up by themselves; asks no cluster."""
    from services.config.canonical import total
    from services.config.changes import check as add_up
    from services.config.files import read
    from services.config.problems import ConfigError

    try:
        configuration = read(folder)
        add_up(configuration)
    except ConfigError as error:
        _refuse(error, as_json)
    messages = [definition.message for definition in configuration.definitions]
    facts = {"definitions": len(messages), "sha256": total(messages)}
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        _say(f"{len(messages)} definitions add up, sha256 {facts['sha256']}")


@app.command()
def diff(
    folder: Folder, effective: Effective = "", bootstrap: Bootstrap = "", as_json: Json = False
) -> None:
    """Compare the files with what is in force in the log."""
    _, comparison = _compared(folder, effective, resolve_bootstrap(bootstrap), as_json)
    if as_json:
        typer.echo(json.dumps(_facts(comparison)))
    else:
        _show_changes(comparison)


@app.command()
def load(
    folder: Folder,
    effective: Effective = "",
    actor: Actor = "operator",
    bootstrap: Bootstrap = "",
    as_json: Json = False,
) -> None:
    """Publish what differs from what is in force, all in one transaction."""
    from confluent_kafka import KafkaException

    from infra.topics import read_log_id
    from services.config.publish import loaded, publish
    from streams.core.errors import Error

    cluster = resolve_bootstrap(bootstrap)
    configuration, comparison = _compared(folder, effective, cluster, as_json)
    messages = [change.message for change in comparison.changes]
    if messages:
        event = loaded(configuration, messages, _instant(effective))
        try:
            log_id = read_log_id(cluster)
            at_ns = time.time_ns()
            publish(cluster, [*messages, event], at_ns=at_ns, actor=actor, log_id=log_id)
        except (KafkaException, Error) as error:
            _fail("NOT_PUBLISHED", str(error), as_json)
    if as_json:
        typer.echo(json.dumps({"published": len(messages), **_facts(comparison)}))
    else:
        _show_changes(comparison)
        _say(f"{len(messages)} definitions published" if messages else "nothing to publish")


@app.command()
def show(
    kind: Annotated[str, typer.Option(help="Only this, such as InstrumentDefined")] = "",
    at: Annotated[str, typer.Option(help="Instant with its zone; default: now")] = "",
    bootstrap: Bootstrap = "",
    as_json: Json = False,
) -> None:
    """Print what is in force in the log, and what waits."""
    from services.config.canonical import canonical, hashes

    now_ns = _instant(at) or time.time_ns()
    in_force = _in_force(resolve_bootstrap(bootstrap))
    in_force.advance(now_ns)
    rows = [
        (*_named(hashes([message])[0]), instant, json.loads(canonical(message)))
        for instant, message in [
            *((0, message) for message in in_force.messages()),
            *((message.effective_ns, message) for message in in_force.waiting),
        ]
        if kind in ("", type(message).__name__)
    ]
    if as_json:
        names = ("kind", "subject", "sha256", "effective_ns", "content")
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))
        return
    table = Table("kind", "subject", "sha256", "", "content", box=None)
    for name, subject, sha256, instant, content in rows:
        waits = f"from {_time(instant)}" if instant else ""
        table.add_row(name, subject, sha256[:12], waits, _short(content))
    Console().print(table)


@app.command()
def calendar(
    exchange: Annotated[str, typer.Argument(help="Market identifier code, such as XNYS")],
    *,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Trade date")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Trade date")],
    pre_open: Annotated[int, typer.Option(min=0, help="Minutes before the open or auction")] = 0,
    opening_auction: Annotated[int, typer.Option(min=0, help="Minutes before the open")] = 0,
    closing_auction: Annotated[int, typer.Option(min=0, help="Minutes after the close")] = 0,
    closing_cutoff: Annotated[
        int, typer.Option(min=0, help="Minutes before the close: last orders for its auction")
    ] = 0,
    post: Annotated[int, typer.Option(min=0, help="Minutes after close and auction")] = 0,
    as_json: Json = False,
) -> None:
    """Write a calendars.toml of an exchange: needs the extra `tools`, and a person's look."""
    from services.config.exchange import Extras, calendar_toml
    from services.config.problems import ConfigError

    extras = Extras(pre_open, opening_auction, closing_auction, closing_cutoff, post)
    try:
        text = calendar_toml(exchange, first.date(), last.date(), extras)
    except ConfigError as error:
        _refuse(error, as_json)
    typer.echo(json.dumps({"toml": text}) if as_json else text, nl=as_json)


def _compared(
    folder: Path, effective: str, bootstrap: str, as_json: bool
) -> "tuple[Configuration, Comparison]":
    from services.config.changes import compare
    from services.config.files import read
    from services.config.problems import ConfigError

    try:
        configuration, effective_ns = read(folder), _instant(effective)
        comparison = compare(configuration, _in_force(bootstrap), time.time_ns(), effective_ns)
        return configuration, comparison
    except ConfigError as error:
        _refuse(error, as_json)


def _in_force(bootstrap: str) -> "InForce":
    from confluent_kafka import KafkaException

    from services.cli.log import read_to_end
    from services.config.inforce import InForce
    from streams.core.topics import CONTROL_COMMANDS

    found = InForce()
    try:
        for entry in read_to_end(bootstrap, [CONTROL_COMMANDS]):
            if entry.envelope is not None:
                found.add(entry.envelope, entry.message)
    except (KafkaException, LookupError) as error:
        _fail("NOT_READABLE", str(error), as_json=False)
    return found


def _instant(text: str) -> int:
    """Return ns; 0 for none."""
    from services.config.decimals import ns_of

    if not text:
        return 0
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}") from error
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text} has no zone: write {text}Z, or another")
    return ns_of(instant)


def _time(at_ns: int) -> str:
    from datetime import UTC

    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _facts(comparison: "Comparison") -> dict[str, Any]:
    from services.config.canonical import hash_of

    return {
        "changes": [
            {
                "subject": change.label,
                "is_new": change.is_new,
                "effective_ns": change.effective_ns,
                "sha256": hash_of(change.message),
                "place": " ".join(part for part in change.place if part),
                "fields": [field._asdict() for field in change.fields],
            }
            for change in comparison.changes
        ],
        "absent": comparison.absent,
        "waiting": [
            {"subject": label, "effective_ns": at_ns} for label, at_ns in comparison.waiting
        ],
    }


def _show_changes(comparison: "Comparison") -> None:
    table = Table("", "subject", "field", "in force", "in the files", "from", box=None)
    for change in comparison.changes:
        since = _time(change.effective_ns) if change.effective_ns else "at once"
        if change.is_new:
            table.add_row("added", change.label, "", "", "", since)
        for field in () if change.is_new else change.fields:
            old, new = _short(field.old), _short(field.new)
            table.add_row("changed", change.label, field.name, old, new, since)
    for label in comparison.absent:
        table.add_row("absent", label, "", "stays in force", "", "")
    for label, at_ns in comparison.waiting:
        table.add_row("waiting", label, "", "in the log", "not so", _time(at_ns))
    if table.row_count:
        Console().print(table)
    else:
        _say("no difference")


def _short(value: Any, length_max: int = 60) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= length_max else text[:length_max] + "…"


def _named(each: Any) -> tuple[str, str, str]:
    return each.kind, each.subject, each.sha256


def _say(sentence: str) -> None:
    Console(soft_wrap=True).print(sentence, highlight=False, markup=False)


def _refuse(error: "ConfigError", as_json: bool) -> NoReturn:
    """Print every problem and exit 1."""
    if as_json:
        problems = [
            {**problem._asdict(), "place": " ".join(part for part in problem.place if part)}
            for problem in error.problems
        ]
        typer.echo(json.dumps({"problems": problems}))
    else:
        typer.echo(str(error), err=True)
    raise typer.Exit(1) from error


def _fail(code: str, text: str, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"problems": [{"code": code, "bound": text}]}))
    else:
        typer.echo(f"{text} [{code}]", err=True)
    raise typer.Exit(1)
