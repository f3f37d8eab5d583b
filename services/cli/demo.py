"""`penstock demo`: one market day on a real Kafka, from the small orders to the proof."""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.options import Json, resolve_bootstrap

INVARIANT_FAILED = 1
MISSING = 1
PARTITIONS = 4
TOP_PARENTS = 12
MINUTES, ORDERS = 30, 2_000
FIX_MINUTES, FIX_ORDERS, FIX_SPEED = 3, 300, 3  # a day by FIX goes by the wall clock
TABLE_COLUMNS = 120
VENUES = "PENSTOCK_VENUES_"  # one environment for the demo and a simulator that stands


Tape = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a LOBSTER or Binance recording", exists=True, envvar=f"{VENUES}TAPE"
    ),
]
Seed = Annotated[int, typer.Option(help="Same seed, same children", envvar=f"{VENUES}SEED")]
Speed = Annotated[
    int,
    typer.Option(
        min=0, help="Scaled wall clock instead of lockstep, not reproducible; with --fix 3"
    ),
]
Minutes = Annotated[
    int,
    typer.Option(
        min=0,
        help="Market minutes, a tape may have fewer; default 30, with --fix 3",
        envvar=f"{VENUES}MINUTES",
    ),
]
Orders = Annotated[
    int,
    typer.Option(
        min=0,
        help="Small orders of the day; default 2000, with --fix 300",
        envvar=f"{VENUES}ORDERS",
    ),
]
StepMs = Annotated[
    int,
    typer.Option(
        min=0,
        help="Market time between watermarks; default 1000, or 2000",
        envvar=f"{VENUES}STEP_MS",
    ),
]
Fix = Annotated[
    bool,
    typer.Option(
        "--fix", help="Orders and reports by FIX, through four gateways; by a scaled clock"
    ),
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave broker and log running")]
Cluster = Annotated[str, typer.Option(help="HOST:PORT of another, empty cluster")]
Attach = Annotated[
    bool,
    typer.Option(
        "--attach",
        help="By the engines and venues that run on the cluster already",
        envvar="PENSTOCK_DEMO_ATTACH",
    ),
]


def demo(
    *,
    tape: Tape = None,
    seed: Seed = 7,
    speed: Speed = 0,
    minutes: Minutes = 0,
    orders: Orders = 0,
    step_ms: StepMs = 0,
    keep: Keep = False,
    bootstrap: Cluster = "",
    is_attached: Attach = False,
    is_fix: Fix = False,
    is_json: Json = False,
) -> None:
    """Work a day of small orders and prove it. Exits 1 if an invariant failed."""
    from services.demo.report import show_fix, show_next, show_proofs, show_totals
    from services.demo.scene import Scene, play
    from streams.core.errors import Error

    console = Console(stderr=is_json)
    console.width = max(console.width, TABLE_COLUMNS)  # a narrower one would cut the numbers
    if is_fix:
        check_fix(console, is_attached=is_attached, tape=tape)
    scene = Scene(
        seed=seed,
        minutes=minutes or (FIX_MINUTES if is_fix else MINUTES),
        orders=orders or (FIX_ORDERS if is_fix else ORDERS),
        tape=tape,
        speed=speed or (FIX_SPEED if is_fix else 0),
        step_ms=step_ms,
        is_attached=is_attached,
        is_fix=is_fix,
    )
    try:
        with ExitStack() as stack:
            if is_attached:
                bootstrap = resolve_bootstrap(bootstrap)
            cluster = open_cluster(stack, bootstrap, console, is_kept=keep)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-day-")))
            bar = stack.enter_context(progress(console))
            result = play(scene, cluster, PARTITIONS, log_folder=folder, bar=bar)
    except Error as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(INVARIANT_FAILED) from error
    if is_json:
        sys.stdout.write(json.dumps(result.as_json()) + "\n")
    else:
        console.print(result.table(TOP_PARENTS))
        show_totals(console, result.as_json())
        show_proofs(console, result.as_json())
        show_fix(console, result.as_json())
        is_ours = not bootstrap
        show_next(console, result.example_order_id, is_kept=keep or is_attached, is_ours=is_ours)
    if not result.is_proved:
        raise typer.Exit(INVARIANT_FAILED)


def check_fix(console: Console, *, is_attached: bool, tape: Path | None) -> None:
    """Leave with 1 where a day by FIX cannot be played."""
    from services.demo.gateways import missing_parts

    if missing := missing_parts():
        console.print(missing, style="red", markup=False)
        raise typer.Exit(MISSING)
    if is_attached or tape is not None:
        console.print("[red]--fix has gateways for the generated market: no --attach, no --tape[/]")
        raise typer.Exit(MISSING)


def open_cluster(stack: ExitStack, bootstrap: str, console: Console, *, is_kept: bool) -> str:
    """Return HOST:PORT of a cluster for the day; a broker of ours ends with `stack` unless kept."""
    from infra.broker import EmbeddedBroker
    from infra.broker.settings import default_data

    if bootstrap:
        return bootstrap
    if is_kept:
        import shutil

        from infra.broker import running_bootstrap, stop_broker

        data = default_data()
        if running_bootstrap(data):
            stop_broker(data)
        shutil.rmtree(data, ignore_errors=True)
    else:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-broker-"))
        data = Path(folder)
    broker = EmbeddedBroker(data, is_detached=is_kept, say=console.print)
    started = time.monotonic()
    broker.start()
    if not is_kept:
        stack.callback(broker.stop)
    console.print(f"Apache Kafka on {broker.bootstrap} in {time.monotonic() - started:.1f} s")
    return broker.bootstrap


def progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
