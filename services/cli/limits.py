"""`penstock limits ...`: pre-trade limits, their changes, flows and leases."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, JustifyMethod
from rich.table import Table

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

if TYPE_CHECKING:
    from services.limits.story import Story
    from streams.risk.limits import LimitSet

app = typer.Typer(
    name="limits",
    help="Pre-trade limits: proposed by one person, approved by another, in force by version.",
    no_args_is_help=True,
)
KEY = "limits"  # of its messages on control.commands


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(help="TOML file with the whole set", exists=True)],
    *,
    actor: Actor,
    proposal_id: Annotated[str, typer.Option("--id", help="Own id; default: of the hash")] = "",
    reason: Reason = "",
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Ask for other limits. They change nothing before another person approves them."""
    from schemas.messages.risk import LimitsProposed
    from services.limits.files import LimitFileError, read
    from streams.core.proposals import digest
    from streams.risk.limits import canonical

    try:
        limits = read(file)
    except LimitFileError as error:
        refuse(str(error))
    content = canonical(limits)
    sha256 = digest(content)
    cluster = resolve_bootstrap(bootstrap)
    known = _story(cluster).proposals
    name = proposal_id or unused_id(known, sha256)
    if name in known:
        refuse(f"proposal {name} is in the log already")
    message = LimitsProposed(proposal_id=name, content=content, sha256=sha256, reason=reason)
    publish_control(cluster, KEY, message, actor)
    say(is_json, {"proposal_id": name, "sha256": sha256, "limits": len(limits.limits)})


@app.command()
def approve(
    proposal_id: Annotated[str, typer.Argument(help="Id that `propose` printed")],
    actor: Actor,
    reason: Reason = "",
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Put proposed limits in force on every shard. Not by the person who proposed them."""
    from schemas.messages.risk import LimitsApproved

    cluster = resolve_bootstrap(bootstrap)
    sha256 = approvable(_story(cluster), proposal_id, actor).message.sha256
    message = LimitsApproved(proposal_id=proposal_id, sha256=sha256, reason=reason)
    publish_control(cluster, KEY, message, actor)
    say(is_json, {"proposal_id": proposal_id, "sha256": sha256, "approved_by": actor})


@app.command(name="release-throttle")
def release(
    flow_id: Annotated[str, typer.Argument(help="Id of a disabled flow, as `show` prints it")],
    actor: Actor,
    reason: Reason = "",
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Let a flow that the throttle has disabled trade again."""
    from schemas.messages.risk import ThrottleReleased

    cluster = resolve_bootstrap(bootstrap)
    if flow_id not in _story(cluster).disabled:
        refuse(f"{flow_id} is no disabled flow")
    publish_control(cluster, KEY, ThrottleReleased(flow_id=flow_id, reason=reason), actor)
    say(is_json, {"flow_id": flow_id, "released_by": actor})


@app.command()
def show(bootstrap: Bootstrap = "", is_json: Json = False) -> None:
    """Print the limits in force, what waits for approval, and which flows are disabled."""
    from streams.risk.limits import BUILT_IN, parse

    story = _story(resolve_bootstrap(bootstrap))
    newest = max(story.in_force.values(), key=lambda each: each.version, default=None)
    limits = BUILT_IN if newest is None else parse(newest.content)
    if is_json:
        typer.echo(json.dumps(_plain(story, limits)))
        return
    console = Console()
    console.print(_table(story, limits))
    for each in story.waiting():
        name, by = each.message.proposal_id, each.proposed_by
        console.print(f"waits for approval: {name}, proposed by {by}: {each.message.reason}")
    for flow in story.disabled.values():
        console.print(
            f"disabled: {flow.flow_id} {flow.account_id} {flow.instrument_id} {flow.side} "
            f"{flow.strategy} after {flow.executions} orders"
        )


@app.command()
def coordinate(
    bootstrap: Bootstrap = "",
    once: Annotated[bool, typer.Option(help="Answer what waits, then end")] = False,
) -> None:
    """Move parts of credit limits to the shards that need them. One process at a time."""
    from services.limits.coordinator import run

    raise typer.Exit(run(resolve_bootstrap(bootstrap), is_once=once))


def _story(bootstrap: str) -> "Story":
    from services.cli.log import read_to_end
    from services.limits.story import TOPICS, tell

    return tell(read_to_end(bootstrap, TOPICS))


def _plain(story: "Story", limits: "LimitSet") -> dict[str, Any]:
    import msgspec

    return {
        "limits": msgspec.to_builtins(limits),
        **standing(story),
        "disabled": [msgspec.to_builtins(each) for each in story.disabled.values()],
    }


def _table(story: "Story", limits: "LimitSet") -> Table:
    versions = sorted({each.version for each in story.in_force.values()}) or [0]
    title = f"limits in force, version {', '.join(map(str, versions))}"
    made = Table(title=title, title_justify="left", box=None)
    for column in ("limit", "kind", "scope", "subject", "value", "window ms", "burst", "mode"):
        side: JustifyMethod = "right" if column in ("value", "burst") else "left"
        made.add_column(column, justify=side, overflow="fold")
    for limit in limits.limits:
        made.add_row(
            limit.limit_id,
            limit.kind.value,
            limit.scope.value,
            limit.subject,
            f"{limit.value:,}" if limit.value else "",
            f"{limit.window_ns // 1_000_000:,}" if limit.window_ns else "",
            f"{limit.burst:,}" if limit.burst else "",
            "shadow" if limit.is_shadow else "refuses",
        )
    return made
