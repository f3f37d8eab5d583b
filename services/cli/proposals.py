"""What commands share that put texts in force by two persons: who, why, the id, the answer."""

import json
import time
from collections.abc import Container
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from services.proposals import Proposals, Proposed

__all__ = [
    "REFUSED",
    "Actor",
    "Reason",
    "approvable",
    "publish_control",
    "refuse",
    "say",
    "standing",
    "unused_id",
]

REFUSED = 3
Actor = Annotated[str, typer.Option(help="The person who does it", envvar=["PENSTOCK_ACTOR"])]
Reason = Annotated[str, typer.Option(help="Why; kept in the log")]


def unused_id(known: Container[str], sha256: str) -> str:
    """Return the start of the hash, with an ordinal if that text was proposed before."""
    name, ordinal = sha256[:12], 1
    while name in known:
        ordinal += 1
        name = f"{sha256[:12]}-{ordinal}"
    return name


def approvable(story: "Proposals", proposal_id: str, actor: str) -> "Proposed":
    """Return the proposal that `actor` may approve; ends with a refusal where the shards would."""
    proposal = story.proposals.get(proposal_id)
    if proposal is None:
        refuse(f"no proposal {proposal_id} in this log")
    if actor in ("", proposal.proposed_by):
        refuse(f"{proposal.proposed_by} proposed it; another person must approve")
    return proposal


def standing(story: "Proposals") -> dict[str, Any]:
    """Return what is in force on each shard and which proposals wait, as JSON has it."""
    return {
        "shards": {
            str(shard): {
                "version": each.version,
                "proposal_id": each.proposal_id,
                "sha256": each.sha256,
                "proposed_by": each.proposed_by,
                "approved_by": each.approved_by,
            }
            for shard, each in sorted(story.in_force.items())
        },
        "waiting": [each.message.proposal_id for each in story.waiting()],
    }


def publish_control(bootstrap: str, key: str, message: Any, actor: str) -> None:
    """Put one message on control.commands. Raises KafkaException."""
    from infra.topics import read_log_id
    from services.demo.publish import publish
    from streams.core.topics import CONTROL_COMMANDS

    publish(
        bootstrap,
        CONTROL_COMMANDS,
        [(key, 0, message)],
        at_ns=time.time_ns(),
        actor=actor,
        log_id=read_log_id(bootstrap),
    )


def refuse(sentence: str) -> NoReturn:
    """Say why and end with the code of a refusal."""
    typer.echo(sentence, err=True)
    raise typer.Exit(REFUSED)


def say(is_json: bool, facts: dict[str, Any]) -> None:
    """Print an answer, as JSON or for people."""
    if is_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo(" ".join(f"{name}={value}" for name, value in facts.items()))
