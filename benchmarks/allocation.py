"""One fill given to many orders: what the decider and its fold cost, apart from the log."""

import random
import sys
import time
from typing import NamedTuple

from schemas.messages.core import Cause, Liquidity, Member, Side
from schemas.messages.netting import EpochOpened
from schemas.messages.routing import FillBooked
from streams.allocation import ALLOCATION
from streams.allocation.commands import AllocateFill

PARENT = "P000000.0.1"


class AllocationTimes(NamedTuple):
    members: int
    fills: int
    p50_ms: float
    p99_ms: float


def allocation_times(members: int = 1_000, seed: int = 7) -> AllocationTimes:
    """Return the time from a booked fill to its folded allocation, over random fills."""
    source = random.Random(seed)
    state = ALLOCATION.initial()
    weights = [source.randint(100, 1_000) for _ in range(members)]
    house, filled = sum(weights), 0
    times: list[float] = []
    epoch = EpochOpened(
        parent_id=PARENT,
        epoch=1,
        quantity=house,
        parent_quantity=house,
        members=tuple(
            Member(order_id=f"O000000.0.{i}", quantity=weight) for i, weight in enumerate(weights)
        ),
        cause=Cause.OPENED,
    )
    ALLOCATION.evolve(state, epoch)
    while filled < house:
        quantity = min(source.randint(1, 2_000), house - filled)
        filled += quantity
        fill = _fill(len(times), quantity)
        start = time.process_time()
        ALLOCATION.evolve(state, fill)
        for event in ALLOCATION.decide(state, AllocateFill(fill=fill)):
            ALLOCATION.evolve(state, event)
        times.append(time.process_time() - start)
    times.sort()
    ms = [1_000 * at for at in times]
    return AllocationTimes(members, len(ms), ms[len(ms) // 2], ms[len(ms) * 99 // 100])


def _fill(ordinal: int, quantity: int) -> FillBooked:
    price_e9 = 100_000_000_000
    return FillBooked(
        fill_id=f"V1/{ordinal}",
        exec_id=str(ordinal),
        child_id=f"{PARENT}.1.1",
        slice_id=f"{PARENT}.1",
        parent_id=PARENT,
        epoch=1,
        venue_id="V1",
        instrument_id="BENCH",
        side=Side.BUY,
        quantity=quantity,
        error_quantity=0,
        late_quantity=0,
        price_e9=price_e9,
        cash_e9=price_e9 * quantity,
        fee_e9=0,
        liquidity=Liquidity.REMOVED,
        midpoint_e9=None,
    )


def main() -> int:
    for members in (10, 100, 1_000):
        times = allocation_times(members)
        print(
            f"{times.members} members, {times.fills} fills: "
            f"p50 {times.p50_ms:.2f} ms, p99 {times.p99_ms:.2f} ms of processor time"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
