"""`penstock venue-model ...`: fit what venues do, judge it, propose and approve it."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console

from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.proposals import (
    Actor,
    Reason,
    approvable,
    publish_control,
    refuse,
    say,
    standing,
    unused_id,
)
from services.cli.sentences import errors_as_sentences
from streams.core.errors import LogError

if TYPE_CHECKING:
    from schemas.messages.core import Envelope
    from services.proposals import Proposals
    from services.venuemodel.children import Observed
    from streams.scorecard.model import VenueModel

app = typer.Typer(
    name="venue-model",
    help="What venues do, fitted from the log: proposed by one person, approved by another.",
    no_args_is_help=True,
)
KEY = "venue-model"  # of its messages on control.commands
Archive = Annotated[
    list[Path] | None,
    typer.Option(help="Children of another day, as `observe` wrote them", exists=True),
]


@app.command()
def fit(
    *,
    bootstrap: Bootstrap = "",
    archive: Archive = None,
    against: Annotated[
        Path | None, typer.Option(help="Model file to hold it against", exists=True)
    ] = None,
    part: Annotated[
        float, typer.Option("--split", min=0.1, max=0.9, help="Part of the parents to fit on")
    ] = 0.7,
    out: Annotated[Path | None, typer.Option(help="Write the model here, as JSON")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report here, Markdown")] = None,
    name: Annotated[str, typer.Option(help="Name of the model; default: of its day")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Also list past decisions it would have changed")
    ] = False,
    propose: Annotated[bool, typer.Option("--propose", help="Ask for it on the log")] = False,
    actor: Actor = "",
    reason: Reason = "",
    is_json: Json = False,
) -> None:
    """Fit fill, cost, leakage and latency, and hold them against the model in force.

    It changes nothing before another person approves it. Exits 3 where it proposes a model that is
    worse than the one in force out of sample.
    """
    from services.venuemodel.judge import Judge
    from services.venuemodel.report import as_json, markdown
    from services.venuemodel.work import gather, work

    cluster = resolve_bootstrap(bootstrap)
    with errors_as_sentences():
        observed = gather(_entries(cluster), archive or [])
        old = None if against is None else _model(against)
        outcome = work(observed, name=name or _name(observed), part=part, old=old)
    text = markdown(outcome, Judge(observed.children, observed.venues, observed.prices))
    if out is not None:
        out.write_text(outcome.content)
    if report is not None:
        report.write_text(text)
    found = as_json(outcome)
    if not dry_run:
        found["what_if"].pop("decisions")
    if propose:
        if dry_run:
            refuse("--dry-run proposes nothing")
        if outcome.verdict.word == "worse":
            refuse("worse than what is in force out of sample; see the report")
        found["proposal_id"] = _propose(cluster, outcome.content, actor, reason)
    if is_json:
        typer.echo(json.dumps(found))
    else:
        Console(soft_wrap=True).print(text if dry_run else _short(text), markup=False)
        if propose:
            typer.echo(f"proposal_id={found['proposal_id']} sha256={found['sha256']}")


@app.command()
def observe(
    out: Annotated[Path, typer.Argument(help="File for the children, JSON lines")],
    bootstrap: Bootstrap = "",
) -> None:
    """Keep what became of every child of this log, for the fits of later days."""
    from services.venuemodel.children import write
    from services.venuemodel.work import gather

    with errors_as_sentences():
        observed = gather(_entries(resolve_bootstrap(bootstrap)), [])
    write(observed, out)
    typer.echo(f"{len(observed.children):,} children in {out}")


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(help="Model as `fit --out` wrote it", exists=True)],
    *,
    actor: Actor,
    reason: Reason = "",
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Ask for a model of a file. It changes nothing before another person approves it."""
    from services.venuemodel.work import content_of

    with errors_as_sentences():
        content = content_of(_model(file))
        proposal_id = _propose(resolve_bootstrap(bootstrap), content, actor, reason)
    say(is_json, {"proposal_id": proposal_id, "proposed_by": actor})


@app.command()
def approve(
    proposal_id: Annotated[str, typer.Argument(help="Id that `propose` or `fit` printed")],
    *,
    actor: Actor,
    reason: Reason = "",
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Put a proposed model in force on every shard. Not by the person who proposed it."""
    from schemas.messages.scorecard import VenueModelApproved

    cluster = resolve_bootstrap(bootstrap)
    with errors_as_sentences():
        story = _story(cluster)
    sha256 = approvable(story, proposal_id, actor).message.sha256
    message = VenueModelApproved(proposal_id=proposal_id, sha256=sha256, reason=reason)
    publish_control(cluster, KEY, message, actor)
    say(is_json, {"proposal_id": proposal_id, "sha256": sha256, "approved_by": actor})


@app.command()
def show(bootstrap: Bootstrap = "", is_json: Json = False) -> None:
    """Print which model each shard uses, and what waits for approval."""
    with errors_as_sentences():
        story = _story(resolve_bootstrap(bootstrap))
    if is_json:
        typer.echo(json.dumps(standing(story)))
        return
    if not story.in_force:
        typer.echo("no venue model in force: the venues' terms are the prior")
    for shard, model in sorted(story.in_force.items()):
        typer.echo(
            f"shard {shard}: version {model.version}, {model.proposal_id}, proposed by "
            f"{model.proposed_by}, approved by {model.approved_by}"
        )
    for waiting in story.waiting():
        message = waiting.message
        by = waiting.proposed_by
        typer.echo(f"waits for approval: {message.proposal_id}, by {by}: {message.reason}")


def _entries(bootstrap: str) -> "Iterator[tuple[Envelope, Any]]":
    from services.venuemodel.children import OBSERVED_TOPICS

    yield from _read(bootstrap, OBSERVED_TOPICS)


def _read(bootstrap: str, topics: Sequence[str]) -> "Iterator[tuple[Envelope, Any]]":
    from services.cli.log import read_to_end

    try:
        for entry in read_to_end(bootstrap, topics):
            if entry.envelope is not None:
                yield entry.envelope, entry.message
    except LookupError as error:
        raise LogError(str(error.args[0])) from error


def _story(bootstrap: str) -> "Proposals":
    from services.venuemodel.story import TOPICS, tell

    return tell(_read(bootstrap, TOPICS))


def _model(path: Path) -> "VenueModel":
    from streams.scorecard.model import parse

    try:
        return parse(path.read_text())
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LogError(f"{path.name}: {error}") from error


def _name(observed: "Observed") -> str:
    last_ns = max((child.placed_ns for child in observed.children), default=0)
    return time.strftime("venues-%Y%m%dT%H%M%S", time.gmtime(last_ns // 10**9))


def _propose(bootstrap: str, content: str, actor: str, reason: str) -> str:
    from schemas.messages.scorecard import VenueModelProposed
    from streams.core.proposals import digest

    if not actor:
        refuse("--actor must name the person who proposes")
    sha256 = digest(content)
    proposal_id = unused_id(_story(bootstrap).proposals, sha256)
    message = VenueModelProposed(
        proposal_id=proposal_id, content=content, sha256=sha256, reason=reason
    )
    publish_control(bootstrap, KEY, message, actor)
    return proposal_id


def _short(text: str) -> str:
    """Return the report without the past decisions."""
    head, _, rest = text.partition("## What it would have changed\n\n")
    return head + rest.partition("\n")[0]
