"""The checker over orders that live two sessions: clean, and a wrong word about them is found."""

from typing import Any

import pytest

from schemas.messages.intake import OrderDoneForDay, OrderResumed
from services.audit import check_records
from tests.acceptance.test_session_scenarios import NEXT_DAY, first_day
from tests.simulation.test_audit_engine import cause, checked, own_findings, replaced, times
from tests.support.audit_log import Batch, written
from tests.support.scenario import Desk


def batches_of(desk: Desk) -> list[Batch]:
    """Return what a shard on a list read and wrote, as batches of a log."""
    host = desk.host
    return [
        Batch(
            inputs=[(inbound.record.topic, inbound.message) for inbound in sent],
            outputs=[(event.topic, event.message) for event in batch.outputs],
            causes=[cause(event.envelope.causation_id) for event in batch.outputs],
            now_ns=batch.journal.now_ns,
            mode=batch.journal.mode,
            times=[times(inbound.envelope) for inbound in sent],
        )
        for batch, sent in zip(host.batches, host.inputs, strict=True)
    ]


def two_sessions() -> list[Batch]:
    """Filled to 40 of 100, a bust overnight, filled whole the next day."""
    desk = first_day()
    desk.act("bust", 0)
    desk.act("define", NEXT_DAY)
    desk.act("wait", 49)
    desk.act("fill", 100)
    return batches_of(desk)


def test_two_sessions_are_clean() -> None:
    report = check_records(written(two_sessions(), first_input=1))
    assert own_findings(report) == []
    assert report.filled_quantity == report.allocated_quantity == 100


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (OrderDoneForDay, {"cumulative_quantity": 39}),
        (OrderDoneForDay, {"leaves_quantity": 61}),
        (OrderResumed, {"cumulative_quantity": 40}),
    ],
)
def test_a_wrong_word_about_an_order_that_sleeps_is_found(
    kind: type[Any], fields: dict[str, Any]
) -> None:
    batches = two_sessions()
    replaced(batches, kind, 0, **fields)
    assert "CONSERVATION_SHARES" in checked(batches).codes
