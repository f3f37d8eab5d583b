"""`penstock broker start|stop|status`: the embedded Kafka as a daemon."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from services.cli.options import Json
from services.cli.sentences import errors_as_sentences, tell
from streams.core.errors import Error

app = typer.Typer(
    name="broker",
    help="A real Apache Kafka on this machine: no Docker, no Java to install.",
    no_args_is_help=True,
)
Data = Annotated[
    Path | None,
    typer.Option(help="Data folder; default: PENSTOCK_DATA, else .penstock/broker"),
]


@app.command()
def start(
    data: Data = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Client port; default: a free one, kept")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start it and return when it has committed a transaction; it runs until `stop`."""
    from infra.broker import EmbeddedBroker
    from infra.broker.settings import default_data
    from infra.broker.state import live_state

    folder = (data or default_data()).absolute()
    console = Console(stderr=True)
    with errors_as_sentences(), console.status("starting the broker") as status:
        running = live_state(folder)
        if running is None:
            started = time.monotonic()
            broker = EmbeddedBroker(folder, port=port, is_detached=True, say=status.update)
            broker.start()
            tell(
                f"broker ready at {broker.bootstrap} after {time.monotonic() - started:.1f} s",
                as_json,
                was_running=False,
                **_facts(folder),
            )
        elif port not in (None, running.port):
            raise Error(f"broker runs on port {running.port}, {port} wanted: stop it first")
        else:
            sentence = f"broker already running at {running.bootstrap}"
            tell(sentence, as_json, was_running=True, **_facts(folder))


@app.command()
def stop(data: Data = None, as_json: Json = False) -> None:
    """Stop it: cleanly within 10 s, by force after that."""
    from infra.broker import stop_broker
    from infra.broker.settings import default_data

    folder = (data or default_data()).absolute()
    with errors_as_sentences():
        was_clean = stop_broker(folder)
        manner = "stopped" if was_clean else "did not stop in time and was killed"
        tell(f"broker {manner}, its data stay in {folder}", as_json, was_clean=was_clean)


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Say whether it runs, and where; exit 1 if it does not."""
    from infra.broker.settings import default_data

    folder = (data or default_data()).absolute()
    facts = _facts(folder)
    if not facts["is_running"]:
        tell(f"no broker runs on {folder}", as_json, **facts)
        raise typer.Exit(1)
    sentence = f"broker runs at {facts['bootstrap']}, pid {facts['pid']}, data {folder}"
    tell(sentence, as_json, **facts)


def _facts(folder: Path) -> dict[str, Any]:
    from infra.broker.state import live_state

    state = live_state(folder)
    facts: dict[str, Any] = {"is_running": state is not None, "data": str(folder)}
    if state is not None:
        facts |= {
            "bootstrap": state.bootstrap,
            "pid": state.pid,
            "started_ns": state.started_ns,
            "kafka": state.kafka,
            "java": state.java,
            "log": str(folder / "broker.log"),
        }
    return facts
