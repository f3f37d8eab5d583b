"""`penstock tca`: what the parents, orders and children of a log cost against the market."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import Side, TcaLevel, Wait
from schemas.messages.tca import TcaRow
from services.cli.figures import decimal, money, points, price, quantity
from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.sentences import errors_as_sentences
from streams.core.errors import LogError
from streams.core.topics import CONTROL_COMMANDS
from streams.views.tca import TCA_TOPICS, TcaView
from streams.views.totals import total

if TYPE_CHECKING:
    from services.cli.log import LogEntry

UNKNOWN_ID = 2
WIDTH_MIN = 132  # columns; a table takes no more than it needs
NOUNS = {
    TcaLevel.PARENT: ("parent", "parents"),
    TcaLevel.ORDER: ("order", "orders"),
    TcaLevel.CHILD: ("child", "children"),
}
NO_INSTRUMENTS: Mapping[str, InstrumentDefined] = {}


def tca(
    bootstrap: Bootstrap = "",
    order: Annotated[str, typer.Option(help="Id of an order or parent; default: all")] = "",
    top: Annotated[int, typer.Option(min=1, help="Rows per table, largest first")] = 20,
    is_json: Json = False,
) -> None:
    """Show the cost of every parent, or of one order with its parents and children.

    + is a gain against the benchmark. Exits 2 for an unknown id.
    """
    with errors_as_sentences():
        view, instruments = read(resolve_bootstrap(bootstrap))
    rows = view.rows()
    if order:
        related = view.related(order)
        rows = [row for row in rows if row.id in related]
        if not any(row.id == order for row in rows):
            typer.echo(f"{order} is no order, parent or child in this log", err=True)
            raise typer.Exit(UNKNOWN_ID)
    waits = view.waits(order)
    if is_json:
        told = {"waits": msgspec.to_builtins(waits)} if order else {}
        typer.echo(json.dumps(as_json(rows) | told))
        return
    console = Console()
    console.width = max(console.width, WIDTH_MIN)  # prices cut short are worse than a long line
    levels = (TcaLevel.ORDER, TcaLevel.PARENT, TcaLevel.CHILD) if order else (TcaLevel.PARENT,)
    for level in levels:
        if any(row.level is level for row in rows):
            console.print(render(rows, instruments, level=level, top=top))
    for wait in waits:
        console.print(delay_line(wait))


def delay_line(wait: Wait) -> str:
    """Return what one wait for a netting window gained; the window is our doing, so it counts."""
    seconds = decimal(wait.waited_ns, 10**9, 3)
    moved = f"mid {price(wait.arrival_price_e9)} to {price(wait.price_e9)}"
    return f"waited {seconds} s to be netted: {moved}, gain {money(-wait.cost_e9)}"


def read(bootstrap: str) -> tuple[TcaView, dict[str, InstrumentDefined]]:
    """Return the view of the whole log and the newest terms of each instrument.

    Raises: LogError for a topic that is not there, GapError for a log with a hole.
    """
    view, instruments = TcaView(), {}
    for entry in _entries(bootstrap):
        if isinstance(entry.message, InstrumentDefined):
            instruments[entry.message.instrument_id] = entry.message
        elif entry.envelope is not None and entry.topic != CONTROL_COMMANDS:
            view.fold(entry.topic, entry.partition, entry.envelope, entry.message)
    return view, instruments


def _entries(bootstrap: str) -> "Iterator[LogEntry]":
    from services.cli.log import read_to_end

    try:
        yield from read_to_end(bootstrap, (CONTROL_COMMANDS, *TCA_TOPICS))
    except LookupError as error:
        raise LogError(str(error.args[0])) from error


def as_json(rows: Sequence[TcaRow]) -> dict[str, Any]:
    """Return the rows by level with their totals; integers in the units of TcaRow."""
    levels = (TcaLevel.PARENT, TcaLevel.ORDER, TcaLevel.CHILD)
    by_level = {level: [row for row in rows if row.level is level] for level in levels}
    return {
        "rows": [msgspec.to_builtins(row) for row in rows],
        "totals": {str(level): total(found)._asdict() for level, found in by_level.items()},
    }


def render(
    rows: Sequence[TcaRow],
    instruments: Mapping[str, InstrumentDefined] = NO_INSTRUMENTS,
    *,
    level: TcaLevel = TcaLevel.PARENT,
    top: int = 20,
) -> Table:
    """Return the table of one level: the largest by notional, and the total of all."""
    mine = [row for row in rows if row.level is level]
    largest = sorted(mine, key=lambda row: (-row.quantity * (row.average_price_e9 or 0), row.id))
    shown = largest[:top]
    noun = NOUNS[level][len(mine) != 1]
    some = f", the largest {len(shown)}" if len(shown) < len(mine) else ""
    table = Table(
        title=f"Cost of {len(mine):,} {noun}{some} (+ is a gain)",
        title_justify="left",
        box=None,
        pad_edge=False,
        show_footer=True,
    )
    for name, foot in zip(COLUMNS, _footer(mine, instruments), strict=True):
        is_text = name in ("id", "side", "symbol")
        table.add_column(name, foot, justify="left" if is_text else "right", no_wrap=True)
    for row in shown:
        table.add_row(*_cells(row, instruments.get(row.instrument_id)))
    return table


COLUMNS = (
    "id",
    "side",
    "symbol",
    "ordered",
    "done",
    "avg px",
    "arrival",
    "ivwap",
    "bp arrival",
    "bp ivwap",
    "fees",
)


def _cells(row: TcaRow, terms: InstrumentDefined | None) -> tuple[str, ...]:
    scale = terms.quantity_scale if terms else 1
    return (
        row.id,
        "buy" if row.side is Side.BUY else "sell",
        terms.symbol if terms else row.instrument_id,
        quantity(row.ordered_quantity, scale),
        quantity(row.quantity, scale),
        price(row.average_price_e9),
        price(row.arrival_price_e9),
        price(row.interval_vwap_e9),
        points(row.arrival_performance_e9),
        points(row.vwap_performance_e9),
        money(row.fee_e9),
    )


def _footer(
    rows: Sequence[TcaRow], instruments: Mapping[str, InstrumentDefined]
) -> tuple[str, ...]:
    """Quantities and prices of several instruments, and fees of several currencies, do not add."""
    sums, names = total(rows), sorted({row.instrument_id for row in rows})
    terms = [instruments[name] for name in names if name in instruments]
    scale = terms[0].quantity_scale if terms else 1
    is_one = len(names) == 1
    is_one_currency = is_one or len({one.currency for one in terms}) <= 1
    return (
        "total",
        "",
        "",
        quantity(sums.ordered_quantity, scale) if is_one else "",
        quantity(sums.quantity, scale) if is_one else "",
        price(sums.average_price_e9) if is_one else "",
        price(sums.arrival_price_e9) if is_one else "",
        price(sums.interval_vwap_e9) if is_one else "",
        points(sums.arrival_performance_e9),
        points(sums.vwap_performance_e9),
        money(sums.fee_e9) if is_one_currency else "",
    )
