"""`penstock clearing`: the process, its day files, repairs, and a clearer to try it with."""

import json
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.processes import PASS_ON, become

app = typer.Typer(help="Allocations and trade captures to the clearer, its answers, day files.")
CANNOT = 1


@app.callback(invoke_without_command=True)
def clearing(
    context: typer.Context,
    bootstrap: Bootstrap = "",
    clearer_id: Annotated[str, typer.Option(help="Who is told")] = "clearer",
    grace_s: Annotated[
        int, typer.Option(min=0, help="Market seconds after a session until it is reconciled")
    ] = 300,
    is_reconciled: Annotated[
        bool, typer.Option("--reconcile/--no-reconcile", help="Reconcile each session's end")
    ] = True,
) -> None:
    """Without a command: the process. Exits 0 stopped, 1 corrupt, 70 failed, 75 fenced."""
    if context.invoked_subcommand is not None:
        return
    arguments = [
        f"--bootstrap={resolve_bootstrap(bootstrap)}",
        f"--clearer-id={clearer_id}",
        f"--grace-s={grace_s}",
        f"--reconcile={is_reconciled}",
    ]
    become("services.clearing", arguments)


@app.command(context_settings=PASS_ON)
def clearer(context: typer.Context) -> None:
    """A clearer for tests and the demo: accepts, rejects a seeded share, answers late or twice."""
    become("services.clearing.clearer_process", context.args)


@app.command()
def report(
    day: Annotated[int, typer.Option(help="Clearing business date yyyymmdd")],
    out: Annotated[Path, typer.Option(help="Folder; the files go into OUT/DAY")],
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Write the day's files: one an account, one a venue. Exits 1 when that cannot be done."""
    from confluent_kafka import KafkaException

    from services.clearing.files import write_day_files
    from services.clearing.outside import read_entries
    from streams.core.topics import CLEARING_REPORTS

    cluster = resolve_bootstrap(bootstrap)
    try:
        entries = read_entries(cluster, [CLEARING_REPORTS])
        written = write_day_files((entry.message for entry in entries), day, out)
    except (LookupError, KafkaException, OSError) as error:
        typer.echo(f"no files: {error}", err=True)
        raise typer.Exit(CANNOT) from error
    rows = sum(written.files.values())
    if is_json:
        typer.echo(json.dumps({"folder": str(written.folder), "files": written.files}))
    else:
        typer.echo(f"{rows:,} reports in {len(written.files)} files in {written.folder}")


@app.command()
def repair(
    report_id: Annotated[str, typer.Argument(help="The rejected report")],
    reason: Annotated[str, typer.Option(help="Why")],
    actor: Annotated[str, typer.Option(help="Who repairs it")],
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="clearing_account=VALUE or settlement_date=YYYYMMDD; none: send again"
        ),
    ] = None,
    bootstrap: Bootstrap = "",
) -> None:
    """Ask for a repair; clearing answers on clearing.reports. Exits 1 when it cannot be asked."""
    from confluent_kafka import KafkaException

    from schemas.messages.clearing import RepairRequested
    from schemas.messages.core import RepairChange, RepairField
    from services.clearing.outside import say
    from streams.core.errors import Error

    changes = []
    for each in change or ():
        name, _, value = each.partition("=")
        if name not in ("clearing_account", "settlement_date"):
            typer.echo(f"--set {name}: clearing_account or settlement_date", err=True)
            raise typer.Exit(CANNOT)
        changes.append(RepairChange(field=RepairField(name.upper()), value=value, previous=""))
    request = RepairRequested(report_id=report_id, changes=tuple(changes), reason=reason)
    try:
        say(resolve_bootstrap(bootstrap), [request], actor=actor)
    except (KafkaException, Error) as error:
        typer.echo(f"not asked: {error}", err=True)
        raise typer.Exit(CANNOT) from error
    typer.echo(f"asked for the repair of {report_id}")


@app.command()
def status(bootstrap: Bootstrap = "", is_json: Json = False) -> None:
    """Count the newest reports by where they stand, and list those that are rejected."""
    from confluent_kafka import KafkaException

    from schemas.messages.core import ClearingStatus
    from services.clearing.ledger import Ledger, report_id
    from services.clearing.outside import read_entries
    from streams.core.topics import CLEARING_REPORTS

    ledger = Ledger()
    try:
        for entry in read_entries(resolve_bootstrap(bootstrap), [CLEARING_REPORTS]):
            ledger.fold(entry.message)
    except (LookupError, KafkaException) as error:
        typer.echo(f"the log cannot be read: {error}", err=True)
        raise typer.Exit(CANNOT) from error
    counts: dict[str, int] = {}
    rejected = []
    for record_id, record in ledger.records.items():
        counts[record.newest.status] = counts.get(record.newest.status, 0) + 1
        if record.newest.status is ClearingStatus.REJECTED:
            rejected.append(report_id(record_id, len(record.versions)))
    if is_json:
        typer.echo(json.dumps({"counts": counts, "rejected": rejected}))
        return
    for name, count in sorted(counts.items()):
        typer.echo(f"{count:>10,} {name}")
    for name in rejected:
        typer.echo(f"rejected: {name}")
