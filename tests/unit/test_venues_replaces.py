"""Children that change where they stand at a simulated venue."""

from typing import Any

from schemas.messages.core import Cause, ExecType, OrderStatus, OrderType, TimeInForce
from schemas.messages.routing import ChildPlaced, ChildReplaceRequested
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.venues.scenario import Scenario, plan_day
from tests.support.venue_driver import VenueDriver, child_placed

DAY = plan_day(Scenario(seed=3, minutes=1, orders=0))
TICK = 10_000_000


def replace(placed: ChildPlaced, **changes: Any) -> ChildReplaceRequested:
    return ChildReplaceRequested(
        **{
            "child_id": placed.child_id,
            "slice_id": placed.slice_id,
            "parent_id": placed.parent_id,
            "epoch": placed.epoch,
            "venue_id": placed.venue_id,
            "instrument_id": placed.instrument_id,
            "request": 1,
            "previous_quantity": placed.quantity,
            "quantity": placed.quantity,
            "price_e9": placed.price_e9,
            "cause": Cause.PRICE,
            "requested_ns": 0,
            "retry_ns": 0,
            **changes,
        }
    )


def after(placed: ChildPlaced, *requests: ChildReplaceRequested) -> list[Any]:
    """Return what the venue says of the child once the requests have come, in this order."""
    driver = VenueDriver(DAY)
    driver.step()
    driver.step([placed])
    heard: list[Any] = []
    for request in requests:
        heard += driver.step([request])
    kinds = (ExecutionReport, OrderCancelReject)
    said = [each.message for each in heard if isinstance(each.message, kinds)]
    return [each for each in said if each.child_id == placed.child_id]


RESTING = child_placed("P1.1.1", price_e9=20_000_000_000)


def test_a_resting_child_stands_at_another_price() -> None:
    (report,) = after(RESTING, replace(RESTING, price_e9=RESTING.price_e9 + TICK))  # type: ignore[operator]
    assert (report.exec_type, report.request) == (ExecType.REPLACED, 1)
    assert (report.order_quantity, report.leaves_quantity) == (100, 100)
    assert report.price_e9 == 20_010_000_000


def test_less_and_more_quantity_are_taken() -> None:
    for quantity in (40, 170):
        (report,) = after(RESTING, replace(RESTING, quantity=quantity))
        assert (report.order_quantity, report.leaves_quantity) == (quantity, quantity)


def test_a_price_through_the_market_takes_what_is_there() -> None:
    said = after(RESTING, replace(RESTING, price_e9=90_000_000_000))
    assert said[0].exec_type is ExecType.REPLACED
    assert said[-1].order_status is OrderStatus.FILLED
    assert said[-1].cumulative_quantity == 100


def test_what_cannot_be_replaced_is_refused() -> None:
    gone = child_placed("P1.1.2", price_e9=20_000_000_000, time_in_force=TimeInForce.IOC)
    for placed, request in (
        (RESTING, replace(RESTING, quantity=0)),
        (RESTING, replace(RESTING, price_e9=20_000_000_001)),
        (RESTING, replace(RESTING, price_e9=None)),
        (gone, replace(gone)),
    ):
        said = after(placed, request)
        assert isinstance(said[-1], OrderCancelReject)
        assert (said[-1].is_replace, said[-1].request) == (True, 1)


def test_an_unknown_child_is_not_replaced() -> None:
    other = child_placed("P1.1.9", order_type=OrderType.LIMIT)
    driver = VenueDriver(DAY)
    driver.step()
    heard = driver.step([replace(other)])
    (reject,) = [each.message for each in heard if isinstance(each.message, OrderCancelReject)]
    assert reject.text == "unknown order"
