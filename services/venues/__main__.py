"""`python -m services.venues --bootstrap HOST:PORT --seed N`: the market of one day."""

import logging
import os
import signal
import sys
from types import FrameType

from infra.topics import read_log_id
from services.venues.host import is_over, simulator_host
from services.venues.scenario import plan_day
from services.venues.settings import VenuesSettings, simulator_settings
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog
from streams.core.errors import CorruptHistoryError, Error, FencedError, RetentionError
from streams.core.topics import ORDERS_COMMANDS

STOPPED, CORRUPT, FAILED, FENCED, KILLED = 0, 1, 70, 75, 143
log = logging.getLogger("penstock.venues")


class Stop:
    """Set by SIGTERM or SIGINT; a second one ends at once."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.is_asked:
            os._exit(KILLED)
        self.is_asked = True


def main() -> int:
    """Exit: 0 stopped or day over, 1 corrupt or input gone, 70 failed, 75 fenced."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = VenuesSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    log.info("settings %s", settings.model_dump_json())
    stop = Stop()
    try:
        day = plan_day(settings.scenario())
        log.info("%s, %d steps, %d client commands", day.title, day.steps, len(day.commands))
        if settings.speed:
            log.warning("speed %d: by the wall clock, not reproducible", settings.speed)
        store = KafkaLog(settings.kafka())
        partitions = store.partitions(ORDERS_COMMANDS)
        host_settings = simulator_settings(
            partitions,
            read_log_id(settings.bootstrap),
            seed=settings.seed,
            snapshot_batches=settings.snapshot_batches,
            config_version=settings.config_version(),
        )
        host = simulator_host(
            store, AvroCodec(), host_settings, day, partitions=partitions, speed=settings.speed
        )
        host.run(lambda: stop.is_asked or is_over(host))
    except FencedError as error:
        log.warning("fenced: %s", error)
        return FENCED
    except (CorruptHistoryError, RetentionError) as error:
        log.error("stopped: %s: %s", type(error).__name__, error)
        return CORRUPT
    except (Error, OSError) as error:
        log.error("failed: %s: %s", type(error).__name__, error)
        return FAILED
    return STOPPED


if __name__ == "__main__":
    sys.exit(main())
