"""`penstock fix atdl`: serve or check the order tickets of our strategies."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Json
from services.cli.sentences import tell

__all__ = ["atdl_command"]

DEFAULT_PORT = 8947


def atdl_command(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one")] = DEFAULT_PORT,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the file, exit 1 if bad")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(help="Check another FIXatdl file, not ours", exists=True, dir_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Serve the FIXatdl 1.1 file of our strategies on the loopback interface, or check it."""
    from services.fix.atdl import problems, problems_of_ours, serve
    from services.fix.atdl.serve import PATH

    ours = Path(__file__).parents[2] / "infra" / "fixatdl" / "penstock.xml"
    text = _read(file or ours)
    found = problems(text) if file else problems_of_ours(text)
    for each in found:
        typer.echo(each, err=True)
    if found:
        raise typer.Exit(1)
    if check or file:
        tell(f"{file or ours.name} is FIXatdl 1.1", as_json, problems=0)
        return
    try:
        server = serve(text, port)
    except OSError as error:
        typer.echo(f"port {port}: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    host, taken = server.server_address[:2]
    tell(f"http://{host!s}:{taken}{PATH}", as_json, host=str(host), port=taken, path=PATH)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _read(path: Path) -> str:
    """Return a file's text, or end with the sentence that says why there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        said = f"{path} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}"
        cause: Exception = error
    except OSError as error:
        said, cause = f"{path} cannot be read: {error.strerror}", error
    typer.echo(said, err=True)
    raise typer.Exit(1) from cause
