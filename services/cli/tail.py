"""`penstock tail TOPIC`: decoded events, one JSON object a line."""

import json
from typing import Annotated, Any

import msgspec
import typer

from services.cli.log import LogEntry, read_to_end
from services.cli.options import Bootstrap


def tail(
    topic: Annotated[str, typer.Argument(help="Topic, with or without .v1")],
    bootstrap: Bootstrap = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Wait for more")] = False,
    where: Annotated[list[str] | None, typer.Option(help="field=value; repeat for several")] = None,
) -> None:
    """Print the committed events of a topic, decoded."""
    from services.cli.options import resolve_bootstrap

    name = topic if topic.endswith(".v1") else f"{topic}.v1"
    wanted = [condition.partition("=")[::2] for condition in where or []]
    try:
        for entry in read_to_end(resolve_bootstrap(bootstrap), [name], follow=follow):
            shown = as_json(entry)
            if all(str(shown.get(field)) == value for field, value in wanted):
                typer.echo(json.dumps(shown, separators=(",", ":")))
    except LookupError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def as_json(entry: LogEntry) -> dict[str, Any]:
    """Return the record flat: where it stands, what it is, envelope and message fields."""
    place: dict[str, Any] = {
        "topic": entry.topic,
        "partition": entry.partition,
        "offset": entry.offset,
    }
    if entry.envelope is None:
        return place | {"type": "undecodable", "error": str(entry.message)}
    fields = plain(entry.envelope) | plain(entry.message)
    return place | {"type": type(entry.message).__name__} | fields


def plain(struct: Any) -> dict[str, Any]:
    """Return a message as builtins, bytes as hex."""
    made: dict[str, Any] = msgspec.to_builtins(struct, builtin_types=(bytes,))
    return {name: _hex(value) for name, value in made.items()}


def _hex(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_hex(item) for item in value]
    if isinstance(value, dict):
        return {name: _hex(item) for name, item in value.items()}
    return value
