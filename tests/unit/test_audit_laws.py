"""The checker's business laws: a good day passes, every planted breach is named by its code."""

from collections.abc import Callable

import msgspec
import pytest

from schemas.messages import core as c
from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.control import CrossingDeclared
from schemas.messages.intake import CancelOrder, OrderAccepted, OrderClosed
from schemas.messages.market import BookUpdated
from schemas.messages.netting import (
    CrossExecuted,
    EpochClosed,
    EpochOpened,
    ParentClosed,
    ParentOpened,
)
from schemas.messages.routing import (
    ChildCanceled,
    ChildPlaced,
    FillBooked,
    FillBusted,
    SliceReturned,
)
from schemas.messages.runtime import DeadLetter
from schemas.messages.strategy import SliceReleased
from schemas.messages.venues import ExecutionReport
from services.audit import check_records
from streams.core import topics
from tests.support.audit_day import (
    PRICE,
    Day,
    cash_entry,
    change,
    day,
    drop,
    entries,
    filled,
    members,
)
from tests.support.audit_log import make, written

Break = Callable[[Day], object]


def test_a_good_day_passes_and_is_counted() -> None:
    report = check_records(written(day().values()))
    assert report.findings == ()
    assert report.is_clean
    assert (report.orders, report.parents, report.children, report.fills) == (4, 1, 3, 4)
    assert report.filled_quantity == report.allocated_quantity == 350
    assert report.crossed_quantity == 100
    assert report.unconsumed_inputs == 0


def entry(order_id: str, quantity: int, cumulative: int) -> c.AllocationEntry:
    return c.AllocationEntry(order_id=order_id, quantity=quantity, cumulative_quantity=cumulative)


def twice(d: Day, name: str, kind: type[msgspec.Struct]) -> None:
    """Write the first message of that kind of the batch twice."""
    outputs = d[name].outputs
    place = next(i for i, (_, message) in enumerate(outputs) if isinstance(message, kind))
    outputs.insert(place + 1, outputs[place])


def resend_before_the_cancel_is_acknowledged(d: Day) -> None:
    """What most open engines do: the 60 that are still live are sent again."""
    again = d["canceled"].outputs[2:]
    del d["canceled"].outputs[2:]
    d["cancel"].outputs += again


def fill_never_booked(d: Day) -> None:
    drop(d["fill 1"], FillBooked)
    drop(d["fill 1"], FillAllocated)


SHARES: dict[str, Break] = {
    "an allocation is dropped": lambda d: drop(d["fill 1"], FillAllocated),
    "an allocation is doubled": lambda d: twice(d, "fill 1", FillAllocated),
    "a fill is booked twice": lambda d: twice(d, "fill 1", FillBooked),
    "one share too many is given": lambda d: change(
        d["fill 1"], FillAllocated, entries=entries(A=31, B=10)
    ),
    "a share is given to nobody": lambda d: change(
        d["fill 1"], FillAllocated, entries=entries(A=29, B=10)
    ),
    "an order is told a wrong sum": lambda d: change(
        d["end"], OrderClosed, cumulative_quantity=301
    ),
    "a bust is not restated": lambda d: drop(d["bust"], AllocationRestated),
    "a restatement takes too little": lambda d: change(
        d["bust"], AllocationRestated, entries=(entry("A", -30, 75), entry("B", -9, 26))
    ),
    "a cross gives one side more": lambda d: change(
        d["orders"], CrossAllocated, buys=(cash_entry("A", 76), cash_entry("B", 25))
    ),
    "a cross is given to nobody": lambda d: drop(d["orders"], CrossAllocated),
    "weights do not sum": lambda d: change(
        d["epoch 2"], EpochOpened, members=members(A=30, B=9, D=50)
    ),
    "a parent's end states a wrong sum": lambda d: change(
        d["end"], ParentClosed, filled_quantity=349
    ),
}


@pytest.mark.parametrize("name", SHARES)
def test_shares_that_are_not_conserved_are_found(name: str) -> None:
    assert "CONSERVATION_SHARES" in broken(SHARES[name])


def broken(breach: Break) -> dict[str, int]:
    broken_day = day()
    breach(broken_day)
    return check_records(written(broken_day.values())).counts


