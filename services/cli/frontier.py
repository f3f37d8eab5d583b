"""`penstock frontier`: impact, risk and completion of an order, before the trade and after it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from schemas.messages.core import Urgency
from services.cli.options import Bootstrap, Json, resolve_bootstrap

if TYPE_CHECKING:
    from services.frontier.shown import Mark, Shown

UNKNOWN_ID, NO_CHOICE = 2, 3
E9, BPS = 1_000_000_000, 10_000
MINUTE_NS = 60 * E9
WIDTH_MIN = 100  # columns: figures cut short are worse than a long line
HEAD = ("way", "share", "minutes", "impact bp", "cost bp", "risk bp", "done", "left over")
Out = Annotated[Path | None, typer.Option(help="Draw it: a file that ends in .svg or .html")]


def frontier(
    subject: Annotated[str, typer.Argument(help="Id of an order or a parent")] = "",
    *,
    bootstrap: Bootstrap = "",
    out: Out = None,
    is_json: Json = False,
    is_before: Annotated[
        bool, typer.Option("--pre-trade", help="Of no order: of the numbers below")
    ] = False,
    quantity: Annotated[int, typer.Option(min=1, help="To do, smallest units")] = 10_000,
    daily_volume: Annotated[int, typer.Option(min=1, help="Volume of a day")] = 1_000_000,
    volume_cv: Annotated[float, typer.Option(min=0, help="Of the volume to come")] = 0.35,
    volatility_bps: Annotated[float, typer.Option(min=0.01, help="Of a day")] = 157.0,
    spread_bps: Annotated[float, typer.Option(min=0)] = 3.0,
    minutes: Annotated[float, typer.Option(min=0.1, help="Window")] = 390.0,
    day_minutes: Annotated[float, typer.Option(min=1, help="Trading in a day")] = 390.0,
    cap_bps: Annotated[int, typer.Option(min=1, max=BPS, help="Own share at most")] = BPS,
    floor_bps: Annotated[int, typer.Option(min=0, max=9_990, help="Completion floor")] = 0,
    urgency: Urgency = Urgency.NEUTRAL,
) -> None:
    """Show what an order may choose between, what its policy chose, and what came of it.

    Exits 2 for an unknown id, 3 where nothing is known of the volume to come.
    """
    if out is not None and out.suffix not in (".svg", ".html"):
        typer.echo(f"{out} ends neither in .svg nor in .html", err=True)
        raise typer.Exit(1)
    if is_before or not subject:
        from services.frontier.before import Terms, before

        terms = Terms(
            quantity=quantity,
            daily_volume=daily_volume,
            volume_cv=volume_cv,
            volatility_bps=volatility_bps,
            spread_bps=spread_bps,
            minutes=minutes,
            day_minutes=day_minutes,
            cap_bps=cap_bps,
            floor_bps=floor_bps,
            urgency=urgency,
        )
        found = [before(terms)]
    else:
        found = _of_log(subject, resolve_bootstrap(bootstrap))
    if out is not None:
        _draw(found, out)
    if is_json:
        typer.echo(json.dumps({"frontiers": [as_json(each) for each in found]}))
        return
    console = Console()
    console.width = max(console.width, WIDTH_MIN)
    for each in found:
        console.print(table(each))
        for line in sentences(each):
            console.print(line, highlight=False)


def _of_log(subject: str, bootstrap: str) -> "list[Shown]":
    from services.cli.log import read_to_end
    from services.frontier.shown import shown
    from services.frontier.story import read
    from streams.core.topics import (
        AGGREGATIONS_EVENTS,
        FILLS_EVENTS,
        PLANS_EVENTS,
        STRATEGIES_EVENTS,
    )

    topics = (AGGREGATIONS_EVENTS, STRATEGIES_EVENTS, FILLS_EVENTS, PLANS_EVENTS)
    entries = (
        (entry.message, entry.envelope.at_ns)
        for entry in read_to_end(bootstrap, topics)
        if entry.envelope is not None
    )
    story = read(entries)
    parents = story.find(subject)
    if not parents:
        typer.echo(f"{subject} is no order or parent that was worked in this log", err=True)
        raise typer.Exit(UNKNOWN_ID)
    found = []
    for parent in parents:
        choice = parent.choice()
        if choice is not None:
            name = parent.opened.parent_id
            title = f"{name}: {parent.opened.side.lower()} {parent.opened.instrument_id}"
            found.append(shown(title, choice, story.fitted(choice), parent.outcome()))
    if not found:
        typer.echo(f"nothing in this log says what volume {subject} could expect", err=True)
        raise typer.Exit(NO_CHOICE)
    return found


def _draw(found: "Sequence[Shown]", out: Path) -> None:
    from services.frontier.picture import page, svg

    for n, each in enumerate(found):
        path = out if n == 0 else out.with_stem(f"{out.stem}-{n + 1}")
        is_page = path.suffix == ".html"
        path.write_text(page(each, [HEAD, *rows(each)]) if is_page else svg(each))


def rows(what: "Shown") -> list[tuple[str, ...]]:
    """Return the table's rows as texts."""
    from services.frontier.shown import rows_of

    return [_row(mark, what) for mark in rows_of(what)]


