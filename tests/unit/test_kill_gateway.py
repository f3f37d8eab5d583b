"""The gateway's own look before each send: the simulator refuses while a flag stands."""

from schemas.messages.core import ClockMode, ExecType, JournalKind
from schemas.messages.runtime import JournalRecord
from schemas.messages.venues import ExecutionReport
from services.venues.application import VenueSimulator
from services.venues.orders import STOPPED
from services.venues.scenario import Scenario, plan_day
from streams.runtime.ports import RecordedBatch
from tests.support.audit_log import make
from tests.support.kills import flag
from tests.support.venue_driver import (
    PARTITIONS,
    Ear,
    VenueDriver,
    cancel_requested,
    child_placed,
    envelope,
)

DAY = plan_day(Scenario(seed=7, minutes=2, orders=0))


class Gateway(VenueDriver):
    """A simulator whose host has flags; what its runtime would journal is kept."""

    def __init__(self) -> None:
        super().__init__(DAY)
        self.flags: list[str] = []
        self.batches: list[RecordedBatch] = []

    def reports(self, *children: object) -> list[ExecutionReport]:
        """Run a step with what the engines say; return the execution reports."""
        signals = self.simulator.unheard(tuple(self.flags))
        for text in signals:
            self.simulator.signal(text, Ear(0))
        before = self.offset
        heard = self.step(children)
        self.offset = before
        inputs = self.inbounds(children)
        step = self.simulator.state.step
        journal = make(
            JournalRecord,
            kind=JournalKind.BATCH,
            mode=ClockMode.TAPE,
            step=step,
            signals=signals,
        )
        self.batches.append(RecordedBatch(journal, envelope(0), inputs, ()))
        return [said.message for said in heard if isinstance(said.message, ExecutionReport)]


def answers(reports: list[ExecutionReport]) -> dict[str, tuple[ExecType, str]]:
    return {report.child_id: (report.exec_type, report.text) for report in reports}


def test_no_child_passes_a_gateway_whose_flag_stands() -> None:
    gateway = Gateway()
    gateway.reports()
    gateway.flags = [flag("stop")]
    said = answers(gateway.reports(child_placed("P1.1.1")))
    assert said == {"P1.1.1": (ExecType.REJECTED, STOPPED)}
    gateway.flags = []
    said = answers(gateway.reports(child_placed("P1.1.2")))
    assert said["P1.1.2"][1] != STOPPED


def test_it_stops_the_venue_or_the_instrument_that_is_named() -> None:
    gateway = Gateway()
    gateway.flags = [flag("v", scope="venue:NORD"), flag("i", scope="instrument:BIRCH")]
    said = answers(
        gateway.reports(
            child_placed("P1.1.1"),
            child_placed("P1.1.2", venue_id="SUND"),
            child_placed("P1.1.3", venue_id="SUND", instrument_id="BIRCH"),
        )
    )
    stopped = {child_id for child_id, (_, text) in said.items() if text == STOPPED}
    assert stopped == {"P1.1.1", "P1.1.3"}


def test_cancels_pass_while_a_flag_stands() -> None:
    gateway = Gateway()
    gateway.reports()
    far = child_placed("P1.1.1", price_e9=1_000_000_000)
    assert answers(gateway.reports(far))["P1.1.1"][0] is ExecType.NEW
    gateway.flags = [flag("stop")]
    assert answers(gateway.reports(cancel_requested(far)))["P1.1.1"][0] is ExecType.CANCELED


def test_recovery_decides_the_refusals_again_from_the_journal() -> None:
    gateway = Gateway()
    gateway.reports()
    gateway.flags = [flag("stop")]
    gateway.reports(child_placed("P1.1.1"))
    gateway.flags = []
    gateway.reports(child_placed("P1.1.2"))
    fresh = VenueSimulator(DAY, PARTITIONS)
    for batch in gateway.batches:
        fresh.restore(batch)
    assert fresh.snapshot() == gateway.simulator.snapshot()
    loaded = VenueSimulator(DAY, PARTITIONS)
    loaded.load(fresh.snapshot())
    assert loaded.snapshot() == fresh.snapshot()
