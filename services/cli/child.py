"""`penstock child ...`: children that nobody answers for, settled by two persons."""

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.proposals import Actor, Reason, refuse, say, unused_id
from services.cli.sentences import errors_as_sentences
from streams.core.errors import LogError

if TYPE_CHECKING:
    from schemas.messages.control import ChildSettled
    from schemas.messages.core import SettledFill
    from services.settling import ChildrenView, Known

app = typer.Typer(
    name="child",
    help="Children whose venue does not say what became of them: listed, settled by two persons.",
    no_args_is_help=True,
)
E9 = 10**9
UNKNOWN = 2
Child = Annotated[str, typer.Argument(help="Id of the child, as `penstock child list` shows it")]
Wait = Annotated[float, typer.Option(min=0.0, help="Seconds to wait for the engine's answer")]


@app.command(name="list")
def list_children(bootstrap: Bootstrap = "", is_json: Json = False) -> None:
    """Show every child that people must settle, and what was said of it and waits for approval."""
    view = _read(resolve_bootstrap(bootstrap))
    found = [_facts(view, child) for child in view.unresolved()]
    if is_json:
        typer.echo(json.dumps({"children": found}))
        return
    if not found:
        typer.echo("every venue has said what became of our children")
    for each in found:
        typer.echo(
            f"{each['child_id']} at {each['venue_id']}: {each['side'].lower()} "
            f"{each['instrument_id']} {each['quantity']}, {each['booked']} booked, "
            f"{each['exposed']} unknown"
        )
        for waiting in each["waiting"]:
            fills = ", ".join(f"{f['quantity']} at {f['price']}" for f in waiting["fills"])
            typer.echo(
                f"  waits for approval: {waiting['settlement_id']}, by {waiting['proposed_by']}: "
                f"{waiting['cumulative']} filled in all, not booked: {fills or 'nothing'}; "
                f"says {waiting['said_by']}, see {waiting['evidence']}"
            )


