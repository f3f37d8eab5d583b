"""`penstock fix decode`: raw messages of a file, of standard input, or of a running log."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

from schemas.messages.fix import FixReceived, FixRefused, FixSending, FixSent, FixSessionChanged
from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.fix.decode import Decoded, Line, decode, raw_messages
from streams.core.topics import FIX_DECISIONS, FIX_RECEIVED, FIX_SENDING

__all__ = ["Shown", "decode_command", "from_text", "shown_of"]


class Shown(NamedTuple):
    """A message with what stands before it; without a message, a line of the log."""

    head: str
    message: Decoded | None


def decode_command(
    file: Annotated[str, typer.Argument(help="File with messages, or - for standard input")] = "",
    bootstrap: Bootstrap = "",
    session: Annotated[str, typer.Option(help="Read the log: only this session of ours")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Wait for more")] = False,
    as_json: Json = False,
) -> None:
    """Show raw FIX with the names of tags and values, and say what is wrong with it.

    Reads a file or standard input: one message a line, alone or within a log line, with SOH, |
    or ^A between fields. With --session or --bootstrap it reads the gateways' topics of a log.
    Exits 1 when a message is wrong or none is found.
    """
    from_log = bool(session or bootstrap)
    if from_log == bool(file):
        raise typer.BadParameter("name a file (or -), or --session or --bootstrap for a log")
    try:
        shown = _from_log(bootstrap, session, follow) if from_log else from_text(_lines(file))
        count = errors = 0
        for each in shown:
            _print(each, as_json)
            count += each.message is not None
            errors += each.message is not None and bool(each.message.errors)
    except (OSError, LookupError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    if not count:
        typer.echo("no FIX message found", err=True)
    if errors or not count:
        raise typer.Exit(1)


def from_text(lines: Iterable[str]) -> Iterator[Shown]:
    """Yield every message of the lines, decoded."""
    for line in lines:
        for raw in raw_messages(line):
            yield Shown(raw.prefix, decode(raw))


def _lines(file: str) -> Iterator[str]:
    """Yield lines as Latin-1: every byte stays what it was. A value may hold a line end."""
    if file == "-":
        data = sys.stdin.buffer
        yield from (line.decode("latin-1") for line in data)
        return
    with Path(file).open("rb") as stream:
        yield from (line.decode("latin-1") for line in stream)


def _from_log(bootstrap: str, session: str, follow: bool) -> Iterator[Shown]:
    from services.cli.log import read_to_end

    topics = (FIX_RECEIVED, FIX_SENDING, FIX_DECISIONS)
    versions: dict[str, str] = {}
    for entry in read_to_end(resolve_bootstrap(bootstrap), topics, follow=follow):
        if session in ("", getattr(entry.message, "session_id", "")):
            yield from shown_of(entry.message, versions)


def shown_of(event: Any, versions: dict[str, str]) -> Iterator[Shown]:
    """Yield an event of the gateways' topics; `versions` learns each session's BeginString."""
    match event:
        case FixReceived():
            for raw in raw_messages(event.text.decode("latin-1")):
                versions[event.session_id] = raw.pairs[0][1]
                note = f" refused: {event.refusal}" if event.refusal else ""
                yield Shown(f"{event.session_id} < {event.sequence}{note}", decode(raw))
        case FixSending():
            begin = versions.get(event.session_id, "FIX.4.4")
            # A body is fields only: a frame of the reader's own lets it be read alike.
            raw = next(raw_messages(f"8={begin}\x01" + event.body.decode("latin-1")))
            raw = raw._replace(pairs=raw.pairs[1:])
            made = decode(raw, is_body=True, begin_string=begin, kind=event.message_type)
            yield Shown(f"{event.session_id} > #{event.ordinal} {event.subject}", made)
        case FixSent():
            yield Shown(f"{event.session_id} #{event.ordinal} is out as 34={event.sequence}", None)
        case FixRefused():
            what = f"34={event.sequence} ({event.message_type}) refused: {event.reason}"
            yield Shown(f"{event.session_id} {what}: {event.text}", None)
        case FixSessionChanged():
            state = "logged on" if event.is_logged_on else "logged off"
            yield Shown(f"{event.session_id} {state} {event.text}".rstrip(), None)


def _print(shown: Shown, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_facts(shown), separators=(",", ":")))
        return
    console = Console(soft_wrap=True, highlight=False)
    if shown.head:
        console.print(Text(shown.head, style="dim"))
    if shown.message is None:
        return
    message = shown.message
    title = Text(f"{message.title or 'unknown message'} ({message.type or '?'})", style="bold")
    console.print(title.append(f"  {message.version}", style="dim"))
    width = max((len(line.name) + 2 * line.depth for line in message.lines), default=0)
    for line in message.lines:
        console.print(_text(line, width))
    for error in message.errors:
        console.print(Text(f"  error: {error}", style="bold red"))
    console.print()


def _text(line: Line, width: int) -> Text:
    name = f"{'  ' * line.depth}{line.name or '?'}"
    text = Text(f"  {line.tag:>5} {name:<{width}}  ", style="red" if line.note else "")
    text.append(line.value, style="cyan")
    return text.append(f"  {line.meaning}" if line.meaning else "", style="green")


def _facts(shown: Shown) -> dict[str, Any]:
    if shown.message is None:
        return {"head": shown.head}
    message = shown.message
    fields = [line._asdict() for line in message.lines]
    return {
        "head": shown.head,
        "version": message.version,
        "type": message.type,
        "title": message.title,
        "fields": fields,
        "errors": message.errors,
    }
