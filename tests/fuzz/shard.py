"""Fuzz a whole shard: `python -m tests.fuzz.shard SECONDS [SEED]`. A failure tells its seed."""

import random
import sys
import time

from tests.support.wild_shard import WildShard

__all__ = ["play"]

ACTS = 60


def play(seed: int, acts: int = ACTS) -> int:
    """Play one run; return how many messages it read."""
    shard = WildShard(random.Random(seed).choice)
    for _ in range(acts):
        shard.act()
    shard.finish()
    return shard.inputs


def main() -> None:
    seconds, first = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    end, seed, inputs = time.monotonic() + seconds, first, 0
    while time.monotonic() < end:
        try:
            inputs += play(seed)
        except BaseException:
            sys.stderr.write(f"seed {seed} fails\n")
            raise
        seed += 1
    sys.stdout.write(f"shard: {seed - first} runs, {inputs} messages, no defect\n")


if __name__ == "__main__":
    main()
