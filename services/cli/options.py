"""Options that many commands share, and how they find the cluster."""

import os
from typing import Annotated

import typer

Bootstrap = Annotated[
    str,
    typer.Option(
        help="HOST:PORT of a Kafka cluster; default: PENSTOCK_BOOTSTRAP, else the broker that "
        "`penstock broker start` or `penstock demo --keep` left running"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object")]


def resolve_bootstrap(bootstrap: str) -> str:
    """Return the cluster to use. Exits 1 with a sentence when there is none."""
    if bootstrap:
        return bootstrap
    if found := os.environ.get("PENSTOCK_BOOTSTRAP"):
        return found
    from infra.broker import running_bootstrap

    if found := running_bootstrap():
        return found
    typer.echo("no cluster: name one with --bootstrap, or run `penstock broker start`", err=True)
    raise typer.Exit(1)
