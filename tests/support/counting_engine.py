"""One shard of the counting application as a process: the engine's program, other business."""

import logging
import sys

from services.engine.settings import ShardSettings
from services.engine.shard import run_shard
from tests.support.counting_app import CountingApp


def main() -> int:
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = ShardSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    return run_shard(settings, lambda *_: CountingApp(timer_every=0))


if __name__ == "__main__":
    sys.exit(main())
