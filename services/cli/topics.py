"""`penstock topics list|create|check`: the log's topics, from infra/topics.toml."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.sentences import errors_as_sentences, tell

app = typer.Typer(
    name="topics",
    help="Topics of the log: infra/topics.toml is the only list.",
    no_args_is_help=True,
)


@app.command("list")
def list_topics(as_json: Json = False) -> None:
    """Print the topics that there are to be; asks no cluster."""
    from infra.topics import read_catalog

    topics = read_catalog().topic
    if as_json:
        typer.echo(json.dumps([topic.model_dump(mode="json") for topic in topics]))
        return
    table = Table("topic", "partitions", "role", "cleanup", "writers", box=None)
    for topic in topics:
        count = "per shard" if topic.keyed else "1"
        table.add_row(topic.name, count, topic.role, topic.cleanup, topic.writers)
    Console().print(table)


@app.command()
def create(
    bootstrap: Bootstrap = "",
    partitions: Annotated[int, typer.Option(min=1, help="Of keyed topics: shards, for ever")] = 4,
    replication_factor: Annotated[int, typer.Option(min=1)] = 1,
    as_json: Json = False,
) -> None:
    """Create what is missing; the log's id is made with it, once."""
    from infra.topics import create_topics

    with errors_as_sentences():
        log_id = create_topics(resolve_bootstrap(bootstrap), partitions, replication_factor)
    sentence = f"topics ready, log id {log_id.hex()}"
    tell(sentence, as_json, log_id=log_id.hex(), partitions=partitions)


@app.command()
def check(
    bootstrap: Bootstrap = "",
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Wanted; default: as the first keyed topic has")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the cluster with the list; exit 1 on any difference."""
    from infra.topics import check_topics

    with errors_as_sentences():
        drift = check_topics(resolve_bootstrap(bootstrap), partitions)
    if as_json:
        typer.echo(json.dumps([difference._asdict() for difference in drift]))
    elif not drift:
        Console().print("every topic is as listed")
    else:
        table = Table("topic", "setting", "wanted", "found", "", box=None)
        for topic, setting, wanted, found, is_error in drift:
            table.add_row(topic, setting, wanted, found, "error" if is_error else "")
        Console().print(table)
    if drift:
        raise typer.Exit(1)
