"""`python -m services.clearing --bootstrap HOST:PORT`: reports, answers, reconciliation."""

import logging
import sys

from services.clearing.process import ClearingSettings, log, run_clearing
from services.ending import Stop, run_to_end


def main() -> int:
    """Exit: 0 stopped, 1 corrupt or input gone, 70 failed, 75 fenced."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = ClearingSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    log.info("settings %s", settings.model_dump_json())
    stop = Stop()
    return run_to_end(lambda: run_clearing(settings, stop), log)


if __name__ == "__main__":
    sys.exit(main())
