"""`penstock fix spec`: the rules of engagement as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from services.cli.options import Json
from services.cli.sentences import tell

__all__ = ["spec_command"]


def spec_command(
    out: Annotated[Path, typer.Option(help="File to write")] = Path("penstock-fix.html"),
    session: Annotated[str, typer.Option(help="Only for this session of --gateway")] = "",
    gateway: Annotated[
        Path | None, typer.Option(help="The gateway's TOML file", exists=True, dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the rules of engagement: messages, fields, strategies, refusals, real examples."""
    from services.fix.settings import read_gateway
    from services.fix.spec.page import page

    if bool(session) != bool(gateway):
        raise typer.BadParameter("--session and --gateway stand together")
    chosen = version = kind = None
    if gateway is not None:
        try:
            file = read_gateway(gateway)
            known = {each.session_id: (each, each.version) for each in file.session}
        except (ValidationError, ValueError) as error:
            raise typer.BadParameter(str(error)) from error
        if session not in known:
            raise typer.BadParameter(f"{session}: one of {', '.join(known)}")
        (chosen, version), kind = known[session], file.kind
    text = page(chosen, version, kind)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    tell(f"{out}: {len(text)} characters", as_json, file=str(out), characters=len(text))
