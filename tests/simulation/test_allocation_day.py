"""Days with round lots, house accounts and cash by fill: the checker and a recovery agree."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from schemas.messages.allocation import AllocationRestated, CashAllocated, FillAllocated
from schemas.messages.core import Member
from schemas.messages.netting import CrossExecuted, EpochClosed, EpochOpened
from streams.shard import EngineShard
from tests.simulation.test_audit_engine import checked, own_findings, recorded
from tests.support.builders import account_defined, instrument_defined, settings_loaded
from tests.support.day import STRATEGY, Day
from tests.support.shard_host import LOG_ID

LOT = 40
HOUSE_ACCOUNTS = ("A1", "A4", "A7")
STAGED = (
    *(instrument_defined(instrument_id=name, allocation_lot=LOT) for name in ("ACME", "BOLT")),
    *(account_defined(account_id, is_house=True) for account_id in HOUSE_ACCOUNTS),
)
PER_FILL = settings_loaded(strategy=STRATEGY, per_fill_tenants=["T1"])


def written(batches: list[Any], kind: type[Any]) -> list[Any]:
    return [m for batch in batches for _, m in batch.outputs if isinstance(m, kind)]


@pytest.mark.parametrize("definitions", [STAGED, (PER_FILL,), (*STAGED, PER_FILL)])
@pytest.mark.parametrize(("seed", "is_calm"), [(1, True), (200, False), (201, False)])
def test_a_day_in_stages_is_clean(
    monkeypatch: pytest.MonkeyPatch, seed: int, is_calm: bool, definitions: tuple[Any, ...]
) -> None:
    batches = recorded(monkeypatch, seed, is_calm=is_calm, definitions=definitions)
    report = checked(batches)
    assert own_findings(report) == []
    assert report.filled_quantity > 0 and report.crosses > 0
    opened = written(batches, EpochOpened)
    members: list[Member] = [member for epoch in opened for member in epoch.members]
    if definitions is not STAGED:
        assert all(epoch.is_per_fill for epoch in opened)
        assert all(cash.fill_id for cash in written(batches, CashAllocated))
    if definitions != (PER_FILL,):
        assert {epoch.lot for epoch in opened} == {LOT}
        assert {member.tier for member in members} == {0, 1}
        assert any(member.begun_quantity for member in members)
        crosses = written(batches, CrossExecuted)
        assert {cross.lot for cross in crosses} == {LOT}
        tails = [member for epoch in written(batches, EpochClosed) for member in epoch.tail]
        assert is_calm or {member.tier for member in tails} == {0, 1}


def test_a_tier_is_filled_before_the_next_one_gets_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches = recorded(monkeypatch, 1, is_calm=True, definitions=STAGED)
    clients_left: dict[tuple[str, int], Counter[str]] = {}
    mixed = 0
    for _, event in (output for batch in batches for output in batch.outputs):
        if isinstance(event, EpochOpened):
            clients = {m.order_id: m.quantity for m in event.members if m.tier == 0}
            clients_left[event.parent_id, event.epoch] = Counter(clients)
        elif isinstance(event, FillAllocated) and not event.is_tail:
            left = clients_left[event.parent_id, event.epoch]
            house = [e for e in event.entries if e.order_id not in left]
            for entry in event.entries:
                if entry.order_id in left:
                    left[entry.order_id] -= entry.quantity
            if house:
                assert not +left, f"{event} gives {house} while clients want {+left}"
                mixed += 1
        elif isinstance(event, AllocationRestated):
            raise AssertionError("a calm day has no busts")
    assert mixed > 0


def test_recovery_by_fold_gives_the_same_state() -> None:
    day = Day(200, is_calm=False, definitions=(*STAGED, PER_FILL))
    day.run()
    app = EngineShard(0, 1, LOG_ID)
    for batch in day.host.batches:
        app.restore(batch)
    assert app.snapshot() == day.host.app.snapshot()


def change_member(epoch: EpochOpened, **fields: Any) -> EpochOpened:
    first = msgspec.structs.replace(epoch.members[0], **fields)
    return msgspec.structs.replace(epoch, members=(first, *epoch.members[1:]))


def to_one(allocated: FillAllocated) -> FillAllocated:
    """Give all that the fill brought to the last order that got something."""
    last = msgspec.structs.replace(allocated.entries[-1], quantity=allocated.quantity)
    return msgspec.structs.replace(allocated, entries=(last,))


def astray(cash: CashAllocated) -> CashAllocated:
    one, other, *rest = cash.entries
    moved = (
        msgspec.structs.replace(one, cash_e9=one.cash_e9 + 2),
        msgspec.structs.replace(other, cash_e9=other.cash_e9 - 2),
    )
    return msgspec.structs.replace(cash, entries=(*moved, *rest))


Breach = tuple[type[Any], Callable[[Any], bool], Callable[[Any], Any], str]
BREACHES: dict[str, Breach] = {
    "a house order passes as a client's": (
        EpochOpened,
        lambda m: m.members[0].tier == 1,
        lambda m: change_member(m, tier=0),
        "ALLOCATION_QUOTA",
    ),
    "a lot is called begun that is not": (
        EpochOpened,
        lambda m: m.members[0].begun_quantity == 0 and m.members[0].quantity > 1,
        lambda m: change_member(m, begun_quantity=1),
        "ALLOCATION_QUOTA",
    ),
    "the lot changes under way": (
        EpochOpened,
        lambda m: m.epoch == 2,
        lambda m: msgspec.structs.replace(m, lot=LOT + 1),
        "LINEAGE",
    ),
    "a fill goes to one order alone": (
        FillAllocated,
        lambda m: len(m.entries) > 1 and m.quantity > 10,
        to_one,
        "ALLOCATION_QUOTA",
    ),
    "two units of a fill's cash go astray": (
        CashAllocated,
        lambda m: len(m.entries) > 1,
        astray,
        "CONSERVATION_CASH",
    ),
    "the cash of a fill is given as the epoch's": (
        CashAllocated,
        lambda m: bool(m.fill_id),
        lambda m: msgspec.structs.replace(m, fill_id=""),
        "LINEAGE",
    ),
    "a fill's cash comes out of turn": (
        CashAllocated,
        lambda m: m.version == 1,
        lambda m: msgspec.structs.replace(m, version=2),
        "LINEAGE",
    ),
}


@pytest.fixture(scope="module")
def staged_day() -> Iterator[list[Any]]:
    with pytest.MonkeyPatch.context() as patch:
        yield recorded(patch, 201, is_calm=False, definitions=(*STAGED, PER_FILL))


@pytest.mark.parametrize("name", BREACHES)
def test_a_planted_breach_is_named(staged_day: list[Any], name: str) -> None:
    kind, is_meant, broken, code = BREACHES[name]
    batches = [msgspec.structs.replace(b, outputs=list(b.outputs)) for b in staged_day]
    batch, i = next(
        (batch, i)
        for batch in batches
        for i, (_, message) in enumerate(batch.outputs)
        if isinstance(message, kind) and is_meant(message)
    )
    topic, message = batch.outputs[i]
    batch.outputs[i] = (topic, broken(message))
    assert code in checked(batches).codes


def test_cash_of_a_fill_that_is_never_given_is_named(staged_day: list[Any]) -> None:
    batches = [msgspec.structs.replace(b, outputs=list(b.outputs)) for b in staged_day]
    batch = next(b for b in batches if any(isinstance(m, CashAllocated) for _, m in b.outputs))
    batch.outputs[:] = [each for each in batch.outputs if not isinstance(each[1], CashAllocated)]
    assert "CONSERVATION_CASH" in checked(batches).codes
