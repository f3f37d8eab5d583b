"""The desk of a race: it phones the venue of a child that nobody answers for, and settles it."""

from typing import Any

import msgspec

from schemas.messages.control import ChildSettled
from schemas.messages.core import SettledFill, SettlementStage
from streams.routing.settling import is_settleable
from streams.routing.state import Child, RoutingState
from tests.support.model_venue import PRICE_E9, Choose
from tests.support.race_venue import RaceVenue

__all__ = ["approved", "settleable", "settled_by_phone", "unanswered"]

OTHER_PRICE_E9 = PRICE_E9 - 10_000_000  # a tick off: somebody misheard it


def unanswered(state: RoutingState) -> list[Child]:
    """Return the children that people may settle."""
    return [child for child in state.children.values() if is_settleable(child)]


def settleable(venue: RaceVenue, state: RoutingState) -> list[Child]:
    """Return those of them that people do settle here: docs/adr/0028 says what is left out."""
    return [child for child in unanswered(state) if venue.changes[child.child_id] <= 1]


def settled_by_phone(venue: RaceVenue, state: RoutingState, child: Child, choose: Choose) -> Any:
    """Take the order off the venue's book and return what the venue said of it, as a proposal."""
    venue.end(child.child_id)
    executed = venue.orders[child.child_id].net
    return ChildSettled(
        child_id=child.child_id,
        parent_id=child.parent_id,
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        stage=SettlementStage.PROPOSED,
        settlement_id=f"s{len(child.settlements) + 1}",
        cumulative_quantity=executed,
        fills=_fills(venue, state, child, executed - child.net, choose),
        said_by="its help desk",
        evidence="call 7",
        reason="no answer",
        proposed_by="",
        approved_by="",
        freed_quantity=0,
    )


def approved(proposal: ChildSettled) -> ChildSettled:
    return msgspec.structs.replace(proposal, stage=SettlementStage.APPROVED)


def _fills(
    venue: RaceVenue, state: RoutingState, child: Child, wanted: int, choose: Choose
) -> tuple[SettledFill, ...]:
    """Return what is not booked: by ExecID, as one, in two parts, or in part at a wrong price."""
    if wanted <= 0:
        return ()
    missing = [
        each
        for each in venue.executions
        if each.child_id == child.child_id and f"{child.venue_id}/{each.exec_id}" not in state.fills
    ]
    how = choose(4)
    # What a venue changed has two ExecIDs: nobody reads one of them out.
    is_plain = not venue.taken_back and not venue.excess
    if how == 0 and is_plain and sum(each.quantity for each in missing) == wanted:
        return tuple(_fill(each.quantity, exec_id=each.exec_id) for each in missing)
    first = 1 + choose(wanted)
    price_e9 = OTHER_PRICE_E9 if how == 1 else PRICE_E9
    parts = (_fill(first, price_e9=price_e9), _fill(wanted - first))
    return tuple(part for part in parts if part.quantity)


def _fill(quantity: int, *, exec_id: str = "", price_e9: int = PRICE_E9) -> SettledFill:
    return SettledFill(
        exec_id=exec_id, quantity=quantity, price_e9=price_e9, fee_e9=0, transact_ns=0
    )
