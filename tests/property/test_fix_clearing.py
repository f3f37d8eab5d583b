"""Whatever happens and whatever is answered by FIX: the clearer's books are clearing's ledger."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import core as c
from schemas.messages.clearing import AllocationReported, TradeCaptured
from schemas.messages.core import ClearingStatus, ClockMode
from services.clearing.application import Clearing
from services.clearing.clearer import Rule
from services.clearing.ledger import report_id
from tests.property.test_clearing_sums import Act, World, acts, beginning_of_world
from tests.support.audit_log import Batch
from tests.support.clearing_log import closed, log_of
from tests.support.day import Day
from tests.support.day_log import log_of as played_log
from tests.support.day_log import run_engine
from tests.support.fix_clearer import Booked, FixClearer
from tests.support.fix_clearing import FixClearingDay, gateway_file
from tests.support.memory_shard import settings as host_settings

SESSIONS: dict[str, dict[str, Any]] = {
    "FIX42": {"allocations": "J"},
    "FIX44": {"allocations": "J", "captures": True},
    "FIX50SP2": {"allocations": "AS", "captures": True},
    "FIX44 AK": {"allocations": "AK"},
}
E9 = 10**9


def batches_of(happened: list[Act]) -> dict[str, Batch]:
    world = World()
    for act in happened:
        world.do(act)
    world.cash()
    batches = {"begin": beginning_of_world()}
    for number in range(0, len(world.events), 3):  # three events a transaction
        batches[str(number)] = Batch(outputs=world.events[number : number + 3])
    batches["end"] = Batch(outputs=[closed("P1")])
    return batches


def ledger(run: FixClearingDay, clearing: Clearing, kinds: Any) -> dict[str, Booked]:
    """Return what clearing says that the clearer holds, by report."""
    reports: dict[str, Any] = {e.report_id: e for e in run.reports() if isinstance(e, kinds)}
    found = {}
    for record_id, record in clearing.state.ledger.records.items():
        name = report_id(record_id, record.standing)
        if record.standing and name in reports:
            found[name] = booked(reports[name])
    return found


def booked(report: AllocationReported | TradeCaptured) -> Booked:
    """Return a report as a FIX clearer must have it."""
    is_buy = report.side is c.Side.BUY
    quantity = report.quantity * E9
    if isinstance(report, TradeCaptured):
        side = "1" if is_buy else "2"
        return Booked(side, quantity, report.cash_e9, None, report.fee_e9, ())
    side = "1" if is_buy else "5" if report.is_short_sale else "2"
    accounts = ((report.clearing_account, quantity),)
    return Booked(side, quantity, report.cash_e9, report.net_cash_e9, report.fee_e9, accounts)


@pytest.mark.parametrize("name", SESSIONS)
@settings(max_examples=30, deadline=None)
@given(
    st.lists(acts, min_size=1, max_size=20), st.integers(0, 1_000), st.sampled_from((0, 400_000))
)
def test_a_fix_clearers_books_are_the_ledger_to_the_unit(
    name: str, happened: list[Act], seed: int, rejected_ppm: int
) -> None:
    rule = Rule(seed=seed, rejected_ppm=rejected_ppm, late_ppm=400_000, twice_ppm=400_000)
    version, terms = name.partition(" ")[0], SESSIONS[name]
    peer = FixClearer(version, rule)
    file = gateway_file(clearer=(version, terms))
    run = FixClearingDay(log_of(batches_of(happened)), 1, file, {"clearer": peer}, batches=3)
    clearing = run.run().application
    assert isinstance(clearing, Clearing)
    kinds = (AllocationReported, TradeCaptured)[: 1 + ("captures" in terms)]
    assert peer.faults == []
    due = ledger(run, clearing, kinds)
    if terms["allocations"] == "AK":  # one account each, in a field of its own
        due = {name: each._replace(accounts=()) for name, each in due.items()}
    assert peer.books == due
    told = [each for each in run.reports() if isinstance(each, kinds)]
    assert list(peer.verdicts) == [each.report_id for each in told]
    statuses = {
        report_id(name, number): version_.status
        for name, record in clearing.state.ledger.records.items()
        for number, version_ in enumerate(record.versions, start=1)
    }
    for report, code in peer.verdicts.items():
        gone = (ClearingStatus.REJECTED, ClearingStatus.WITHDRAWN)
        assert statuses[report] in (gone if code else (ClearingStatus.ACCEPTED,))
    assert run.application.state.ours.open == {}


@pytest.mark.parametrize("seed", range(20, 23))
def test_a_wild_day_of_the_engine_is_with_its_clearer(seed: int) -> None:
    day = Day(seed, is_calm=False)
    day.run()
    log = played_log(day)
    run_engine(log, host_settings(ClockMode.TAPE), len(day.host.batches))
    peer = FixClearer("FIX44", Rule(seed=seed, rejected_ppm=100_000))
    run = FixClearingDay(
        log, 1, gateway_file(clearer=("FIX44", SESSIONS["FIX44"])), {"clearer": peer}
    )
    clearing = run.run().application
    assert isinstance(clearing, Clearing)
    assert peer.faults == []
    assert len(peer.books) > 20
    assert peer.books == ledger(run, clearing, (AllocationReported, TradeCaptured))
    run.prove()
