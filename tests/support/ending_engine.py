"""A stand-in for one shard's process: what it does follows from its shard number."""

import os
import sys
import time

from services.engine.settings import ShardSettings
from services.engine.shard import end_with_parent

RUNS, IS_CORRUPT, IS_FENCED, CRASHES, HANGS = range(5)
CODES = {IS_CORRUPT: 1, IS_FENCED: 75, CRASHES: 70}


def main() -> int:
    settings = ShardSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    end_with_parent(settings.parent_pid)
    os.write(settings.watch_fd, b".")
    while settings.shard not in CODES:
        time.sleep(0.02)
        if settings.shard == RUNS:
            os.write(settings.watch_fd, b".")
    return CODES[settings.shard]


if __name__ == "__main__":
    sys.exit(main())
