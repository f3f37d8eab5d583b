"""`penstock fix cert`: the scripted certification of a session against its counterparty."""

import json
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.options import Json

if TYPE_CHECKING:
    from services.fix.cert.run import Result
    from services.fix.cert.script import Script

__all__ = ["cert_command"]

MISSING = "certification speaks FIX by QuickFIX, which is not installed: pip install penstock[fix]"


def cert_command(
    *,
    session: Annotated[str, typer.Option(help="Session of the gateway's file")],
    gateway: Annotated[
        Path, typer.Option(help="The gateway's TOML file", exists=True, dir_okay=False)
    ],
    script: Annotated[
        Path | None, typer.Option(help="Another script", exists=True, dir_okay=False)
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="name=value of the script: symbol, price, ...")
    ] = None,
    have: Annotated[
        list[str] | None,
        typer.Option("--with", help="What there is, as the script has it: market, bust"),
    ] = None,
    store: Annotated[Path, typer.Option(help="Folder of its numbers")] = Path(".penstock/fix"),
    as_json: Json = False,
) -> None:
    """Play the counterparty of a client's session, or ourselves to a venue; exit 1 on a failure.

    A client's session is called as its order management system would call it; a venue's as our
    gateway would. Use a session of its own: its numbers begin at 1, and orders are real.
    """
    if find_spec("quickfix") is None:
        raise typer.BadParameter(MISSING)
    from services.fix.cert.run import Line, faults, play

    plan, told, run = _prepared(session, gateway, script, store)
    changed = dict(each.partition("=")[::2] for each in values or [])
    if wrong := faults(plan, changed, have or ()):
        raise typer.BadParameter(wrong)
    try:
        Path(told["folder"]).mkdir(parents=True)
    except OSError as error:
        typer.echo(f"{error.filename} cannot be made: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    with Line(told) as line:
        results = list(play(plan, line, run=run, own=changed, have=frozenset(have or ())))
    _print(f"{plan.title}: {session}", results, as_json)
    if any(result.outcome.is_bad for result in results):
        raise typer.Exit(1)


def _prepared(
    session: str, gateway: Path, script: Path | None, store: Path
) -> tuple["Script", dict[str, Any], str]:
    """Return the script, what the speaking process is told, and the name of the run."""
    from services.fix.cert.identity import CertificationError, peer_of
    from services.fix.cert.script import SCRIPTS, read_script
    from services.fix.settings import read_gateway

    run = f"CERT{int(time.time())}"
    try:
        file = read_gateway(gateway)
        own = {each.session_id: each for each in file.session}
        if session not in own:
            raise typer.BadParameter(f"{session}: one of {', '.join(own)}")
        if script is None and file.kind not in SCRIPTS:
            raise typer.BadParameter(f"no script for sessions of kind {file.kind}: name --script")
        plan = read_script(script or SCRIPTS[file.kind])
        # Numbers of its own: both sides begin at 1.
        folder = store / "cert" / run
        told = peer_of(file, own[session], folder=folder, heartbeat_s=plan.heartbeat_s)
    except (ValidationError, ValueError, CertificationError) as error:
        raise typer.BadParameter(str(error)) from error
    return plan, told, run


def _print(title: str, results: Sequence["Result"], as_json: bool) -> None:
    if as_json:
        rows = [
            {"step": r.step, "outcome": r.outcome.word.lower(), "expected": r.expected}
            | {"seen": r.seen}
            for r in results
        ]
        typer.echo(json.dumps(rows))
        return
    table = Table("", "step", "expected", "seen", title=title, box=None)
    for result in results:
        style = "bold red" if result.outcome.is_bad else "green"
        cells = (result.step, result.expected, result.seen)
        table.add_row(Text(result.outcome.word, style=style), *(Text(each) for each in cells))
    Console().print(table)
    failed = sum(result.outcome.is_bad for result in results)
    skipped = sum(result.outcome.word == "skipped" for result in results)
    typer.echo(f"{len(results) - failed - skipped} passed, {failed} failed, {skipped} skipped")
