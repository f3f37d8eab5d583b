"""Fold what people say of children, and which of it the venue has reported since."""

from typing import Final

from schemas.messages.control import ChildSettled
from schemas.messages.core import ExecType, RejectReason, SettlementStage
from schemas.messages.routing import FillBusted, FillCorrected, SuspenseRecorded
from streams.core.errors import CorruptHistoryError
from streams.routing.lifecycle import hold
from streams.routing.settled import EXEC_ID, Claim, Part, is_named
from streams.routing.state import RoutingState

__all__ = ["change_part", "fold_settled", "note_claim", "parts_of"]

_ANSWERS: Final = (RejectReason.NOTHING_CHANGED, RejectReason.REPORT_CONTRADICTS)


def parts_of(settled: ChildSettled) -> dict[str, Part]:
    """Return the fills that it makes, by ExecID: those without one are one for each price."""
    unnamed: dict[int, Part] = {}
    parts: dict[str, Part] = {}
    for fill in settled.fills:
        if fill.exec_id:
            parts[fill.exec_id] = Part(fill.quantity, fill.price_e9, fill.quantity)
            continue
        same = unnamed.get(fill.price_e9)
        if same is None:
            ordinal = len(unnamed) + 1
            exec_id = EXEC_ID.format(child_id=settled.child_id, ordinal=ordinal)
            same = unnamed[fill.price_e9] = parts[exec_id] = Part(0, fill.price_e9, 0)
        same.quantity += fill.quantity
        same.open += fill.quantity
    return parts


def fold_settled(state: RoutingState, event: ChildSettled) -> None:
    """Keep a proposal with its child; of what is settled, wait for the venue's own reports."""
    child = state.children.get(event.child_id)
    if child is None:
        raise CorruptHistoryError(f"{event.child_id} is settled and exposes nothing")
    hold(child, event)
    if event.stage is SettlementStage.PROPOSED:
        child.settlements[event.settlement_id] = event
        return
    if event.settlement_id not in child.settlements:
        raise CorruptHistoryError(f"{event.child_id} is settled by what nobody proposed")
    state.settled[event.child_id] = {
        f"{event.venue_id}/{exec_id}": part for exec_id, part in parts_of(event).items()
    }


def note_claim(state: RoutingState, event: SuspenseRecorded) -> bool:
    """Note which settled fill an execution turned out to be; False when it is none of them."""
    if event.exec_type is ExecType.TRADE_CORRECT:
        return _note_more(state, event)
    if event.exec_type is not ExecType.TRADE or event.reason not in _ANSWERS:
        return False
    fill_id = f"{event.venue_id}/{event.exec_ref_id}"
    part = state.settled.get(event.child_id, {}).get(fill_id)
    if part is None:
        return False
    key = f"{event.venue_id}/{event.exec_id}"
    if key == fill_id:  # told by its own name: the fill is all its own
        part.open = 0
        state.claims.setdefault(key, [])
        return True
    quantity = min(event.quantity, part.open)
    part.open -= quantity
    state.claims.setdefault(key, []).append(Claim(fill_id, quantity))
    return True


def _note_more(state: RoutingState, event: SuspenseRecorded) -> bool:
    """Note that an execution was corrected to more, which people had told already."""
    key = f"{event.venue_id}/{event.exec_ref_id}"
    if event.reason is not RejectReason.NOTHING_CHANGED:
        return False
    parts, left = state.settled.get(event.child_id, {}), event.quantity
    if key in parts:
        parts[key].open = 0
    claims = state.claims.setdefault(key, []) if left else []
    for fill_id, part in parts.items():
        quantity = 0 if is_named(fill_id) else min(left, part.open)
        if not quantity:
            continue
        part.open -= quantity
        left -= quantity
        known = next((claim for claim in claims if claim.fill_id == fill_id), None)
        if known is None:
            known = Claim(fill_id, 0)
            claims.append(known)
        known.quantity += quantity
    for claim in state.claims.get(key, ()):
        claim.corrected_ns = max(claim.corrected_ns, event.transact_ns)
    own = state.fills.get(key)
    if own is not None:
        own.corrected_ns = max(own.corrected_ns, event.transact_ns)
    state.changes[f"{event.venue_id}/{event.exec_id}"] = key
    return True


def change_part(state: RoutingState, event: FillBusted | FillCorrected, change: int) -> str:
    """Change what stands of an execution; return by what later changes find it."""
    key = f"{event.venue_id}/{event.exec_id}"
    for claim in state.claims.get(key, ()):
        if claim.fill_id == event.fill_id:
            claim.quantity += change
            if isinstance(event, FillCorrected):
                claim.corrected_ns = max(claim.corrected_ns, event.transact_ns)
            return key
    part = state.settled.get(event.child_id, {}).get(event.fill_id)
    if part is not None:
        part.open = 0 if key == event.fill_id else max(0, part.open + change)
    return key if key in state.claims else event.fill_id
