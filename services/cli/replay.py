"""`penstock replay --verify`: decide the recorded inputs again and compare every byte."""

import json
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.options import Bootstrap, Json, resolve_bootstrap
from streams.runtime.replay import ReplayReport

DIFFERS = 4


def replay_command(
    bootstrap: Bootstrap = "",
    shard: Annotated[list[int] | None, typer.Option(help="Only these shards")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare; without it only the rate is of interest")
    ] = True,
    from_snapshot: Annotated[
        bool, typer.Option(help="From the newest snapshot instead of the start")
    ] = False,
    is_json: Json = False,
) -> None:
    """Decide again from the recorded input, in journal order. Exits 4 at the first difference."""
    reports = replay_shards(resolve_bootstrap(bootstrap), shard, from_snapshot=from_snapshot)
    if is_json:
        typer.echo(json.dumps({"shards": [plain(report) for report in reports]}))
    else:
        Console().print(table(reports))
        for report in reports:
            tell_difference(report)
    if verify and not all(report.is_equal for report in reports):
        raise typer.Exit(DIFFERS)


def replay_shards(
    bootstrap: str, shards: Sequence[int] | None = None, *, from_snapshot: bool = False
) -> list[ReplayReport]:
    """Replay shards side by side, one process a core. Raises what a replay raises."""
    from streams.adapters.kafka import KafkaLog, KafkaSettings
    from streams.core.topics import ENGINE_JOURNAL

    partitions = KafkaLog(KafkaSettings(bootstrap=bootstrap)).partitions(ENGINE_JOURNAL)
    wanted = list(range(partitions)) if not shards else list(shards)
    # Spawned, not forked: librdkafka's threads do not survive a fork.
    with ProcessPoolExecutor(
        min(len(wanted), os.cpu_count() or 1), multiprocessing.get_context("spawn")
    ) as pool:
        runs = [
            pool.submit(replay_shard, bootstrap, each, partitions, from_snapshot=from_snapshot)
            for each in wanted
        ]
        return [run.result() for run in runs]


def replay_shard(
    bootstrap: str, shard: int, partitions: int, *, from_snapshot: bool
) -> ReplayReport:
    """Replay one shard in this process, in the clock mode that its journal names."""
    from infra.topics import read_log_id
    from schemas.messages.core import ClockMode
    from streams.adapters.codec import AvroCodec
    from streams.adapters.kafka import KafkaLog, KafkaSettings
    from streams.runtime.ports import TopicPartition
    from streams.runtime.replay import replay
    from streams.runtime.settings import engine_settings
    from streams.shard import EngineShard

    log, codec = KafkaLog(KafkaSettings(bootstrap=bootstrap)), AvroCodec()
    log_id = read_log_id(bootstrap)
    settings = engine_settings(shard, ClockMode.LIVE, log_id)
    journal: TopicPartition = settings.journal
    start, end = log.start_offset(journal), log.stable_offset(journal)
    if start == end:
        return ReplayReport(shard=shard)
    reader = log.reader()
    reader.assign({journal: start})
    records = reader.poll(1, 10_000)
    reader.close()
    mode = codec.decode(records[0].value)[1].mode
    return replay(
        log,
        codec,
        engine_settings(shard, mode, log_id),
        lambda: EngineShard(shard, partitions, log_id),
        from_snapshot=from_snapshot,
    )


def plain(report: ReplayReport) -> dict[str, Any]:
    """Return a report as builtins."""
    from dataclasses import asdict

    rate = {"is_equal": report.is_equal, "events_per_s": round(report.events_per_s)}
    return asdict(report) | rate


def table(reports: Sequence[ReplayReport]) -> Table:
    made = Table(box=None, title="replay", title_justify="left")
    for name in ("shard", "batches", "inputs", "events", "events/s", "state hash", "verdict"):
        made.add_column(name, justify="left" if name in ("state hash", "verdict") else "right")
    for report in reports:
        verdict = "equal" if report.is_equal else "[red]differs[/]"
        if report.model_differences:
            verdict += f", {len(report.model_differences)} model estimates differ"
        made.add_row(
            str(report.shard),
            f"{report.batches:,}",
            f"{report.inputs:,}",
            f"{report.events:,}",
            f"{report.events_per_s:,.0f}",
            report.state_hash[:16],
            verdict,
        )
    return made


def tell_difference(report: ReplayReport) -> None:
    """Print the first difference of a shard in words, if there is one."""
    found = report.difference
    if found is not None:
        typer.echo(
            f"shard {report.shard} seq {found.seq} index {found.index} {found.topic} "
            f"{found.field}: recorded {found.recorded}, decided {found.decided}",
            err=True,
        )
