"""`penstock planner`: the process that solves plans and fits the impact model."""

import logging
from typing import Annotated

import typer

from services.cli.options import Bootstrap, resolve_bootstrap


def planner(
    *,
    bootstrap: Bootstrap = "",
    fit_every: Annotated[
        int, typer.Option(min=0, help="Closed parents between two fits of impact; 0: no fit")
    ] = 10,
    placements_every: Annotated[
        int, typer.Option(min=0, help="Seconds of market time between two solved splits; 0: none")
    ] = 10,
    metrics_host: Annotated[
        str, typer.Option(envvar="PENSTOCK_PLANNER_METRICS_HOST", help="Address of /metrics")
    ] = "127.0.0.1",
    metrics_port: Annotated[
        int, typer.Option(min=0, envvar="PENSTOCK_PLANNER_METRICS_PORT", help="0: not served")
    ] = 0,
    once: Annotated[bool, typer.Option(help="Answer what waits, then end")] = False,
) -> None:
    """Answer the shards' requests for plans on plans.events. One process at a time."""
    from services.planner.process import PlannerOptions, run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = PlannerOptions(
        resolve_bootstrap(bootstrap),
        fit_every=fit_every,
        placements_every_s=placements_every,
        is_once=once,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
    )
    raise typer.Exit(run(options))
