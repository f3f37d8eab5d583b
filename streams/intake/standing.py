"""Orders that outlive a session: done for the day, resumed in the next one, expired."""

from schemas.messages.core import Cause, CommandKind, OrderStatus
from schemas.messages.intake import OrderDoneForDay, OrderResumed
from streams.core.market import Instrument
from streams.intake.answers import IntakeEvent, replaced
from streams.intake.change import cancel_unasked
from streams.intake.commands import ExpireOrder, ResumeOrder
from streams.intake.state import IntakeState, Order
from streams.intake.submit import group_id
from streams.intake.times import MULTI_DAY, next_session_ns

__all__ = ["done_for_day", "expire", "lives_on", "resume"]


def lives_on(order: Order, at_ns: int) -> bool:
    """Return whether the order outlives the session whose end has come."""
    terms = order.terms
    return terms.time_in_force in MULTI_DAY and not 0 < terms.expire_ns <= at_ns


def done_for_day(
    order: Order, instrument: Instrument | None, at_ns: int
) -> tuple[IntakeEvent, ...]:
    """Return that the order sleeps until its next session; a pending replace takes effect."""
    done = _sleep(order, next_session_ns(instrument, order.end_ns, at_ns), at_ns)
    pending = order.pending
    if pending is None or pending.command is not CommandKind.REPLACE:
        return (done,)
    return (done, *replaced(order, pending, at_ns))


def resume(state: IntakeState, command: ResumeOrder) -> tuple[IntakeEvent, ...]:
    """Return the order at work in its new session, or asleep until another instant than known.

    (): nothing new is known, or it has ended.
    """
    order, terms, at_ns = state.orders[command.order_id], command.instrument, command.at_ns
    if order.status is not OrderStatus.DONE_FOR_DAY or not lives_on(order, at_ns):
        return ()
    open_ns = next_session_ns(terms, order.end_ns, at_ns)
    if not 0 < open_ns <= at_ns:
        is_known = open_ns == state.dormant[command.order_id]
        return () if is_known else (_sleep(order, open_ns, at_ns),)
    assert terms is not None  # it has a session
    expire_ns, close_ns = order.terms.expire_ns, terms.session_close_ns
    end_ns = min(expire_ns, close_ns) if expire_ns else close_ns
    resumed = OrderResumed(
        order_id=command.order_id,
        trade_date=terms.trade_date,
        cumulative_quantity=order.cumulative_quantity,
        start_ns=at_ns,
        end_ns=end_ns,
        group_id=group_id(
            order.terms,
            start_ns=0,
            end_ns=end_ns,
            order_type=order.order_type,
            limit_price_e9=order.limit_price_e9,
            constraints=order.constraints,
            parameters=order.parameters,
        ),
        resumed_ns=at_ns,
    )
    return (resumed,)


def expire(order: Order, command: ExpireOrder) -> tuple[IntakeEvent, ...]:
    """Return the end of a GTD order whose time is over.

    A member's parent ends at that instant too and takes it along, unless it works longer.
    """
    at_ns, expire_ns = command.at_ns, order.terms.expire_ns
    if not 0 < expire_ns <= at_ns or (order.parent_id and order.end_ns <= at_ns):
        return ()
    return cancel_unasked(order, Cause.EXPIRED, at_ns)


def _sleep(order: Order, resume_ns: int, at_ns: int) -> OrderDoneForDay:
    return OrderDoneForDay(
        order_id=order.terms.order_id,
        trade_date=order.trade_date,
        cumulative_quantity=order.cumulative_quantity,
        leaves_quantity=order.quantity - order.cumulative_quantity,
        resume_ns=resume_ns,
        done_ns=at_ns,
    )
