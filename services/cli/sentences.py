"""How commands of the broker and of topics answer: a sentence, or one JSON object."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console

from streams.core.errors import Error


def tell(sentence: str, as_json: bool, **facts: Any) -> None:
    """Print the sentence for people, or the facts for programs."""
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        Console(soft_wrap=True).print(sentence, highlight=False, markup=False)


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Turn an error of ours into its sentence and exit code 1."""
    try:
        yield
    except Error as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
