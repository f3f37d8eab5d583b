"""Random races of children against their venue: 0 over-fills by own action, 0 lost shares.

Run: python -m benchmarks.child_races --cases 1000000

Each case is one parent with its strategy, its routing and the division of its fills, all in
process, against a model venue that replaces, pauses, cuts, loses and repeats, busts and corrects,
in any order of reports; laws are asserted after every event (tests/support/child_race.py). A case
follows from its seed alone, so that `--first` and `--cases` shard a run, and a failure is run again
by its number.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from multiprocessing import Pool
from random import Random

from streams.core.errors import Error
from tests.support.child_race import ChildRace
from tests.support.model_venue import Choose

__all__ = ["choices_of", "run_case"]

SEED = 20_250_615
CHUNK = 500
SHOWN_MAX = 5  # failures printed in full


def choices_of(seed: int) -> Choose:
    """Return the choices of a case."""
    random = Random(SEED + seed).random
    return lambda n: int(random() * n)


def run_case(seed: int) -> ChildRace:
    """Run the race of one seed; every other one has busts and corrections."""
    race = ChildRace(choices_of(seed), has_busts=seed % 2 == 1)
    race.run()
    return race


def run_chunk(first: int) -> tuple[Counter[str], int, list[str]]:
    """Return the events of CHUNK cases, the shares that were filled, and what broke a law."""
    seen: Counter[str] = Counter()
    shares, broken = 0, []
    for seed in range(first, first + CHUNK):
        try:
            race = run_case(seed)
        except (AssertionError, LookupError, Error):
            broken.append(f"case {seed}\n{traceback.format_exc(limit=-4)}")
            continue
        seen.update(race.seen)
        shares += race.paid
    return seen, shares, broken


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.child_races", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="Seed of the first case")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=50_000, help="Cases between two lines")
    given = parser.parse_args()
    started, seen, shares, broken, done = time.monotonic(), Counter[str](), 0, [], 0
    firsts = range(given.first, given.first + given.cases, CHUNK)
    with Pool(given.processes) as pool:
        for events, filled, failures in pool.imap_unordered(run_chunk, firsts):
            seen += events
            shares += filled
            broken += failures
            done += CHUNK
            if done % given.every == 0:
                seconds = time.monotonic() - started
                print(f"{done:,} cases, {len(broken)} broken, {seconds:,.0f} s", flush=True)
    print("\n".join(broken[:SHOWN_MAX]))
    print(f"{done:,} cases from seed {given.first}: {sum(seen.values()):,} events")
    print(", ".join(f"{name} {count:,}" for name, count in seen.most_common()))
    print(f"{shares:,} shares paid, {len(broken)} cases broke a law")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
