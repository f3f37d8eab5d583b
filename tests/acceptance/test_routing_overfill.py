"""Over-filling on purpose: more is sent than wanted, what is too much is the firm's, and hedged."""

import json
from typing import Any

from schemas.messages.control import SettingsLoaded
from schemas.messages.core import Cause, LogicAlternative, RoutingLogic, Side, Urgency
from schemas.messages.intake import OrderAccepted, OrderCanceled, OrderRejected
from schemas.messages.routing import ChildPlaced, ErrorHedged, FillBooked, RouteDecided
from schemas.messages.strategy import SliceReleased
from tests.support.audit_host import checked, recorded
from tests.support.builders import account_defined
from tests.support.scenario import Desk

QUANTITY = 6_000
BUDGET = 1_800
URGENT = {"urgency": Urgency.URGENT}
ROUTING = {"overfill_bps": 3_000, "error_tenant": "FIRM", "error_account_id": "ERR"}


def desk_with(**changes: Any) -> Desk:
    desk = Desk()
    content = json.dumps({**ROUTING, **changes})
    desk.act("define", SettingsLoaded(context="routing", content=content, sha256=""))
    desk.act("define", account_defined("ERR", tenant="FIRM"))
    return desk


def over_subscribed(**changes: Any) -> Desk:
    """An urgent buyer of 6,000 below the market, and three children that want 7,800 for it."""
    desk = desk_with(**changes)
    desk.act("buy", "c1", QUANTITY, URGENT)
    return desk


def test_an_urgent_slice_is_over_subscribed_by_no_more_than_its_budget() -> None:
    desk = over_subscribed()
    (slice_,) = desk.host.messages(SliceReleased)
    assert slice_.overfill_quantity == BUDGET
    children = desk.host.messages(ChildPlaced)
    assert len(children) == 3
    assert sum(child.quantity for child in children) == QUANTITY + BUDGET
    assert sum(child.overfill_quantity for child in children) == BUDGET
    (decided,) = desk.host.messages(RouteDecided)
    assert decided.logic is RoutingLogic.PARALLEL
    assert logics(decided.logics)[:2] == [RoutingLogic.PARALLEL, RoutingLogic.SEQUENTIAL]
    assert decided.logics[0].score_e9 < decided.logics[1].score_e9


def logics(weighed: tuple[LogicAlternative, ...]) -> list[RoutingLogic]:
    return [each.logic for each in weighed]


def test_the_rest_is_asked_back_the_moment_the_target_is_met_and_nobody_gets_too_much() -> None:
    desk = over_subscribed()
    first, second, third = desk.children
    assert "FillBooked 2400 late 0 error 0" in desk.act("fill", 2_400, first)
    assert "FillBooked 2400 late 0 error 0" in desk.act("fill", 2_400, second)
    written = desk.act("fill", 1_200, third)
    assert "FillBooked 1200 late 0 error 0" in written
    # Each child still has something at its venue: all three are asked back in the same batch.
    assert written.count("ChildCancelRequested TARGET_MET") == 3
    assert "OrderClosed c1 FILLED 6000" in written
    for _ in range(3):
        desk.act("confirm_cancel", 0)
    assert_sound(desk)
    assert not desk.host.messages(ErrorHedged)


def test_the_excess_goes_to_the_error_account_and_a_house_order_takes_the_other_side() -> None:
    desk = over_subscribed()
    first, second, third = desk.children
    desk.act("fill", 2_400, first)
    desk.act("fill", 2_400, second)
    written = desk.act("fill", 2_340, third)
    assert "FillBooked 1200 late 0 error 1140" in written
    assert "OrderClosed c1 FILLED 6000" in written
    (hedge,) = desk.host.messages(ErrorHedged)
    assert (hedge.side, hedge.quantity, hedge.cause) == (Side.SELL, 1_140, Cause.OVERFILL)
    accepted = desk.host.messages(OrderAccepted)[-1]
    assert (accepted.account_id, accepted.tenant) == ("ERR", "FIRM")
    assert (accepted.side, accepted.quantity) == (Side.SELL, 1_140)
    desk.act("wait", 1)
    children = desk.host.messages(ChildPlaced)[3:]
    assert sum(child.quantity for child in children) == 1_140
    assert not any(child.overfill_quantity for child in children)
    assert_sound(desk)


