"""Epochs and tails of one parent: who is owed what when membership changes."""

from collections.abc import Mapping, Sequence

from schemas.messages.core import Cause, Member
from schemas.messages.netting import EpochClosed, EpochOpened
from streams.core.division import Division
from streams.netting.commands import ParentExposure
from streams.netting.state import NettingState, Order, Parent

__all__ = [
    "close_epoch",
    "exposure_of",
    "is_rebase_due",
    "member",
    "reserved",
    "tail_of",
    "turn_epoch",
    "unreleased",
]

NOTHING: Mapping[str, int] = {}


def exposure_of(exposure: ParentExposure, epoch: int) -> int:
    """Return what is live or released of one epoch."""
    return sum(e.quantity for e in exposure.exposures if e.epoch == epoch)


def member(order: Order, quantity: int, received: int, lot: int) -> Member:
    """Return an order's part of a house.

    Units:  `received` is what it got or may still get elsewhere: a lot that this began is completed
            first, if `quantity` reaches for it.
    """
    begun = -received % lot
    return Member(
        order_id=order.order_id,
        quantity=quantity,
        tier=1 if order.is_house else 0,
        begun_quantity=begun if begun <= quantity else 0,
    )


def tail_of(parent: Parent, quantity: int) -> dict[str, int]:
    """Return how the current epoch's live `quantity` is divided, as if all of it filled now.

    So it goes stage by stage, as its fills would have gone: clients first, lots before odd rests.
    """
    if not quantity:
        return {}
    members = [
        Member(
            order_id=order_id,
            quantity=weight,
            tier=parent.tiers.get(order_id, 0),
            begun_quantity=parent.begun.get(order_id, 0),
        )
        for order_id, weight in parent.weights.items()
    ]
    allocated = [parent.allocated.get(order_id, 0) for order_id in parent.weights]
    rule = Division.of(f"{parent.parent_id}/{parent.epoch}", members, parent.lot)
    shares = zip(parent.weights, rule.after(allocated, quantity), allocated, strict=True)
    return {order_id: new - old for order_id, new, old in shares if new > old}


def reserved(parent: Parent, resolved: Sequence[int] = ()) -> dict[str, int]:
    """Return what each order may still get out of tails, those in `resolved` left out."""
    total: dict[str, int] = {}
    for tail in parent.tails:
        if tail.epoch not in resolved:
            for order_id, quantity in tail.reserved.items():
                total[order_id] = total.get(order_id, 0) + quantity
    return total


def unreleased(
    state: NettingState, parent: Parent, tail: Mapping[str, int], resolved: Sequence[int] = ()
) -> dict[str, int]:
    """Return what each member still wants beyond every tail, `tail` included; never 0."""
    held = reserved(parent, resolved)
    result = {}
    for order_id in parent.wanting:
        free = state.orders[order_id].leaves - held.get(order_id, 0) - tail.get(order_id, 0)
        if free > 0:
            result[order_id] = free
    return result


def is_rebase_due(state: NettingState, parent: Parent, resolved: Sequence[int] = ()) -> bool:
    """Return whether what the members want differs from what the current epoch can give."""
    current = {
        order_id: weight - parent.allocated.get(order_id, 0)
        for order_id, weight in parent.weights.items()
        if weight > parent.allocated.get(order_id, 0)
    }
    return current != unreleased(state, parent, NOTHING, resolved)


def turn_epoch(
    state: NettingState,
    parent: Parent,
    exposure: ParentExposure,
    cause: Cause,
    *,
    joining: Sequence[Member] = (),
    crossed: Mapping[str, int] = NOTHING,
    resolved: Sequence[int] = (),
    leaving: Sequence[str] = (),
) -> tuple[EpochClosed, EpochOpened]:
    """Return the end of the current epoch and the start of the next.

    Units:  `joining` carries what each new order still wants; `crossed` what this same decision
            gave to members by a cross; `resolved` the epochs whose tails it freed; `leaving` the
            orders that it let go.
    """
    tail = tail_of(parent, exposure_of(exposure, parent.epoch))
    wanted = unreleased(state, parent, tail, resolved)
    promised = reserved(parent, resolved)
    held = sum(promised.values()) + sum(tail.values())

    def part(order_id: str, quantity: int) -> Member:
        order = state.orders[order_id]
        received = order.allocated + promised.get(order_id, 0) + crossed.get(order_id, 0)
        return member(order, quantity, received, parent.lot)

    tail_members = [part(order_id, quantity) for order_id, quantity in tail.items()]
    for order_id, quantity in tail.items():
        promised[order_id] = promised.get(order_id, 0) + quantity
    weights = [
        part(order_id, free - crossed.get(order_id, 0))
        for order_id, free in wanted.items()
        if order_id not in leaving and free > crossed.get(order_id, 0)
    ]
    weights.extend(joining)
    quantity = sum(each.quantity for each in weights)
    return (
        close_epoch(parent, tail_members, cause),
        EpochOpened(
            parent_id=parent.parent_id,
            epoch=parent.epoch + 1,
            quantity=quantity,
            parent_quantity=parent.filled + held + quantity,
            members=tuple(weights),
            cause=cause,
            lot=parent.lot,
            is_per_fill=parent.is_per_fill,
        ),
    )


def close_epoch(parent: Parent, tail: Sequence[Member], cause: Cause) -> EpochClosed:
    """Return the end of the current epoch; `tail` is who its live exposure belongs to."""
    return EpochClosed(
        parent_id=parent.parent_id,
        epoch=parent.epoch,
        tail_quantity=sum(each.quantity for each in tail),
        tail=tuple(tail),
        cause=cause,
    )
