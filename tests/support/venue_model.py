"""Children with known truths: what a fit must find."""

from random import Random

from schemas.messages.control import VenueDefined
from schemas.messages.core import OrderKind, Side
from services.venuemodel.children import Child, Part
from tests.support.builders import ACME, OPEN_NS, SECOND, venue_defined

__all__ = ["PRICES", "VENUES", "Truth", "street"]

VENUES: dict[str, VenueDefined] = {each: venue_defined(each) for each in ("V1", "V2", "V3")}
PRICES = {"fine": 100.0}


class Truth:
    """What a venue does to a resting child: chance to fill, realized cost and leakage in bp."""

    def __init__(self, fill: float, cost: float, leak: float = 0.0) -> None:
        self.fill = fill
        self.cost = cost
        self.leak = leak


def street(
    truths: dict[str, Truth], parents: int, seed: int = 1, start: int = 0, each: int = 3
) -> list[Child]:
    """Return `each` children of every parent at every venue, with noise of 2 bp."""
    random, made = Random(seed), list[Child]()
    for parent in range(start, start + parents):
        for venue_id, truth in truths.items():
            for number in range(each):
                made.append(_child(random, venue_id, truth, parent, number))
    return made


def _child(random: Random, venue_id: str, truth: Truth, parent: int, number: int) -> Child:
    is_filled = random.random() < truth.fill
    child = Child(
        child_id=f"P{parent}.{venue_id}.{number}",
        parent_id=f"P{parent}",
        venue_id=venue_id,
        kind=OrderKind.PASSIVE,
        bucket="fine",
        side=Side.BUY,
        instrument_id=ACME,
        placed_ns=OPEN_NS + parent * 60 * SECOND + number * SECOND,
        quantity=100,
        lot=1,
        half_spread=1.0,
        answer_ns=round(random.uniform(1, 3) * 1_000_000),
        sent=truth.leak + random.gauss(0, 2),
    )
    if is_filled:
        cost = truth.cost + random.gauss(0, 2)
        child.parts = [Part(1.0, round(random.uniform(0, 15) * SECOND), -1.0, 0.0, cost, -0.2, 100)]
    else:
        child.unfilled = 1.0
        child.end_age_ns = 15 * SECOND
        child.missed = random.gauss(1, 2)
    return child
