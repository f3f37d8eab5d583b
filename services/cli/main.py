"""The `penstock` command."""

import typer

from services.cli import broker, topics
from services.cli.explain import explain
from services.cli.tail import tail

app = typer.Typer(
    name="penstock",
    help="Many small orders in, a few parents worked, every share given back, the log proved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(broker.app, name="broker")
app.add_typer(topics.app, name="topics")
app.command()(tail)
app.command()(explain)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
