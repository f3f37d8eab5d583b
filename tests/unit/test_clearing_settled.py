"""A child that people settled is reconciled as a whole: breaks until its venue says the same."""

from schemas.messages.core import BreakKind as B
from schemas.messages.core import ReconciliationCheck as C
from services.clearing.reconciliation.run import Entry, reconcile
from tests.acceptance.test_settling import late, settle, unanswered
from tests.support.scenario import Desk
from tests.support.settling import PRICE_E9, fill

TRADING = (C.VENUE_REPORTS, C.CHILDREN, C.CASH)  # no clearing stands behind this desk


def entries(desk: Desk) -> list[Entry]:
    """Return all that the shard read and wrote."""
    found = []
    for read, batch in zip(desk.host.inputs, desk.host.batches, strict=True):
        found += [
            Entry(each.record.topic, 0, each.record.offset, each.envelope, each.message)
            for each in read
            if each.envelope is not None
        ]
        found += [
            Entry(each.topic, 0, each.envelope.seq * 1_000 + each.envelope.index, *each[1:])
            for each in batch.outputs
        ]
    return found


def breaks(desk: Desk) -> list[tuple[C, B]]:
    found = reconcile(entries(desk)).found
    return [(each.check, each.kind) for each in found if each.check in TRADING]


def test_what_the_venue_says_late_and_alike_leaves_no_break() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    assert (C.VENUE_REPORTS, B.QUANTITY_DIFFERS) in breaks(desk), "nobody but the desk says so"
    late(desk, child, "e1", 60, PRICE_E9)
    assert breaks(desk) == []


def test_another_price_of_the_venue_is_a_break() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    late(desk, child, "e1", 60, PRICE_E9 - 10_000_000)
    assert (C.VENUE_REPORTS, B.PRICE_DIFFERS) in breaks(desk)


def test_what_the_venue_did_beyond_is_booked_and_no_break() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    late(desk, child, "e1", 75, PRICE_E9)
    assert [kind for check, kind in breaks(desk) if check is not C.CASH] == []
