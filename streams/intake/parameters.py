"""Rules for the parameters of a strategy: known to it, in range, and what may change when."""

from schemas.messages.core import RejectReason, StrategyKind, StrategyParameters
from streams.intake.refusal import Refusal, refuse
from streams.intake.state import Order
from streams.parameters import frozen_changes, problem

__all__ = ["check_amended", "check_parameters"]


def check_parameters(
    strategy: StrategyKind, parameters: StrategyParameters | None, cap_bps: int
) -> Refusal | None:
    """Return a refusal when the strategy does not know a parameter or its value can not be."""
    if parameters is None:
        return None
    found = problem(strategy, parameters, cap_bps)
    if found is None:
        return None
    return refuse(found.reason, f"parameters.{found.name}", found.value, found.bound)


def check_amended(order: Order, asked: StrategyParameters | None) -> Refusal | None:
    """Return a refusal when the request changes what may not change, or to what can not be.

    Nothing is planned for an order that waits, so all of its parameters may change.
    """
    if asked == order.parameters:
        return None
    strategy = order.terms.strategy
    if order.parent_id:
        for name in frozen_changes(strategy, order.parameters, asked):
            value = None if asked is None else getattr(asked, name)
            bound = f"{strategy} works with it"
            reason = RejectReason.REPLACE_NOT_ALLOWED
            return refuse(reason, f"parameters.{name}", value, bound)
    return check_parameters(strategy, asked, order.terms.participation_cap_bps)
