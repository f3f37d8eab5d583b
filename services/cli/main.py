"""The `penstock` command."""

import typer

from services.cli import (
    broker,
    child,
    clearing,
    config,
    fix,
    impact,
    limits,
    order,
    topics,
    venue_model,
    volume_model,
)
from services.cli.crosses import crosses
from services.cli.demo import demo
from services.cli.explain import explain
from services.cli.frontier import frontier
from services.cli.kill import kill, unkill
from services.cli.parameters import strategies
from services.cli.planner import planner
from services.cli.processes import PASS_ON, engine, simulator
from services.cli.reconcile import reconcile
from services.cli.replay import replay_command
from services.cli.sentences import Sentences
from services.cli.tail import tail
from services.cli.tca import tca
from services.cli.venues import venues
from services.cli.verify import verify

app = typer.Typer(
    name="penstock",
    cls=Sentences,
    help="Many small orders in, a few parents worked, every share given back, the log proved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(demo)
app.command(context_settings=PASS_ON)(engine)
app.command(context_settings=PASS_ON)(simulator)
app.command()(planner)
app.command()(frontier)
app.add_typer(broker.app, name="broker")
app.add_typer(topics.app, name="topics")
app.add_typer(config.app, name="config")
app.add_typer(limits.app, name="limits")
app.add_typer(impact.app, name="impact")
app.add_typer(order.app, name="order")
app.add_typer(volume_model.app, name="volume-model")
app.command()(order.basket)
app.command()(strategies)
app.command()(kill)
app.command()(unkill)
app.command()(tail)
app.command()(explain)
app.command(name="replay")(replay_command)
app.command()(verify)
app.command()(tca)
app.add_typer(clearing.app, name="clearing")
app.command()(reconcile)
app.command()(crosses)
app.command()(venues)
app.add_typer(child.app, name="child")
app.add_typer(venue_model.app, name="venue-model")
app.add_typer(fix.app, name="fix")


def main() -> None:
    app()


if __name__ == "__main__":
    main()
