"""`python -m services.fix.wire --bootstrap HOST:PORT --file GATEWAY.toml`: carry FIX."""

import logging
import os
import sys

from services.ending import CORRUPT, Stop, run_to_end


def main() -> int:
    """Exit: 0 stopped, 1 a person must look, 70 failed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        from services.fix.wire.process import WireSettings, log, run_wire
    except ModuleNotFoundError as error:
        logging.error("failed: %s: FIX needs the extra `fix`: pip install penstock[fix]", error)
        return CORRUPT
    settings = WireSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    log.info("settings %s", settings.model_dump_json())
    stop = Stop()
    return run_to_end(lambda: run_wire(settings, stop), log)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # QuickFIX's threads may crash an interpreter that takes itself apart.
    os._exit(code)
