"""`penstock kill` and `penstock unkill`: stop at once, go on by two persons."""

import getpass
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from schemas.messages.core import KillScope, StrategyKind
from schemas.messages.kill import ApproveRelease, EngageKill, KillRefused, ProposeRelease
from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.kill import Answers, Line, Standing, UnreachableError
from services.kill.files import kill_id_of, lower, raise_file
from streams.adapters.latch import default_directory
from streams.core.errors import Error

REFUSED, UNCONFIRMED = 3, 5
LOOK_BACK_S = 10.0
SCOPES = [scope.value.lower() for scope in KillScope if scope is not KillScope.UNKNOWN]
STRATEGIES = [kind.value for kind in StrategyKind if kind is not StrategyKind.UNKNOWN]

Actor = Annotated[str, typer.Option(help="Who you are; default: the user of this machine")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the shards' answers")]
Local = Annotated[
    Path | None,
    typer.Option(
        help="Folder of this host's kill flags; default: PENSTOCK_KILL_DIR, .penstock/kill"
    ),
]


def kill(
    *,
    scope: Annotated[str, typer.Option(help=f"{'|'.join(SCOPES)}; firm, or as account:A1")] = "",
    reason: Annotated[str, typer.Option(help="Why; stands in the log")] = "",
    actor: Actor = "",
    local: Local = None,
    wait: Wait = 10.0,
    is_canceling: Annotated[
        bool, typer.Option("--cancel-orders", help="Cancel the source orders in scope too")
    ] = False,
    is_list: Annotated[bool, typer.Option("--list", help="Show the kills in force")] = False,
    bootstrap: Bootstrap = "",
    as_json: Json = False,
) -> None:
    """Stop sending for a scope on every shard, at once, until two persons release it.

    With --local a flag file stops this host's processes too, whatever becomes of the log; without
    it the file is written only when the log does not answer. Exit 0: every shard has stopped and
    every child is confirmed; 3: refused; 5: some are unconfirmed, or a shard did not answer.
    """
    if is_list:
        _list(bootstrap, as_json)
        return
    wished, scope_id = _scope(scope)
    message = EngageKill(
        kill_id=kill_id_of(),
        scope=wished,
        scope_id=scope_id,
        reason=reason,
        is_canceling_orders=is_canceling,
    )
    actor = actor or getpass.getuser()
    file = None if local is None else _raise_file(local, message, actor)
    try:
        # The flag may be obeyed before the line is open.
        line = Line(_cluster(bootstrap), look_back_s=0.0 if file is None else LOOK_BACK_S)
        try:
            line.say(message, actor)
            line.wait(lambda answers: _is_over(answers, message.kill_id, line.shards), wait)
            _tell(line.answers, message, line.shards, file, as_json)
        finally:
            line.close()
    except UnreachableError as error:
        file = file or _raise_file(local or default_directory(), message, actor)
        _tell_unreached(message, file, error, as_json)


def unkill(
    kill_id: Annotated[str, typer.Argument(help="Which kill, as `penstock kill --list` shows it")],
    *,
    actor: Actor = "",
    reason: Annotated[str, typer.Option(help="Why; stands in the log")] = "",
    local: Local = None,
    wait: Wait = 10.0,
    bootstrap: Bootstrap = "",
    as_json: Json = False,
) -> None:
    """Propose the release of a kill, or approve what another person has proposed.

    The approval removes the kill's flag file from this host first. Exit 0: proposed or released;
    3: refused; 5: a shard did not answer.
    """
    actor = actor or getpass.getuser()
    try:
        cluster = _cluster(bootstrap)
        known = _read(cluster)
        in_force = [each for each in known.of(kill_id) if not each.is_released]
        if not in_force:
            _end(REFUSED, f"no kill {kill_id} is in force", as_json, kill_id=kill_id)
        is_approval = all(each.proposed_by for each in in_force)
        if is_approval:
            flags = [flag for each in in_force for flag in each.flags]
            lower(local or default_directory(), flags)
        line = Line(cluster)
    except UnreachableError as error:
        _end(1, f"the log cannot be reached: {error}", as_json, kill_id=kill_id)
    shards = {each.shard for each in in_force}
    try:
        line.answers.standing = {(kill_id, each.shard): each for each in in_force}
        make = ApproveRelease if is_approval else ProposeRelease
        line.say(make(kill_id=kill_id, reason=reason), actor)
        line.wait(lambda answers: shards <= _answered(answers, kill_id, is_approval, actor), wait)
    except UnreachableError as error:
        _end(1, f"the log cannot be reached: {error}", as_json, kill_id=kill_id)
    finally:
        line.close()
    _tell_release(line.answers, kill_id, shards, actor, is_approval=is_approval, as_json=as_json)


def _scope(text: str) -> tuple[KillScope, str]:
    name, _, scope_id = text.strip().partition(":")
    if name.lower() not in SCOPES:
        raise typer.BadParameter(f"--scope {text or 'is missing'}: one of {', '.join(SCOPES)}")
    scope, scope_id = KillScope(name.upper()), scope_id.strip()
    if scope is KillScope.STRATEGY:
        scope_id = scope_id.upper()
        if scope_id not in STRATEGIES:
            raise typer.BadParameter(f"--scope {text}: one of {', '.join(STRATEGIES)}")
    if (scope is KillScope.FIRM) == bool(scope_id):
        raise typer.BadParameter(f"--scope {text}: firm stands alone, the others name one")
    return scope, scope_id


def _raise_file(directory: Path, message: EngageKill, actor: str) -> Path | None:
    try:
        return raise_file(directory, message, actor)
    except OSError as error:
        typer.echo(f"no flag: {error}", err=True)
        return None


def _cluster(bootstrap: str) -> str:
    try:
        return resolve_bootstrap(bootstrap)
    except typer.Exit:
        raise UnreachableError("no cluster is known here") from None


def _read(cluster: str) -> Answers:
    line = Line(cluster, from_start=True)
    try:
        return line.read_to_end()
    finally:
        line.close()


def _is_over(answers: Answers, kill_id: str, shards: frozenset[int]) -> bool:
    """Return whether every shard has refused, or stopped with nothing unconfirmed."""
    standing = answers.of(kill_id)
    done = {each.shard for each in standing if not each.unconfirmed}
    return shards <= done | {shard for name, shard in answers.refused if name == kill_id}


def _answered(answers: Answers, kill_id: str, is_approval: bool, actor: str) -> set[int]:
    done = {
        each.shard
        for each in answers.of(kill_id)
        if (each.is_released if is_approval else each.proposed_by == actor)
    }
    return done | {shard for name, shard in answers.refused if name == kill_id}


def _tell(
    answers: Answers,
    message: EngageKill,
    shards: frozenset[int],
    file: Path | None,
    as_json: bool,
) -> None:
    standing = answers.of(message.kill_id)
    silent = sorted(shards - {each.shard for each in standing})
    refused = [answer for (name, _), answer in answers.refused.items() if name == message.kill_id]
    unconfirmed = sum(each.unconfirmed for each in standing)
    rows = [_row(each) for each in standing]
    facts = {
        "kill_id": message.kill_id,
        "scope": _scope_text(message),
        "flag_file": None if file is None else str(file),
        "shards": rows,
        "silent_shards": silent,
        "unconfirmed": unconfirmed,
        "refused": [answer.text for answer in refused],
    }
    if as_json:
        typer.echo(json.dumps(facts))
    elif not refused:
        _print_table(
            f"kill {message.kill_id}: {facts['scope']}",
            ("shard", "orders", "children live", "canceled", "unconfirmed"),
            [list(row.values()) for row in rows],
        )
        _print_sentences(silent, unconfirmed, file)
    if refused:
        _refuse(refused, as_json)
    if silent or unconfirmed:
        raise typer.Exit(UNCONFIRMED)


def _row(each: Standing) -> dict[str, int]:
    return {
        "shard": each.shard,
        "orders": each.engaged.orders,
        "live": each.live,
        "canceled": each.canceled,
        "unconfirmed": each.unconfirmed,
    }


def _print_sentences(silent: Sequence[int], unconfirmed: int, file: Path | None) -> None:
    if silent:
        typer.echo(f"no answer from shard {', '.join(map(str, silent))}: it stops when it reads")
    if unconfirmed:
        typer.echo(f"{unconfirmed} children are unconfirmed: venues may still fill them")
    if not silent and not unconfirmed:
        typer.echo("every shard has stopped, every child is confirmed")
    if file is not None:
        typer.echo(f"flag {file} stops this host's processes; it must be gone for the release")


def _tell_unreached(message: EngageKill, file: Path | None, error: Error, as_json: bool) -> None:
    facts: dict[str, Any] = {"scope": _scope_text(message), "shards": [], "unconfirmed": None}
    if file is None:
        sentence = f"the log could not be reached ({error}) and no flag was written: NOTHING STOPS"
        _end(UNCONFIRMED, sentence, as_json, kill_id=message.kill_id, flag_file=None, **facts)
    sentence = (
        f"the log could not be reached ({error}); flag {file} stands: every engine and gateway of "
        f"this host that watches {file.parent} stops before its next send, nothing is confirmed"
    )
    kept = {"kill_id": message.kill_id, "flag_file": str(file)}
    _end(UNCONFIRMED, sentence, as_json, **kept, **facts)


def _tell_release(
    answers: Answers,
    kill_id: str,
    shards: set[int],
    actor: str,
    *,
    is_approval: bool,
    as_json: bool,
) -> None:
    refused = [answer for (name, _), answer in answers.refused.items() if name == kill_id]
    silent = sorted(shards - _answered(answers, kill_id, is_approval, actor))
    what = "released" if is_approval else "proposed"
    facts: dict[str, Any] = {"kill_id": kill_id, "step": what, "silent_shards": silent}
    facts["refused"] = [answer.text for answer in refused]
    if refused:
        if as_json:
            typer.echo(json.dumps(facts))
        _refuse(refused, as_json)
    if silent:
        sentence = f"no answer from shard {', '.join(map(str, silent))}"
        _end(UNCONFIRMED, sentence, as_json, **facts)
    done = f"kill {kill_id} is released" if is_approval else f"release of {kill_id} is proposed"
    rest = "" if is_approval else f": another person than {actor} approves it by the same command"
    _end(0, done + rest, as_json, **facts)


def _list(bootstrap: str, as_json: bool) -> None:
    try:
        known = _read(_cluster(bootstrap))
    except UnreachableError as error:
        _end(1, f"the log cannot be reached: {error}", as_json)
    in_force = [each for each in known.standing.values() if not each.is_released]
    rows = []
    for kill_id in dict.fromkeys(each.engaged.kill_id for each in in_force):
        on = [each for each in known.of(kill_id) if not each.is_released]
        first = on[0].engaged
        rows.append(
            {
                "kill_id": kill_id,
                "scope": _scope_text(first),
                "engaged_by": first.engaged_by,
                "reason": first.reason,
                "shards": [each.shard for each in on],
                "unconfirmed_shards": [each.shard for each in on if not each.is_confirmed],
                "flags": sorted({flag for each in on for flag in each.flags}),
                "proposed_by": next((each.proposed_by for each in on if each.proposed_by), ""),
            }
        )
    if as_json:
        typer.echo(json.dumps(rows))
    elif rows:
        _print_table("kills in force", [*rows[0]], [list(row.values()) for row in rows])
    else:
        typer.echo("no kill is in force")


def _scope_text(kill: Any) -> str:
    return f"{kill.scope.lower()}:{kill.scope_id}".rstrip(":")


def _refuse(refused: Sequence[KillRefused], as_json: bool) -> NoReturn:
    if not as_json:
        for text in dict.fromkeys(answer.text for answer in refused):
            typer.echo(f"refused: {text}", err=True)
    raise typer.Exit(REFUSED)


def _print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(*columns, box=None, title=title, title_justify="left")
    for row in rows:
        cells = (", ".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in row)
        table.add_row(*cells)
    Console(soft_wrap=True).print(table)


def _end(code: int, sentence: str, as_json: bool, **facts: Any) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({**facts, "text": sentence}))
    else:
        typer.echo(sentence, err=code not in (0, UNCONFIRMED))
    raise typer.Exit(code)
