"""`penstock fix run FILE...`: gateways with their sessions, until stopped."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from services.cli.options import Bootstrap, resolve_bootstrap
from services.ending import Stop
from services.fix.kinds import KindMissingError, make_gateway
from services.fix.run import Fleet, parts_of
from services.fix.settings import read_gateway

__all__ = ["run_command"]

MISSING = "FIX sessions need QuickFIX, which is not installed: pip install penstock[fix]"


def run_command(
    files: Annotated[
        list[Path], typer.Argument(help="Gateways' TOML files.", exists=True, dir_okay=False)
    ],
    *,
    bootstrap: Bootstrap = "",
    store: Annotated[Path, typer.Option(help="Folder of the FIX stores.")] = Path(".penstock/fix"),
    metrics_port: Annotated[
        int, typer.Option(help="First port of metrics: wire, gateway, and so on. 0: none.")
    ] = 0,
    metrics_host: Annotated[
        str, typer.Option(help="Address on which they are served.")
    ] = "127.0.0.1",
    speed: Annotated[int, typer.Option(help="Gateways' clock, times as fast; 0: wall clock.")] = 0,
    clock_start_ns: Annotated[int, typer.Option(help="Market time at which it starts.")] = 0,
) -> None:
    """Run the wire and the gateway of each file; restart what ends; Ctrl-C logs out and stops."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if find_spec("quickfix") is None:
        raise typer.BadParameter(MISSING)
    try:
        gateways = [read_gateway(file) for file in files]
        for gateway in gateways:
            make_gateway(gateway)
    except (ValidationError, ValueError, KindMissingError) as error:
        raise typer.BadParameter(str(error)) from error
    for what in ("number", "name"):
        values = [getattr(gateway, what) for gateway in gateways]
        if len(set(values)) < len(values):
            raise typer.BadParameter(f"two gateways have the same {what}: {values}")
    more = [f"--speed={speed}", f"--clock-start-ns={clock_start_ns}"] if speed else []
    parts = parts_of(
        tuple(files),
        resolve_bootstrap(bootstrap),
        store=store,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        more=more,
    )
    stop = Stop()
    raise typer.Exit(Fleet(parts).run(lambda: stop.is_asked))
