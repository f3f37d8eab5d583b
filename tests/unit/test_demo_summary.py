"""The demo's totals: they add up, and a breach would show."""

from services.demo.summary import DaySummary
from tests.support.costs import fill_allocated
from tests.support.netting import booked, epoch_opened, members


def summary(*events: object) -> DaySummary:
    made = DaySummary()
    for event in events:
        made.add(event)
    return made


def test_a_fill_that_is_given_back_leaves_nothing() -> None:
    fill = booked("F1", 60)
    day = summary(epoch_opened(1, members(A=100)), fill, fill_allocated(fill, A=60))
    assert (day.filled_quantity, day.allocated_quantity, day.unallocated_quantity) == (60, 60, 0)


def test_a_fill_that_nobody_got_shows() -> None:
    assert summary(epoch_opened(1, members(A=100)), booked("F1", 60)).unallocated_quantity == 60


def test_a_parent_filled_beyond_its_order_shows() -> None:
    day = summary(epoch_opened(1, members(A=100)), booked("F1", 60), booked("F2", 70))
    assert day.overfilled_quantity == 30
