"""Fuzz the FIX gateways: `python -m tests.fuzz.fix SECONDS [SEED]`. A failure tells its seed.

Valid messages of all types and versions, and spoiled ones, go to each kind of gateway in memory.
None may end it; what it sends is valid FIX; nothing is ordered that was not asked for; and every
message is answered, taken, or ignored as the ladder says.
"""

import random
import sys
import time
from collections.abc import Callable

from tests.support.fuzz_clearers import ClearersWorld
from tests.support.fuzz_clients import ClientsWorld
from tests.support.fuzz_market import MarketWorld
from tests.support.fuzz_venues import VenuesWorld
from tests.support.fuzz_watchers import DropCopyWorld, OmsWorld
from tests.support.fuzz_world import FuzzWorld

__all__ = ["WORLDS", "play"]

WORLDS: dict[str, Callable[[random.Random], FuzzWorld]] = {
    "clients": ClientsWorld,
    "venues": VenuesWorld,
    "clearers": ClearersWorld,
    "market": MarketWorld,
    "drop-copy": DropCopyWorld,
    "oms": OmsWorld,
}
ACTS = 150


def play(kind: str, seed: int, acts: int = ACTS) -> int:
    """Play one run of a kind of gateway; return how many messages it was told."""
    world = WORLDS[kind](random.Random(seed))
    for _ in range(acts):
        world.act()
    world.finish()
    return len(world.gateway.heard)


def main() -> None:
    seconds, first = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    end, seed = time.monotonic() + seconds, first
    heard = dict.fromkeys(WORLDS, 0)
    while time.monotonic() < end:
        for kind in WORLDS:
            try:
                heard[kind] += play(kind, seed)
            except BaseException:
                sys.stderr.write(f"{kind}: seed {seed} fails\n")
                raise
        seed += 1
    told = ", ".join(f"{count} to {kind}" for kind, count in heard.items())
    sys.stdout.write(f"fix: {seed - first} runs, messages: {told}; no defect\n")


if __name__ == "__main__":
    main()
