"""`python -m services.fix.gateway --bootstrap HOST:PORT --file GATEWAY.toml`: decide FIX."""

import logging
import sys

from services.ending import Stop, run_to_end
from services.fix.gateway.process import GatewaySettings, log, run_gateway


def main() -> int:
    """Exit: 0 stopped, 1 a person must look, 70 failed, 75 fenced."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = GatewaySettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    log.info("settings %s", settings.model_dump_json())
    stop = Stop()
    return run_to_end(lambda: run_gateway(settings, stop), log)


if __name__ == "__main__":
    sys.exit(main())
