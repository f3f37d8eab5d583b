"""How commands of the broker and of topics answer: a sentence, or one JSON object."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from streams.core.errors import Error


def tell(sentence: str, as_json: bool, **facts: Any) -> None:
    """Print the sentence for people, or the facts for programs."""
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        Console(soft_wrap=True).print(sentence, highlight=False, markup=False)


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Turn an error of ours, or a cluster out of reach, into its sentence and exit code 1."""
    try:
        yield
    except _told() as error:
        typer.echo(sentence(error), err=True)
        raise typer.Exit(1) from error


class Sentences(TyperGroup):
    """All commands: whatever a command did not answer itself ends as a sentence."""

    def invoke(self, ctx: Any) -> Any:
        with errors_as_sentences():
            return super().invoke(ctx)


def sentence(error: Exception) -> str:
    """Return an error for people; what Kafka's client raised without its codes."""
    if isinstance(error, Error):
        return str(error)
    reason = error.args[0] if error.args else error
    return f"the log cannot be reached: {reason.str() if hasattr(reason, 'str') else reason}"


def _told() -> tuple[type[Exception], ...]:
    """Return what ends as a sentence; Kafka's client is slow to load, and may not be there yet."""
    client = sys.modules.get("confluent_kafka")
    return (Error,) if client is None else (Error, client.KafkaException)
