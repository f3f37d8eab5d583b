"""`penstock reconcile`: every side of the day against the next one, breaks by name."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import Bootstrap, Json, resolve_bootstrap

if TYPE_CHECKING:
    from services.clearing.reconciliation.run import Reconciliation

BREAKS_EXIT = 4
SHOWN_MAX = 200
DAY = Annotated[int, typer.Option(help="Trade date yyyymmdd; default the whole log")]


def reconcile(
    *,
    bootstrap: Bootstrap = "",
    day: DAY = 0,
    drop_copy: Annotated[
        list[Path] | None,
        typer.Option(help="A venue's own drop copy file; repeat for several", exists=True),
    ] = None,
    fix_gateway: Annotated[
        list[Path] | None,
        typer.Option(help="A gateway's file: its drop copies by FIX, from the log", exists=True),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Write the verdict to clearing.reports too")
    ] = False,
    session_end: Annotated[
        bool, typer.Option("--session-end", hidden=True, help="By clearing, once for a day")
    ] = False,
    actor: Annotated[str, typer.Option(help="Who reconciles, for the record")] = "desk",
    is_json: Json = False,
) -> None:
    """Compare venue reports, fills, children, allocations, cash and clearing reports.

    Exits 0 without a break, 4 with breaks, which it names, 1 when it cannot run.
    """
    from confluent_kafka import KafkaException

    from infra.topics.errors import TopicsError
    from services.clearing.outside import read_entries
    from services.clearing.outside import record as write
    from services.clearing.reconciliation.drop_copy import read_drop_copy
    from services.clearing.reconciliation.run import TOPICS, events_of
    from services.clearing.reconciliation.run import reconcile as run
    from services.fix.settings import read_gateway
    from services.fix.venues.log_copies import COPY_TOPICS, copies_of
    from streams.core.errors import Error

    cluster = resolve_bootstrap(bootstrap)
    try:
        copies = [read_drop_copy(path) for path in drop_copy or ()]
        for path in fix_gateway or ():
            copies += copies_of(read_gateway(path), read_entries(cluster, COPY_TOPICS))
        result = run(read_entries(cluster, TOPICS), day=day, drop_copies=copies)
        run_id = f"{day}/session-end" if session_end else f"{day}/{time.time_ns()}"
        if record:
            trigger = "SESSION_END" if session_end else "PERSON"
            by = "clearing" if session_end else actor
            write(cluster, run_id, events_of(result, run_id, trigger), actor=by)
    except (LookupError, KafkaException, Error, TopicsError, OSError, ValueError) as error:
        typer.echo(f"cannot reconcile: {error}", err=True)
        raise typer.Exit(1) from error
    if is_json:
        typer.echo(json.dumps(plain(result), separators=(",", ":")))
    else:
        show(result)
    raise typer.Exit(exit_code(result))


def exit_code(result: "Reconciliation") -> int:
    return 0 if result.is_clean else BREAKS_EXIT


def plain(result: "Reconciliation") -> dict[str, object]:
    """Return the verdict as one object."""
    totals = "day executions fills filled_quantity allocations captures drop_copies"
    return {
        **{name: getattr(result, name) for name in totals.split()},
        "is_clean": result.is_clean,
        "breaks": len(result.breaks),
        "counts": result.counts,
        "found": [{**each._asdict(), "difference": each.difference} for each in result.found],
    }


def show(result: "Reconciliation") -> None:
    """Print totals and every break in words."""
    typer.echo(
        f"{result.executions:,} venue executions, {result.fills:,} fills of "
        f"{result.filled_quantity:,}, {result.captures:,} trade captures, "
        f"{result.allocations:,} allocation reports"
    )
    for each in result.found[:SHOWN_MAX]:
        typer.echo(f"{'information: ' if each.is_information else ''}{each}")
    if len(result.found) > SHOWN_MAX:
        typer.echo(f"... {len(result.found):,} in all: {result.counts}")
    verdict = "no break" if result.is_clean else f"{len(result.breaks):,} breaks"
    typer.echo(verdict)
