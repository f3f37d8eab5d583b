"""What the gateway answers for a venue: only about what, for certain, never reached it."""

from collections.abc import Iterator
from typing import Final

from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.fix.venues.ids import MARK
from services.fix.venues.orders import refusal
from services.fix.venues.reports import own_reject
from services.fix.venues.state import Child, Queued, VenuesState
from services.fix.venues.terms import VenueTerms

__all__ = ["Answer", "is_unsent", "own_answers", "request_reject", "too_old"]

UNSENT: Final = f"{MARK}unsent"  # end of the ExecID of a child that was never sent
NO_SESSION: Final = "there is no session with the venue: not sent"

Answer = ExecutionReport | OrderCancelReject


def is_unsent(report: ExecutionReport) -> bool:
    """Return whether it is the end of a child that the gateway never sent."""
    return report.exec_id == report.child_id + UNSENT


def own_answers(
    state: VenuesState, terms: VenueTerms, session_id: str, *, is_logged_on: bool, at_ns: int
) -> Iterator[tuple[Queued, Answer]]:
    """Yield what waits and is not to be sent, with its answer.

    A D that is canceled while it waits, that finds no session, or that the venue's terms do not
    allow. An F waits for the session; a G would be about an order that may have changed by then.
    """
    waiting = list(state.queue(session_id).values())
    canceled = {each.child_id for each in waiting if each.kind == "F"}
    for each in waiting:
        child = state.children.get(each.child_id)
        if child is None:
            continue
        if each.kind == "D":
            if each.child_id in canceled:
                text = "canceled before it was sent"
                yield each, _unsent(each.child_id, child, text, at_ns, is_canceled=True)
                continue
            text = refusal(terms, child, at_ns) if is_logged_on else NO_SESSION
            if text:
                yield each, _unsent(each.child_id, child, text, at_ns)
        elif each.kind == "G" and not (is_logged_on and terms.takes_replace):
            text = "the venue replaces no orders" if is_logged_on else NO_SESSION
            reject = request_reject(
                each.child_id, child, each.request, text, at_ns, is_replace=True
            )
            yield each, reject


def request_reject(
    child_id: str, child: Child, request: int, text: str, at_ns: int, *, is_replace: bool
) -> OrderCancelReject:
    """Return the refusal of a cancel or replace that the venue does not have."""
    return OrderCancelReject(
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        child_id=child_id,
        venue_order_id=child.venue_order_id,
        request=request,
        text=text,
        transact_ns=at_ns,
        is_replace=is_replace,
    )


def too_old(child_id: str, child: Child, at_ns: int) -> ExecutionReport:
    """Return the end of a child that the wire could not send in time."""
    return _unsent(child_id, child, "too old to be sent when the session was back", at_ns)


def _unsent(
    child_id: str, child: Child, text: str, at_ns: int, *, is_canceled: bool = False
) -> ExecutionReport:
    return own_reject(child_id, child, child_id + UNSENT, text, at_ns, is_canceled=is_canceled)