CASH: dict[str, Break] = {
    "a fill's cash is one unit off": lambda d: change(
        d["fill 2"], FillBooked, cash_e9=PRICE * 100 + 1
    ),
    "a bust takes another fee": lambda d: change(d["bust"], FillBusted, fee_e9=6),
    "an epoch's cash is one unit off": lambda d: change(
        d["end"], CashAllocated, cash_e9=PRICE * 260 + 1
    ),
    "an epoch's fee is not divided whole": lambda d: change(
        d["end"], CashAllocated, entries=(cash_entry("A", 195, 11), cash_entry("B", 65, 2))
    ),
    "a part is not pro rata": lambda d: change(
        d["end"], CashAllocated, entries=(cash_entry("A", 195, 13), cash_entry("B", 65, 1))
    ),
    "an epoch's cash is never given": lambda d: drop(d["end"], CashAllocated),
    "one side of a cross pays more": lambda d: change(
        d["orders"],
        CrossAllocated,
        sells=(msgspec.structs.replace(cash_entry("C", 100), cash_e9=PRICE * 100 + 1),),
    ),
}


@pytest.mark.parametrize("name", CASH)
def test_cash_that_is_not_conserved_is_found(name: str) -> None:
    assert broken(CASH[name]).keys() == {"CONSERVATION_CASH"}


EXPOSURE: dict[str, Break] = {
    "sent again before the cancel is acknowledged": resend_before_the_cancel_is_acknowledged,
    "a slice larger than the room": lambda d: change(d["orders"], SliceReleased, quantity=301),
    "a child larger than its slice": lambda d: change(d["orders"], ChildPlaced, quantity=101),
    "a cancel that frees more than is exposed": lambda d: change(
        d["canceled"], ChildCanceled, canceled_quantity=61
    ),
    "a slice that returns what a child holds": lambda d: change(
        d["canceled"], SliceReturned, quantity=61
    ),
    "a weight beyond what the order wants": lambda d: change(
        d["epoch 2"],
        EpochOpened,
        quantity=91,
        parent_quantity=351,
        members=members(A=31, B=10, D=50),
    ),
    "a parent quantity out of nowhere": lambda d: change(
        d["epoch 2"], EpochOpened, parent_quantity=351
    ),
    "a tail smaller than what is live": lambda d: change(
        d["epoch 2"], EpochClosed, tail_quantity=159, tail=members(A=119, B=40)
    ),
    "a parent closed over a live child": lambda d: d["tail"].outputs.append(
        next(event for event in d["end"].outputs if isinstance(event[1], ParentClosed))
    ),
}


@pytest.mark.parametrize("name", EXPOSURE)
def test_exposure_beyond_the_order_is_found(name: str) -> None:
    assert "EXPOSURE" in broken(EXPOSURE[name])


def unfair(d: Day) -> None:
    change(d["fill 1"], FillAllocated, entries=entries(A=28, B=12))
    change(d["fill 2"], FillAllocated, entries=(entry("A", 77, 105), entry("B", 23, 35)))
    change(d["bust"], AllocationRestated, entries=(entry("A", -30, 75), entry("B", -10, 25)))


QUOTA: dict[str, Break] = {
    "a fill two shares off pro rata": unfair,
    "a cross two shares off pro rata": lambda d: change(
        d["orders"], CrossAllocated, buys=(cash_entry("A", 77), cash_entry("B", 23))
    ),
}


@pytest.mark.parametrize("name", QUOTA)
def test_an_unfair_division_is_found(name: str) -> None:
    assert "ALLOCATION_QUOTA" in broken(QUOTA[name])


LINEAGE: dict[str, Break] = {
    "a child of no slice": lambda d: change(d["orders"], ChildPlaced, slice_id="P1.77"),
    "a fill of another parent": lambda d: change(d["fill 1"], FillBooked, parent_id="P2"),
    "a fill of no child": lambda d: change(d["fill 1"], FillBooked, child_id="P1.9.9"),
    "a fill given to another epoch": lambda d: change(d["end"], FillAllocated, epoch=1),
    "a tail fill given to the main part": lambda d: change(d["tail"], FillAllocated, is_tail=False),
    "a share for a stranger": lambda d: change(
        d["fill 1"], FillAllocated, entries=entries(A=30, C=10)
    ),
    "a member that was never accepted": lambda d: change(
        d["orders"], EpochOpened, members=members(A=225, Z=75)
    ),
    "a member of the other side": lambda d: change(
        d["orders"], EpochOpened, members=members(A=225, C=75)
    ),
    "a child of another side": lambda d: change(d["orders"], ChildPlaced, side=c.Side.SELL),
    "a share of a cross for a stranger": lambda d: change(
        d["orders"], CrossAllocated, buys=(cash_entry("A", 75), cash_entry("C", 25))
    ),
}


