"""A basket on its way to intake: its entries meet the limits one after another."""

from collections.abc import Callable
from copy import copy, deepcopy

import msgspec

from schemas.messages.intake import NewBasket
from streams import risk
from streams.intake.basket import ENTRIES_MAX, orders_of, screen
from streams.intake.commands import SubmitBasket, SubmitOrder
from streams.intake.ladder import check_limits
from streams.intake.submit import accept, refused
from streams.shard.knowledge import Knowledge
from streams.shard.limits import assess_new
from streams.shard.submission import digest_of, submit_order

__all__ = ["submit_basket"]


def submit_basket(
    knows: Knowledge, message: NewBasket, is_here: Callable[[str], bool]
) -> SubmitBasket:
    """Return a basket with its entries as orders; `is_here` tells of an instrument.

    The limits see each entry after those before it: a rehearsal on a copy of what risk remembers
    answers them one by one, as intake will if no entry refuses all.
    """
    is_small = len(message.entries) <= ENTRIES_MAX  # a larger one is refused unread
    orders = tuple(
        submit_order(knows, order, is_own=is_here(order.instrument_id), is_judged=False)
        for order in (orders_of(message) if is_small else ())
    )
    command = SubmitBasket(
        message=message, orders=orders, at_ns=knows.at_ns, digest=digest_of(message)
    )
    keeps_rules = screen(knows.state.intake, command)
    if not any(keeps_rules):
        return command
    rehearsal, gate = _copied(knows.state.risk), knows.gate
    knows.gate = risk.Gate(rehearsal)
    try:
        judged = tuple(
            _judged(knows, rehearsal, order, ordinal) if is_valid else order
            for ordinal, (order, is_valid) in enumerate(zip(orders, keeps_rules, strict=True), 1)
        )
    finally:
        knows.gate = gate
    return msgspec.structs.replace(command, orders=judged)


def _judged(
    knows: Knowledge, rehearsal: risk.RiskState, order: SubmitOrder, ordinal: int
) -> SubmitOrder:
    verdict = assess_new(knows, order.message, order.digest, order.instrument, order.account)
    judged = msgspec.structs.replace(
        order,
        breach=verdict.breach,
        limits_version=verdict.version,
        unit_value_e9=verdict.unit_value_e9,
    )
    broken = check_limits(judged)
    if broken is None:
        risk.RISK.evolve(rehearsal, accept("rehearsed.", ordinal, judged))
    else:
        risk.RISK.evolve(rehearsal, refused(judged, broken))
    return judged


def _copied(state: risk.RiskState) -> risk.RiskState:
    """Return a copy that new orders may be counted in: orders that stand are only read then."""
    counts = copy(state)
    for name in state.__struct_fields__:
        value = getattr(state, name)
        if isinstance(value, dict):
            setattr(counts, name, dict(value) if name == "orders" else deepcopy(value))
    return counts