def test_a_race_after_the_target_costs_the_firm_never_the_client() -> None:
    """The fills of the children that were asked back come before the venues hear of it."""
    desk = over_subscribed()
    first, second, third = desk.children
    desk.act("fill", 2_730, first)
    desk.act("fill", 2_730, second)
    desk.act("fill", 540, third)  # 6,000: the target
    written = desk.act("fill", 1_800, third)
    assert "FillBooked 0 late 0 error 1800" in written
    assert not any(line.startswith("FillAllocated") for line in written)
    assert sum(fill.overfill_quantity for fill in desk.host.messages(FillBooked)) == BUDGET
    assert_sound(desk)


def test_a_bust_of_the_excess_is_hedged_back() -> None:
    desk = over_subscribed()
    first, second, third = desk.children
    desk.act("fill", 2_400, first)
    desk.act("fill", 2_400, second)
    desk.act("fill", 2_340, third)
    desk.act("bust", 2)
    sold, bought = desk.host.messages(ErrorHedged)
    assert (sold.side, sold.quantity) == (Side.SELL, 1_140)
    assert (bought.side, bought.quantity, bought.cause) == (Side.BUY, 1_140, Cause.BUST)
    assert_sound(desk)


def test_a_refused_hedge_is_tried_again() -> None:
    """Nobody has defined the account yet: intake refuses, the position stays open."""
    desk = Desk()
    content = json.dumps(ROUTING)
    desk.act("define", SettingsLoaded(context="routing", content=content, sha256=""))
    desk.act("buy", "c1", QUANTITY, URGENT)
    first, second, third = desk.children
    desk.act("fill", 2_400, first)
    desk.act("fill", 2_400, second)
    desk.act("fill", 2_340, third)
    assert len(desk.host.messages(OrderRejected)) == 1
    desk.act("define", account_defined("ERR", tenant="FIRM"))
    desk.act("wait", 60)
    again = desk.host.messages(ErrorHedged)[-1]
    assert (again.side, again.quantity, again.cause) == (Side.SELL, 1_140, Cause.TIMEOUT)
    assert desk.host.messages(OrderAccepted)[-1].account_id == "ERR"
    assert_sound(desk)


def test_a_hedge_that_gives_up_is_entered_again_for_what_it_did_not_get() -> None:
    desk = over_subscribed()
    first, second, third = desk.children
    desk.act("fill", 2_400, first)
    desk.act("fill", 2_400, second)
    desk.act("fill", 2_340, third)
    hedge = desk.host.messages(ErrorHedged)[-1]
    desk.act("wait", 1)
    child = desk.host.messages(ChildPlaced)[-1]
    desk.act("fill", 140, child)
    desk.act("wait", 60)  # its timer finds nothing open: the order covers all of it
    assert len(desk.host.messages(ErrorHedged)) == 1
    give_up(desk, hedge.hedge_id)
    got, again = sold_by_the_house(desk), desk.host.messages(ErrorHedged)[1]
    assert got == 140
    assert (again.side, again.quantity, again.cause) == (Side.SELL, 1_000, Cause.TIMEOUT)
    assert desk.host.messages(OrderAccepted)[-1].quantity == 1_000
    assert_sound(desk)


def give_up(desk: Desk, hedge_id: str) -> None:
    """Let a person cancel the house order; venues confirm that its children are off."""
    desk.act("cancel", "x1", hedge_id, {"source": "error-account", "tenant": "FIRM"})
    while not any(event.order_id for event in desk.host.messages(OrderCanceled)):
        desk.act("wait", 1)
        while desk.children:
            desk.act("confirm_cancel", 0)


def sold_by_the_house(desk: Desk) -> int:
    (canceled,) = desk.host.messages(OrderCanceled)
    return canceled.cumulative_quantity


def test_without_an_account_that_bears_it_nothing_is_over_subscribed() -> None:
    desk = over_subscribed(overfill_bps=0)
    assert sum(child.quantity for child in desk.host.messages(ChildPlaced)) == QUANTITY
    patient = desk_with()
    patient.act("buy", "c1", QUANTITY)
    assert not any(slice_.overfill_quantity for slice_ in patient.host.messages(SliceReleased))


def assert_sound(desk: Desk) -> None:
    """The independent checker proves exposure, budget and allocation from the records alone."""
    report = checked(recorded(desk.host))
    assert not report.findings, report.findings
    for order in desk.host.messages(OrderAccepted):
        filled = desk.host.app.state.intake.orders[order.order_id].cumulative_quantity
        assert filled <= order.quantity
