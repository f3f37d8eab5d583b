"""`python -m services.engine --bootstrap HOST:PORT`: the engines of this host."""

import logging
import sys

from services.engine.children import Children
from services.engine.settings import EngineSettings
from services.engine.supervisor import Supervisor


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = EngineSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    logging.getLogger("penstock.engine").info("settings %s", settings.model_dump_json())
    return Supervisor(settings, Children(settings)).run()


if __name__ == "__main__":
    sys.exit(main())
