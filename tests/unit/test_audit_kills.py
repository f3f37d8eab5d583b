"""The checker's law of the kill switch: a good day passes, each planted breach is named."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.messages.core import KillScope, Urgency
from schemas.messages.kill import (
    KillConfirmed,
    KillEngaged,
    KillFlagRemoved,
    KillRefused,
    KillReleased,
    KillReleaseProposed,
)
from schemas.messages.routing import ChildCanceled, ChildPlaced
from services.audit.findings import Code
from tests.support.audit_host import checked, recorded
from tests.support.audit_log import Batch
from tests.support.kills import flag, kill, release
from tests.support.scenario import Desk

Break = Callable[[list[Batch]], object]


def stopped_day(scope: KillScope = KillScope.FIRM, scope_id: str = "") -> list[Batch]:
    """An order works, is stopped, is refused a release, is released, works on."""
    desk = Desk()
    desk.act("buy", "c1", 100, {"urgency": Urgency.URGENT})
    desk.act("acknowledge")
    kill(desk.host, scope, scope_id)
    desk.act("buy", "c2", 100)
    desk.act("confirm_cancel")
    release(desk.host, "K9")
    release(desk.host, "K1")
    desk.act("wait", 3)
    return recorded(desk.host)


def flagged_day() -> list[Batch]:
    desk = Desk()
    desk.act("buy", "c1", 100, {"urgency": Urgency.URGENT})
    desk.host.flags.append(flag("stop"))
    desk.act("wait", 1)
    desk.act("confirm_cancel")
    desk.host.flags.clear()
    release(desk.host, "flag-stop")
    desk.act("wait", 3)
    return recorded(desk.host)


def change(batches: list[Batch], kind: type[Any], **fields: Any) -> None:
    """Change the first event of the kind."""
    for batch in batches:
        for index, (topic, message) in enumerate(batch.outputs):
            if isinstance(message, kind):
                batch.outputs[index] = (topic, msgspec.structs.replace(message, **fields))
                return
    raise AssertionError(f"no {kind.__name__}")


def drop(batches: list[Batch], kind: type[Any]) -> None:
    """Take the first event of the kind out of the log."""
    for batch in batches:
        for index, (_, message) in enumerate(batch.outputs):
            if isinstance(message, kind):
                del batch.outputs[index], batch.causes[index]
                return
    raise AssertionError(f"no {kind.__name__}")


def unsigned(batches: list[Batch]) -> None:
    for batch in batches:
        batch.signals = ()


def kinds(batches: list[Batch]) -> set[str]:
    return {type(message).__name__ for batch in batches for _, message in batch.outputs}


@pytest.mark.parametrize(
    ("scope", "scope_id"),
    [
        (KillScope.FIRM, ""),
        (KillScope.INSTRUMENT, "ACME"),
        (KillScope.STRATEGY, "IMMEDIATE"),
        (KillScope.ACCOUNT, "A1"),
        (KillScope.DESK, "DESK"),
        (KillScope.VENUE, "V1"),
    ],
)
def test_a_stopped_day_passes(scope: KillScope, scope_id: str) -> None:
    batches = stopped_day(scope, scope_id)
    assert {"KillEngaged", "KillConfirmed", "KillReleased", "KillRefused"} <= kinds(batches)
    assert checked(batches).findings == ()


def test_a_flagged_day_passes() -> None:
    batches = flagged_day()
    assert {"KillEngaged", "KillFlagRemoved", "KillReleased"} <= kinds(batches)
    assert checked(batches).findings == ()


BREACHES: dict[str, tuple[Callable[[], list[Batch]], Break, Code]] = {
    "a child is sent and nobody released the kill": (
        stopped_day, lambda day: drop(day, KillReleased), Code.KILL),
    "an order is accepted under another kill": (
        lambda: stopped_day(KillScope.ACCOUNT, "A2"),
        lambda day: change(day, KillEngaged, scope_id="A1"), Code.KILL),
    "a child is sent to a stopped venue": (
        lambda: stopped_day(KillScope.VENUE, "V1"),
        lambda day: change(day, KillEngaged, scope_id="V2"), Code.KILL),
    "one person releases": (
        stopped_day, lambda day: change(day, KillReleased, approved_by=" BOB "), Code.KILL),
    "a release that nobody proposed": (
        stopped_day, lambda day: drop(day, KillReleaseProposed), Code.KILL),
    "a kill is not answered": (
        stopped_day, lambda day: drop(day, KillEngaged), Code.UNANSWERED),
    "a refusal is not given": (
        stopped_day, lambda day: drop(day, KillRefused), Code.UNANSWERED),
    "a live child is not counted": (
        stopped_day, lambda day: change(day, KillEngaged, children=()), Code.KILL),
    "it is confirmed while a child may fill": (
        stopped_day, lambda day: drop(day, ChildCanceled), Code.KILL),
    "a flag that the journal does not name": (
        flagged_day, unsigned, Code.KILL),
    "a release while the flag stands": (
        flagged_day, lambda day: drop(day, KillFlagRemoved), Code.KILL),
}  # fmt: skip


@pytest.mark.parametrize("name", BREACHES)
def test_a_planted_breach_is_found(name: str) -> None:
    make_day, plant, code = BREACHES[name]
    batches = make_day()
    plant(batches)
    assert code in checked(batches).codes


def test_what_is_planted_was_there_before() -> None:
    day = stopped_day()
    assert {KillConfirmed.__name__, ChildPlaced.__name__, ChildCanceled.__name__} <= kinds(day)