@app.command()
def settle(
    child_id: Child,
    *,
    said_by: Annotated[str, typer.Option(help="Who says so at the venue")],
    evidence: Annotated[str, typer.Option(help="Ticket, mail or recording that shows it")],
    reason: Reason,
    actor: Actor,
    filled: Annotated[
        str, typer.Option(help="What the venue executed of it in all, booked part included")
    ] = "",
    price: Annotated[str, typer.Option(help="Price of all that is not booked yet")] = "",
    fill: Annotated[
        list[str] | None,
        typer.Option(help="QUANTITY@PRICE[@EXECID] of an execution that is not booked; repeat"),
    ] = None,
    fee: Annotated[str, typer.Option(help="Fee of all that is not booked; with --price")] = "0",
    nothing_filled: Annotated[
        bool, typer.Option("--nothing-filled", help="Nothing was executed beyond what is booked")
    ] = False,
    wait: Wait = 10.0,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Say what the venue told became of a child. Nothing is booked before another person approves.

    Exits 0 when it waits for approval, 2 for a child that is not in the log, 3 refused, 1 when no
    engine answers.
    """
    cluster = resolve_bootstrap(bootstrap)
    view = _read(cluster)
    child = _child(view, child_id)
    scale = view.scales.get(child.instrument_id, 1)
    if nothing_filled == bool(filled):
        refuse("say --filled QUANTITY, or --nothing-filled")
    with errors_as_sentences():
        told = child.booked if nothing_filled else _whole("filled", filled, scale)
        fills = _fills(told - child.booked, price, fee, fill or [], scale)
    words = {"said_by": said_by, "evidence": evidence, "reason": reason}
    _say(cluster, _proposal(child, told, fills, words), actor, wait, is_json=is_json)


@app.command()
def approve(
    child_id: Child,
    settlement_id: Annotated[str, typer.Argument(help="Id that `settle` printed")],
    *,
    actor: Actor,
    reason: Reason,
    wait: Wait = 10.0,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Agree to just what was said: it is booked, and what it frees is worked again.

    Not by the person who said it. Exits as `settle` does.
    """
    from schemas.messages.core import SettlementStage

    cluster = resolve_bootstrap(bootstrap)
    proposal = _child(_read(cluster), child_id).proposals.get(settlement_id)
    if proposal is None:
        refuse(f"UNKNOWN_PROPOSAL: nothing named {settlement_id} was said of {child_id}")
    words = msgspec.structs.replace(
        proposal,
        stage=SettlementStage.APPROVED,
        reason=reason,
        proposed_by="",
        approved_by="",
        freed_quantity=0,
    )
    _say(cluster, words, actor, wait, is_json=is_json)


def _proposal(
    child: "Known", told: int, fills: tuple["SettledFill", ...], words: dict[str, str]
) -> "ChildSettled":
    from schemas.messages.control import ChildSettled
    from schemas.messages.core import SettlementStage

    message = ChildSettled(
        child_id=child.child_id,
        parent_id=child.parent_id,
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        stage=SettlementStage.PROPOSED,
        settlement_id="",
        cumulative_quantity=told,
        fills=fills,
        proposed_by="",
        approved_by="",
        freed_quantity=0,
        **words,
    )
    settlement_id = unused_id(child.proposals, _digest(message))
    return msgspec.structs.replace(message, settlement_id=settlement_id)


def _say(
    cluster: str, message: "ChildSettled", actor: str, wait_s: float, *, is_json: bool
) -> None:
    from services.settling import Refused, say_and_wait

    with errors_as_sentences():
        answer = say_and_wait(cluster, message, actor=actor, wait_s=wait_s)
    if isinstance(answer, Refused):
        refuse(f"{answer.reason}: {answer.field} {answer.value}, wanted {answer.bound}")
    say(
        is_json,
        {
            "child_id": answer.child_id,
            "settlement_id": answer.settlement_id,
            "stage": answer.stage.value,
            "cumulative_quantity": answer.cumulative_quantity,
            "freed_quantity": answer.freed_quantity,
            "proposed_by": answer.proposed_by,
            "approved_by": answer.approved_by,
        },
    )


def _read(cluster: str) -> "ChildrenView":
    from services.cli.log import read_to_end
    from services.settling import TOPICS, read

    try:
        return read(entry.message for entry in read_to_end(cluster, TOPICS))
    except LookupError as error:
        typer.echo(str(error.args[0]), err=True)
        raise typer.Exit(1) from error


def _child(view: "ChildrenView", child_id: str) -> "Known":
    child = view.children.get(child_id)
    if child is None:
        typer.echo(f"UNKNOWN_CHILD: {child_id} is no child of this log", err=True)
        raise typer.Exit(UNKNOWN)
    return child


def _facts(view: "ChildrenView", child: "Known") -> dict[str, Any]:
    from services.config.decimals import number_of

    scale = view.scales.get(child.instrument_id, 1)
    return {
        "child_id": child.child_id,
        "venue_id": child.venue_id,
        "instrument_id": child.instrument_id,
        "side": child.side.value,
        "quantity": number_of(child.quantity, scale),
        "booked": number_of(child.booked, scale),
        "exposed": number_of(child.exposed, scale),
        "waiting": [
            {
                "settlement_id": said.settlement_id,
                "proposed_by": said.proposed_by,
                "cumulative": number_of(said.cumulative_quantity, scale),
                "fills": [
                    {
                        "quantity": number_of(each.quantity, scale),
                        "price": number_of(each.price_e9, E9),
                        "exec_id": each.exec_id,
                    }
                    for each in said.fills
                ],
                "said_by": said.said_by,
                "evidence": said.evidence,
                "reason": said.reason,
            }
            for said in child.proposals.values()
        ],
    }


def _fills(
    missing: int, price: str, fee: str, told: list[str], scale: int
) -> tuple["SettledFill", ...]:
    """Return the executions; the engine holds their sum against the count."""
    if price and told:
        raise LogError("say --price for all of it, or --fill for each")
    if price:
        return (_fill(missing, _whole("price", price, E9), _whole("fee", fee, E9), ""),)
    fills = []
    for text in told:
        quantity, _, rest = text.partition("@")
        at, _, exec_id = rest.partition("@")
        fills.append(_fill(_whole("fill", quantity, scale), _whole("fill", at, E9), 0, exec_id))
    return tuple(fills)


def _fill(quantity: int, price_e9: int, fee_e9: int, exec_id: str) -> "SettledFill":
    from schemas.messages.core import SettledFill

    return SettledFill(
        exec_id=exec_id, quantity=quantity, price_e9=price_e9, fee_e9=fee_e9, transact_ns=0
    )


def _whole(name: str, text: str, scale: int) -> int:
    """Return a decimal in units of 1/scale. Raises LogError, OffGridError."""
    from services.config.decimals import units

    try:
        return units(name, Decimal(text), scale)
    except InvalidOperation:
        raise LogError(f"{name} {text!r} is no number") from None


def _digest(message: "ChildSettled") -> str:
    from streams.core.proposals import digest

    return digest(msgspec.json.encode(message, order="sorted").decode())
