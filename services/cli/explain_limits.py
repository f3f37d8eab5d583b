"""`penstock explain ID --with-limits FILE`: the verdict then, and under other limits."""

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer
from rich.console import Console, JustifyMethod
from rich.table import Table

from schemas.messages.core import LimitKind, LimitMeasure
from services.cli.log import LogEntry, read_to_end
from streams.core.topics import ORDERS_EVENTS

if TYPE_CHECKING:
    from services.limits.again import Asked, Judgement
    from streams.risk.limits import LimitSet

__all__ = ["explain_with_limits"]

UNKNOWN_ID = 2
BAD_FILE = 1
OTHER = "by the file"
CASH = (LimitKind.ORDER_NOTIONAL, LimitKind.CREDIT)


def explain_with_limits(subject: str, file: Path, bootstrap: str, *, is_json: bool) -> None:
    """Print both verdicts with all measures. Exits 2 for an id that names no order or replace."""
    from services.limits.again import is_answer_of
    from services.limits.files import LimitFileError, read

    try:
        limits = read(file)
    except (LimitFileError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_FILE) from error
    answers = [
        entry
        for entry in read_to_end(bootstrap, (ORDERS_EVENTS,))
        if entry.envelope is not None and is_answer_of(entry.message, subject)
    ]
    if not answers:
        typer.echo(f"{subject} is no order or replace in this log", err=True)
        raise typer.Exit(UNKNOWN_ID)
    answer = min(answers, key=_decided)
    asked = _ask(bootstrap, answer, limits)
    if asked is None:
        typer.echo(f"{subject} names what is not defined; no limit was asked", err=True)
        raise typer.Exit(UNKNOWN_ID)
    if is_json:
        typer.echo(json.dumps(_plain(subject, answer, asked)))
        return
    console = Console()
    for title, judgement in (("then", asked.then), (OTHER, asked.other)):
        console.print(_table(judgement))
        console.print(f"{title}: {_verdict(judgement)}\n")


def _decided(entry: LogEntry) -> tuple[int, int, int]:
    assert entry.envelope is not None
    return entry.envelope.at_ns, entry.envelope.seq, entry.envelope.index


def _ask(bootstrap: str, answer: LogEntry, limits: "LimitSet") -> "Asked | None":
    from infra.topics import read_log_id
    from services.limits.again import ask_again
    from streams.adapters.kafka import KafkaLog, KafkaSettings
    from streams.core.topics import ENGINE_JOURNAL

    assert answer.envelope is not None
    log = KafkaLog(KafkaSettings(bootstrap=bootstrap))
    partitions = log.partitions(ENGINE_JOURNAL)
    log_id = read_log_id(bootstrap)
    return ask_again(log, partitions, log_id, answer.envelope, answer.message, limits=limits)


def _verdict(judgement: "Judgement") -> str:
    breach = judgement.breach
    if breach is None:
        return "accepted"
    return f"refused, {breach.reason} by {breach.limit_id}: {breach.field} {breach.value}, " + (
        f"bound {breach.bound}"
    )


def _table(judgement: "Judgement") -> Table:
    version = "of the file" if judgement.version < 0 else f"then, version {judgement.version}"
    made = Table(title=f"limits {version}", title_justify="left", box=None)
    for column in ("limit", "kind", "counts", "value", "bound", "verdict"):
        side: JustifyMethod = "right" if column in ("value", "bound") else "left"
        made.add_column(column, justify=side, overflow="fold")
    for each in judgement.measures:
        made.add_row(
            each.limit_id,
            each.kind.value,
            f"{each.scope.value.lower()} {each.subject}",
            _number(each, each.value),
            _number(each, each.bound),
            _word(each),
        )
    return made


def _word(measure: LimitMeasure) -> str:
    if not measure.is_breached:
        return "keeps"
    return "would break" if measure.is_shadow else "breaks"


def _number(measure: LimitMeasure, text: str) -> str:
    """Return a value for people: cash in units of the limits' currency."""
    if not text:
        return "unknown"
    if measure.kind in CASH:
        return f"{Decimal(text).scaleb(-9):,.2f}"
    return f"{int(text):,}"


def _plain(subject: str, answer: LogEntry, asked: "Asked") -> dict[str, Any]:
    assert answer.envelope is not None
    reference = asked.request.reference
    return {
        "id": subject,
        "shard": answer.envelope.shard,
        "seq": answer.envelope.seq,
        "at_ns": asked.request.at_ns,
        "answer": type(answer.message).__name__,
        "reference": reference.kind.value,
        "reference_price_e9": reference.price_e9,
        "then": _plain_judgement(asked.then),
        "other": _plain_judgement(asked.other),
    }


def _plain_judgement(judgement: "Judgement") -> dict[str, Any]:
    return {
        "version": judgement.version if judgement.version >= 0 else None,
        "sha256": judgement.sha256,
        "is_refused": judgement.is_refused,
        "breach": msgspec.to_builtins(judgement.breach),
        "measures": msgspec.to_builtins(judgement.measures),
    }