def _row(mark: "Mark", what: "Shown") -> tuple[str, ...]:
    return (
        mark.name,
        f"{mark.participation:.1%}",
        f"{min(mark.days * what.inputs.day_ns, what.window_ns) / MINUTE_NS:,.1f}",
        f"{mark.impact:.1f}",
        f"{mark.cost:.1f}",
        f"{mark.risk:.1f}",
        f"{mark.completion:.1%}",
        f"{mark.unfilled:.1%}",
    )


def table(what: "Shown") -> Table:
    view = Table(title=what.title, title_justify="left")
    for n, name in enumerate(HEAD):
        view.add_column(name, justify="right" if n else "left")
    for n, row in enumerate(rows(what)):
        view.add_row(*row, style="bold" if n == 0 else "")
    return view


def sentences(what: "Shown") -> list[str]:
    """Return what the table does not say: the second opinion, the floor, the outcome."""
    before = what.before
    said = [
        f"impact before the trade: {before.cost:.1f} bp +- {before.model_error:.1f} of the model, "
        f"+- {before.risk:.1f} of the market; half the spread {what.half_spread:.1f} bp; "
        f"square-root law {before.root:.1f} bp" + (", WHICH DIFFERS" if before.is_flagged else "")
    ]
    if what.required_cap_bps:
        said.append(
            f"the completion floor needs a cap of {what.required_cap_bps / 100:.1f} %, "
            f"for {what.required_price:+.1f} bp"
        )
    if what.outcome is not None:
        one = what.outcome
        said.append(
            f"realised: {one.cost:.1f} bp where {one.expected:.1f} +- {one.band:.1f} were expected "
            f"({one.deviations:+.1f} sd), {one.filled:,} of {one.quantity:,} done, "
            f"{one.participation:.1%} of the volume"
        )
    return said


def as_json(what: "Shown") -> dict[str, Any]:
    """Return all of it; basis points, days, probabilities."""
    outcome = what.outcome
    return {
        "title": what.title,
        "model": what.model,
        "inputs": {name: getattr(what.inputs, name) for name in what.inputs.__struct_fields__},
        "chosen": what.chosen._asdict(),
        "ways": [mark._asdict() for mark in what.marks],
        "curve": [mark._asdict() for mark in what.curve],
        "required_cap_bps": what.required_cap_bps,
        "required_price_bps": what.required_price,
        "before": {
            **what.before._asdict(),
            "band": what.before.band,
            "is_flagged": what.before.is_flagged,
        },
        "outcome": None
        if outcome is None
        else {**outcome._asdict(), "deviations": outcome.deviations},
    }