@pytest.mark.parametrize("name", LINEAGE)
def test_a_broken_line_from_order_to_fill_is_found(name: str) -> None:
    assert "LINEAGE" in broken(LINEAGE[name])


CROSS: dict[str, Break] = {
    "not the midpoint": lambda d: change(d["orders"], CrossExecuted, price_e9=PRICE + 1),
    "crossing is not declared": lambda d: drop(d["orders"], CrossingDeclared),
    "crossing is withdrawn": lambda d: change(d["orders"], CrossingDeclared, is_allowed=False),
    "the spread is too wide": lambda d: change(d["orders"], CrossingDeclared, spread_max_bps=1),
    "the book showed another bid": lambda d: change(d["orders"], BookUpdated, bids=()),
    "more than the smaller side": lambda d: change(d["orders"], CrossExecuted, sells=members(C=99)),
}


@pytest.mark.parametrize("name", CROSS)
def test_a_cross_that_was_not_allowed_is_found(name: str) -> None:
    assert "CROSS" in broken(CROSS[name])


def test_prices_beyond_a_limit_are_found() -> None:
    by_us = broken(lambda d: change(d["orders"], SliceReleased, limit_price_e9=PRICE - 1))
    assert by_us.keys() == {"LIMIT_PRICE"}
    by_the_venue = broken(lambda d: change(d["orders"], ChildPlaced, price_e9=PRICE - 1))
    assert by_the_venue.keys() == {"VENUE_PRICE"}


def test_an_order_that_is_worked_with_other_parameters_is_found() -> None:
    other = c.StrategyParameters(participation_rate_bps=700)
    by_parent = broken(lambda d: change(d["orders"], ParentOpened, parameters=other))
    by_order = broken(lambda d: change(d["orders"], OrderAccepted, parameters=other))
    assert by_parent.keys() == by_order.keys() == {"LINEAGE"}


def test_a_command_without_an_answer_is_found() -> None:
    def breach(d: Day) -> None:
        d["cancel"].inputs.append((topics.ORDERS_COMMANDS, make(CancelOrder)))

    assert broken(breach).keys() == {"UNANSWERED"}


def test_an_input_that_cannot_be_read_needs_a_dead_letter() -> None:
    def found(offset: int) -> dict[str, int]:
        """Make report 1 of the day unreadable and keep the one of `offset`."""
        broken_day = day()
        outputs = broken_day["canceled"].outputs
        letter = make(DeadLetter, topic=topics.VENUES_REPORTS, offset=offset)
        outputs.append((topics.DEAD_LETTERS, letter))
        records = written(broken_day.values())
        place = [i for i, r in enumerate(records) if r.topic == topics.VENUES_REPORTS][1]
        records[place] = records[place]._replace(value=b"{}")
        return check_records(records).counts

    assert found(0) == {"UNANSWERED": 1, "LINEAGE": 5}
    assert found(1) == {"LINEAGE": 5}  # the events that it caused are real ones here


def test_a_client_s_order_that_is_accepted_twice_is_found() -> None:
    def breach(d: Day) -> None:
        d["epoch 2"].inputs = d["orders"].inputs[3:4]
        change(d["epoch 2"], OrderAccepted, client_order_id="A")

    assert broken(breach).keys() == {"DUPLICATE_ORDER"}


VENUE: dict[str, Break] = {
    "a fill is lost": fill_never_booked,
    "a fill is invented": lambda d: drop(d["fill 1"], ExecutionReport),
    "a fill is booked at another price": lambda d: change(
        d["fill 1"], ExecutionReport, last_price_e9=PRICE + 1
    ),
    "a fill is booked with another quantity": lambda d: change(
        d["fill 1"], ExecutionReport, last_quantity=41
    ),
    "a bust is lost": lambda d: d["bust"].outputs.clear(),
    "a fill under another id": lambda d: change(d["end"], FillBooked, exec_id="E4"),
}


@pytest.mark.parametrize("name", VENUE)
def test_fills_that_differ_from_the_venue_s_word_are_found(name: str) -> None:
    assert "VENUE_FILLS" in broken(VENUE[name])


def test_a_repeated_report_may_not_be_booked_again() -> None:
    def breach(d: Day) -> None:
        d["fill 2"].inputs += d["fill 1"].inputs
        d["fill 2"].outputs += filled("E1", 1, 40, is_tail=False, A=30, B=10)

    assert broken(breach).keys() >= {"VENUE_FILLS", "CONSERVATION_SHARES"}
    assert broken(lambda d: d["fill 2"].inputs.extend(d["fill 1"].inputs)) == {}
