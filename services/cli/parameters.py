"""`penstock strategies`, and the options that the definitions add to `penstock order`."""

import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from schemas.messages.core import StrategyKind, Urgency
from services.cli.options import Json
from services.parameters.texts import (
    column,
    every_row,
    known_to,
    option,
    range_text,
    shown,
    unit_text,
)
from streams.parameters import DEFINITIONS, Row, rows

__all__ = ["strategies", "with_parameters"]

URGENCIES = (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT)
Command = TypeVar("Command", bound=Callable[..., None])


def with_parameters(command: Command) -> Command:
    """Give the command an option for each parameter in place of its `**parameters`."""
    signature = inspect.signature(command)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    added = [
        inspect.Parameter(
            column(row),
            inspect.Parameter.KEYWORD_ONLY,
            default="",
            annotation=Annotated[str, typer.Option(option(row), help=_help(row))],
        )
        for row in every_row()
    ]
    command.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    command.__annotations__ |= {each.name: each.annotation for each in added}
    return command


def strategies(
    name: Annotated[str, typer.Argument(help="Only this one; default: all")] = "",
    as_json: Json = False,
) -> None:
    """Show what each strategy can be told: units, ranges, presets by urgency, FIX names."""
    word = name.upper().replace("-", "_")
    if word and word not in DEFINITIONS:
        raise typer.BadParameter(f"{name}: one of {', '.join(DEFINITIONS)}")
    chosen = [kind for kind in DEFINITIONS if word in ("", kind)]
    if as_json:
        typer.echo(json.dumps({kind.value: _facts(kind) for kind in chosen}))
        return
    for kind in chosen:
        definition = DEFINITIONS[kind]
        typer.echo(f"{kind} (FIX 847={definition.fix_value}): {definition.meaning}")
        Console().print(_table(kind))


def _help(row: Row) -> str:
    kinds = ", ".join(known_to(row.name))
    return f"{row.about.meaning} {range_text(row)} ({unit_text(row)}). Of {kinds}"


def _table(strategy: StrategyKind) -> Table:
    table = Table(box=None)
    table.add_column("option", no_wrap=True)
    for name in ("range", "passive / neutral / urgent", "FIX", "amend"):
        table.add_column(name)
    for row in rows(strategy):
        presets = dict.fromkeys(shown(row, row.preset.of(urgency)) for urgency in URGENCIES)
        table.add_row(
            option(row),
            range_text(row),
            " / ".join(presets),
            str(row.about.fix_tag or row.about.fix_name),
            "yes" if row.about.is_amendable else "no",
        )
    return table


def _facts(strategy: StrategyKind) -> dict[str, Any]:
    definition = DEFINITIONS[strategy]
    return {
        "meaning": definition.meaning,
        "fix_value": definition.fix_value,
        "parameters": {
            row.name: {
                "meaning": row.about.meaning,
                "unit": row.about.unit,
                "low": row.low,
                "high": row.high,
                "presets": {urgency.value: row.preset.of(urgency) for urgency in URGENCIES},
                "preset_text": row.preset.text,
                "fix_tag": row.about.fix_tag,
                "fix_name": row.about.fix_name,
                "is_amendable": row.about.is_amendable,
                "option": option(row),
            }
            for row in rows(strategy)
        },
    }
