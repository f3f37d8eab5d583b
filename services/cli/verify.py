"""`penstock verify`: the independent checker over a cluster's log."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from services.cli.options import Bootstrap, Json

FINDINGS_EXIT = 4


def verify(
    bootstrap: Bootstrap = "",
    is_json: Json = False,
    partition: Annotated[
        list[int] | None, typer.Option(help="Shard to check; repeat for several, default all")
    ] = None,
) -> None:
    """Prove conservation, exposure, lineage and the journal from the topics alone.

    Exits 0 when every law holds, 4 when one is broken, 1 when the log cannot be read.
    """
    from confluent_kafka import KafkaException

    from services.audit import check
    from services.cli.options import resolve_bootstrap

    try:
        report = check(resolve_bootstrap(bootstrap), partition)
    except (LookupError, KafkaException) as error:
        typer.echo(f"the log cannot be read: {error}", err=True)
        raise typer.Exit(1) from error
    fields = asdict(report)
    if is_json:
        typer.echo(json.dumps(fields | {"is_clean": report.is_clean}, separators=(",", ":")))
    else:
        _show(fields)
    raise typer.Exit(0 if report.is_clean else FINDINGS_EXIT)


def _show(fields: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    counts = Table(title="what was checked", show_header=False)
    for name, value in fields.items():
        if isinstance(value, int):
            counts.add_row(name.replace("_", " "), f"{value:,}")
    console.print(counts)
    if not fields["findings"]:
        console.print("[green]every law holds[/green]")
        return
    broken = Table("law", "subject", "values", "where", title="findings")
    for finding in fields["findings"]:
        broken.add_row(finding["code"], finding["subject"], finding["text"], finding["place"])
    console.print(broken)
    total = sum(fields["counts"].values())
    if total > len(fields["findings"]):
        console.print(f"{total:,} findings in all; the first of each law are shown")
