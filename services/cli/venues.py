"""`penstock venues`: what each venue is worth now, by kind of order, bucket and side."""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from schemas.messages.core import Estimate, OrderKind, Side
from services.cli.figures import decimal, points
from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.sentences import errors_as_sentences
from streams.core.errors import LogError
from streams.views.scores import SCORE_TOPICS, ScoreRow, ScoresView

if TYPE_CHECKING:
    from services.cli.log import LogEntry

NOTHING = "-"
Choice = TypeVar("Choice")
SHOWN_AGE_NS = 15_000_000_000
WIDTH_MIN = 144  # columns; figures cut short are worse than a long line
WIDTH_ALL = 224  # with the markouts and what shrinkage did
REPAINT_S = 1.0
WRONG = 2
MARKED = ("100ms", "1s", "5s", "30s", "1m", "5m")


def venues(
    *,
    bootstrap: Bootstrap = "",
    kind: Annotated[str, typer.Option(help="passive, aggressive, dark or auction")] = "",
    bucket: Annotated[str, typer.Option(help="Bucket of instruments, such as medium-deep")] = "",
    instrument: Annotated[str, typer.Option(help="The bucket of this instrument")] = "",
    side: Annotated[str, typer.Option(help="buy or sell")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Show each change")] = False,
    wide: Annotated[
        bool, typer.Option("--wide", help="With markouts, however long a line")
    ] = False,
    is_json: Json = False,
) -> None:
    """Rank the venues by what they cost all in, shrunk; + is a gain, ± one standard error.

    `penstock simulator` runs the venues of a demonstration. Exits 2 for an unknown kind or side.
    """
    wanted = _kind(kind), _side(side)
    cluster = resolve_bootstrap(bootstrap)
    view = ScoresView()

    def rows() -> list[ScoreRow]:
        named = bucket or view.buckets.get(instrument, instrument)
        return view.rows(wanted[0], named, wanted[1])

    with errors_as_sentences():
        if follow:
            _follow(cluster, view, rows, is_json=is_json, is_wide=wide)
        else:
            for entry in _entries(cluster):
                _see(view, entry)
            _show(rows(), is_json=is_json, is_wide=wide)


def _follow(cluster: str, view: ScoresView, rows: Any, *, is_json: bool, is_wide: bool) -> None:
    from services.cli.log import read_batches

    is_new, painted_s = True, 0.0
    try:
        for entries, is_at_end in read_batches(cluster, SCORE_TOPICS):
            changes = [_see(view, entry) for entry in entries]
            is_new = is_new or any(changes)
            if is_at_end and is_new and time.monotonic() - painted_s >= REPAINT_S:
                if not is_json:
                    Console().clear()
                _show(rows(), is_json=is_json, is_wide=is_wide)
                is_new, painted_s = False, time.monotonic()
    except LookupError as error:
        raise LogError(str(error.args[0])) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _see(view: ScoresView, entry: "LogEntry") -> bool:
    if entry.envelope is None:
        return False
    return view.fold(entry.topic, entry.partition, entry.envelope, entry.message)


def _entries(bootstrap: str) -> Any:
    from services.cli.log import read_to_end

    try:
        yield from read_to_end(bootstrap, SCORE_TOPICS)
    except LookupError as error:
        raise LogError(str(error.args[0])) from error


def _show(rows: Sequence[ScoreRow], *, is_json: bool, is_wide: bool) -> None:
    if is_json:
        typer.echo(json.dumps(as_json(rows)))
        return
    console = Console()
    is_wide = is_wide or console.width >= WIDTH_ALL
    console.width = max(console.width, WIDTH_ALL if is_wide else WIDTH_MIN)
    if not rows:
        console.print("no venue was scored yet")
    for made in render(rows, is_wide=is_wide):
        console.print(made)


def as_json(rows: Sequence[ScoreRow]) -> dict[str, Any]:
    """Return the rows as they are: costs in 1e-9 basis points, less is better."""
    return {"venues": [msgspec.to_builtins(row._asdict()) for row in rows]}


def render(rows: Sequence[ScoreRow], *, is_wide: bool = True) -> list[Table]:
    """Return one table for each kind, bucket and side; best venue first.

    A narrow one leaves out the markouts and the score before shrinkage.
    """
    tables: dict[tuple[str, OrderKind, Side], Table] = {}
    for row in rows:
        key = (row.bucket, row.kind, row.side)
        if key not in tables:
            tables[key] = _table(row, is_wide=is_wide)
        cells = zip(COLUMNS, _cells(row), strict=True)
        tables[key].add_row(*(cell for name, cell in cells if is_wide or name not in WIDE_ONLY))
    return list(tables.values())


def _table(row: ScoreRow, *, is_wide: bool) -> Table:
    side = "buys" if row.side is Side.BUY else "sells"
    model = f", prior {row.model}" if row.model else ""
    made = Table(
        title=f"{row.kind.value.lower()} {side}, {row.bucket} (bp, + is a gain){model}",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for name in COLUMNS:
        if name in WIDE_ONLY and not is_wide:
            continue
        made.add_column(name, justify="left" if name == "venue" else "right", no_wrap=True)
    return made


COLUMNS = (
    "#",
    "venue",
    "all in",
    "unshrunk",
    "n",
    "fill 15s",
    "to fill",
    "rejects",
    "ack p50",
    "p99",
    "spread",
    "on the way",
    "realized",
    "fee",
    "leakage",
    "missed",
    *MARKED,
)
WIDE_ONLY = ("unshrunk", *MARKED)


def _cells(row: ScoreRow) -> tuple[str, ...]:
    at = next(
        (at for at, age in enumerate(row.horizons_ns) if age >= SHOWN_AGE_NS),
        len(row.horizons_ns) - 1,
    )
    return (
        str(row.rank),
        row.venue_id,
        _cost(row.shrunk_e9, row.shrunk_error_e9),
        _cost(row.score.mean_e9, row.score.error_e9),
        decimal(row.children_e9, 10**9, 1),
        f"{_part(row.fill_e9[at])}±{_part(row.fill_error_e9[at])}",
        _seconds(row.time_to_fill_ns),
        _part(row.rejects.mean_e9),
        _ms(row.ack_p50_ns),
        _ms(row.ack_p99_ns),
        _estimate(row.effective, -1),
        _estimate(row.latency, -1),
        _estimate(row.realized, -1),
        _estimate(row.fee, -1),
        _estimate(row.leakage, -1),
        _estimate(row.missed, -1),
        *(_estimate(each, 1) for each in row.markouts),
    )


def _cost(cost_e9: int, error_e9: int) -> str:
    return f"{points(-cost_e9)}±{decimal(error_e9, 10**9, 1)}"


def _estimate(known: Estimate, sign: int) -> str:
    """Return a mean with its error; nothing where nothing was seen."""
    if not known.weight_e9:
        return NOTHING
    return f"{points(sign * known.mean_e9)}±{decimal(known.error_e9, 10**9, 1)}"


def _part(part_e9: int) -> str:
    return f"{decimal(part_e9 * 100, 10**9, 0)}%"


def _seconds(ns: int | None) -> str:
    return NOTHING if ns is None else f"{decimal(ns, 10**9, 1)}s"


def _ms(ns: int | None) -> str:
    return NOTHING if ns is None else f"{decimal(ns, 10**6, 1)}ms"


def _kind(text: str) -> OrderKind | None:
    known: dict[str, OrderKind] = {
        kind.value.lower(): kind for kind in OrderKind if kind is not OrderKind.UNKNOWN
    }
    return one_of("kind", text, known)


def _side(text: str) -> Side | None:
    return one_of("side", text, {"buy": Side.BUY, "sell": Side.SELL})


def one_of(name: str, text: str, known: dict[str, Choice]) -> Choice | None:
    """Return what the text names; None for an empty one. Exits 2 for any other."""
    if not text:
        return None
    if text.lower() not in known:
        typer.echo(f"{name} {text} is not one of {', '.join(known)}", err=True)
        raise typer.Exit(WRONG)
    return known[text.lower()]
