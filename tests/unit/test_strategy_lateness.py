"""Against what a child is late, and how long it may rest before somebody must take."""

from itertools import pairwise

import pytest

from schemas.messages.core import AdjustmentReason, Cause, StrategyKind, Urgency
from schemas.messages.strategy import ScheduleSet
from streams.parameters import resolved
from streams.strategy import STRATEGY
from streams.strategy.advice import rest_ns
from streams.strategy.situation import Situation, Step
from streams.strategy.state import StrategySettings
from tests.support.builders import MINUTE, OPEN_NS, SECOND
from tests.support.estimates import position_of, reasons_of, seen
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    epoch_opened,
    filled,
    forecast,
    parent_opened,
    wake,
)
from tests.support.vwap import CURVE, END_NS, OPENED, position, vwap

Reason = AdjustmentReason
SECOND_BIN = OPEN_NS + MINUTE
# The first bin of a VWAP is done.
DONE = (
    *OPENED,
    *given(STRATEGY, *OPENED).when(begin(forecast=CURVE)).events(),
    filled(100),
)


def test_a_bin_of_a_slow_day_is_not_late_from_its_first_second() -> None:
    """Half of the volume came: tracking wants less by now than the plan of the open did."""
    slow = (*DONE, position(Cause.FILL, 200, OPEN_NS + 2 * MINUTE, filled_quantity=100))
    rest = forecast(3_000, 4_000, bin_start_ns=OPEN_NS + 2 * MINUTE)
    at_ns = OPEN_NS + 2 * MINUTE
    events = given(STRATEGY, *slow).when(wake(at_ns, forecast=rest, market=seen(500))).events()
    assert position_of(events).target_quantity == 466
    assert Reason.BEHIND not in reasons_of(events)
    late = wake(at_ns, forecast=rest, market=seen(5_000))
    assert Reason.BEHIND in reasons_of(given(STRATEGY, *slow).when(late).events())


def test_a_drawn_slot_is_late_against_the_line_of_equal_slots() -> None:
    """Ten slots of a minute: nobody is late because his slot was drawn short."""
    terms = {"end_ns": OPEN_NS + 10 * MINUTE, "quantity": 1_000}
    opened = (parent_opened(StrategyKind.TWAP, **terms), epoch_opened(1_000))
    begun = given(STRATEGY, *opened).when(begin(market=seen())).events()
    plan = next(each for each in begun if isinstance(each, ScheduleSet))
    starts = plan.bin_starts_ns
    assert len({b - a for a, b in pairwise(starts)}) > 1
    for ordinal in (4, 7):
        at_ns = starts[ordinal]
        last = position(Cause.BIN, plan.targets[ordinal - 1], at_ns, bin=ordinal - 1)
        events = given(STRATEGY, *opened, *begun, last).when(wake(at_ns, market=seen())).events()
        line = 950 * (at_ns - starts[0]) // (terms["end_ns"] - starts[0])
        assert reasons_of(events)[Reason.BEHIND].reference_e9 == min(line, plan.targets[ordinal])


@pytest.mark.parametrize(
    ("urgency", "longer_s"), [(Urgency.PASSIVE, 60), (Urgency.NEUTRAL, 30), (Urgency.URGENT, 0)]
)
def test_what_a_bin_leaves_may_rest_on_in_the_next(urgency: Urgency, longer_s: int) -> None:
    """The chance to be met is over that time; the last bin has no next one."""
    opened = (vwap(urgency=urgency), epoch_opened())
    begun = given(STRATEGY, *opened).when(begin(forecast=CURVE)).events()
    parent = STRATEGY.fold((*opened, *begun)).parents[PARENT]
    now = Situation(
        parent=parent,
        settings=StrategySettings(),
        parameters=resolved(parent.strategy, urgency, None),
        cause=Cause.BIN,
        at_ns=SECOND_BIN,
        end_ns=END_NS,
        entropy=b"",
        market=seen(),
        forecast=None,
    )
    step = Step(1, 300, 1_000, SECOND_BIN, SECOND_BIN + MINUTE, False, 4)
    assert rest_ns(now, step) == (60 + longer_s) * SECOND
    assert rest_ns(now, step._replace(is_last=True)) == MINUTE
