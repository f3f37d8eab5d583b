"""`penstock crosses`: what the crosses of a log saved, by which evidence, and how fairly."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import CrossKind
from services.cli.figures import decimal, money, price, quantity
from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.sentences import errors_as_sentences
from streams.core.errors import LogError
from streams.views.crosses import (
    CROSS_TOPICS,
    CrossesView,
    CrossOrder,
    CrossRow,
    CrossTotal,
    total_crosses,
)

NAMES = {CrossKind.CLIENT_CROSS: "cross", CrossKind.OWN_NETTING: "own netting"}
WIDTH_MIN = 176  # columns; evidence cut short is none
E9 = 10**9


def crosses(
    bootstrap: Bootstrap = "",
    day: Annotated[int, typer.Option(help="Trade date yyyymmdd; default: all")] = 0,
    top: Annotated[int, typer.Option(min=1, help="Newest crosses in the table")] = 20,
    is_json: Json = False,
    is_csv: Annotated[
        bool, typer.Option("--csv", help="Print one line per cross and order")
    ] = False,
) -> None:
    """Show every cross with its evidence, what it saved against the market, and its fairness.

    Improvement is the half spread that neither side paid; fees are those of taking at the touch.
    """
    with errors_as_sentences():
        view, instruments = read(resolve_bootstrap(bootstrap))
    rows = view.rows(day)
    if is_json:
        typer.echo(json.dumps(as_json(rows)))
    elif is_csv:
        sys.stdout.write(as_csv(rows))
    elif not rows:
        typer.echo(f"no crosses on {day}" if day else "no crosses in this log")
    else:
        console = Console()
        console.width = max(console.width, WIDTH_MIN)
        console.print(render(rows, instruments, top=top))
        console.print(render_totals(total_crosses(rows)))


def read(bootstrap: str) -> tuple[CrossesView, dict[str, InstrumentDefined]]:
    """Return the view of the whole log and the newest terms of each instrument.

    Raises: LogError for a topic that is not there, GapError for a log with a hole.
    """
    from services.cli.log import read_to_end

    view, instruments = CrossesView(), {}
    try:
        for entry in read_to_end(bootstrap, CROSS_TOPICS):
            if entry.envelope is None:
                continue
            if isinstance(entry.message, InstrumentDefined):
                instruments[entry.message.instrument_id] = entry.message
            view.fold(entry.topic, entry.partition, entry.envelope, entry.message)
    except LookupError as error:
        raise LogError(str(error.args[0])) from error
    return view, instruments


def as_json(rows: Sequence[CrossRow]) -> dict[str, Any]:
    """Return the crosses with their orders, and the totals; integers in the units of CrossRow."""
    return {
        "crosses": [
            row._asdict() | {"orders": [order._asdict() for order in row.orders]} for row in rows
        ],
        "totals": [each._asdict() for each in total_crosses(rows)],
    }


def as_csv(rows: Sequence[CrossRow]) -> str:
    """Return one line per cross and order, integers in the units of CrossRow and CrossOrder."""
    of_cross = [name for name in CrossRow._fields if name not in ("orders", *CrossOrder._fields)]
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([*of_cross, *CrossOrder._fields])
    for row in rows:
        for order in row.orders:
            writer.writerow([*(_cell(getattr(row, name)) for name in of_cross), *map(_cell, order)])
    return written.getvalue()


def _cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


COLUMNS = (
    "cross",
    "kind",
    "symbol",
    "quantity",
    "price",
    "bid",
    "ask",
    "evidence",
    "buys",
    "sells",
    "improved",
    "fees saved",
    "fairness",
    "declaration",
)
TEXTS = ("cross", "kind", "symbol", "evidence", "declaration")


def render(
    rows: Sequence[CrossRow], instruments: Mapping[str, InstrumentDefined], *, top: int = 20
) -> Table:
    """Return the table of the newest crosses."""
    shown = rows[-top:]
    some = f", the newest {len(shown)}" if len(shown) < len(rows) else ""
    noun = "cross" if len(rows) == 1 else "crosses"
    table = Table(
        title=f"{len(rows):,} {noun}{some}", title_justify="left", box=None, pad_edge=False
    )
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in TEXTS else "right", no_wrap=True)
    for row in shown:
        table.add_row(*_cells(row, instruments.get(row.instrument_id)))
    return table


def _cells(row: CrossRow, terms: InstrumentDefined | None) -> tuple[str, ...]:
    sides = [
        sum(1 for o in row.orders if o.side == side and o.quantity) for side in ("BUY", "SELL")
    ]
    age = decimal(row.quote_age_ns, E9, 1)
    return (
        row.cross_id,
        NAMES[row.kind],
        terms.symbol if terms else row.instrument_id,
        quantity(row.quantity, terms.quantity_scale if terms else 1),
        price(row.price_e9),
        price(row.bid_e9),
        price(row.ask_e9),
        f"{row.bid_venue_id}/{row.ask_venue_id} {age} s",
        str(sides[0]),
        str(sides[1]),
        f"{money(row.improvement_e9)} {row.currency}",
        f"{money(row.saved_fee_e9)} {row.currency}",
        decimal(row.fairness_e9, E9, 6) + ("*" if row.is_restricted else ""),
        _declaration(row),
    )


def _declaration(row: CrossRow) -> str:
    if not row.declaration_id:
        return "not needed"
    regime = f" {row.regime}" if row.regime else ""
    by = f" by {row.declared_by}" if row.declared_by else ""
    return f"{row.declaration_id}{regime}{by}"


def render_totals(totals: Sequence[CrossTotal]) -> Table:
    """Return the table of the sums by kind and currency."""
    table = Table(title="Totals", title_justify="left", box=None, pad_edge=False)
    names = ("kind", "currency", "crosses", "orders", "notional", "improved", "fees saved", "saved")
    for name in names:
        table.add_column(name, justify="left" if name in ("kind", "currency") else "right")
    for each in totals:
        table.add_row(
            NAMES[each.kind],
            each.currency,
            f"{each.crosses:,}",
            f"{each.orders:,}",
            money(each.notional_e9),
            money(each.improvement_e9),
            money(each.saved_fee_e9),
            money(each.improvement_e9 + each.saved_fee_e9),
        )
    return table
