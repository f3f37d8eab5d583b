"""`python -m services.venues --bootstrap HOST:PORT --seed N`: the market of one day."""

import logging
import sys
import time

from infra.topics import read_log_id
from services.ending import Stop, run_to_end
from services.metrics.health import Health
from services.metrics.tally import Tally
from services.venues.application import VenueSimulator
from services.venues.drop_copy import write_drop_copies
from services.venues.host import is_over, simulator_host
from services.venues.scenario import definitions, plan_day
from services.venues.settings import VenuesSettings, simulator_settings
from services.venues.watch import observe
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog
from streams.adapters.latch import FileLatch
from streams.core.topics import ORDERS_COMMANDS
from streams.runtime.host import ShardHost

AFTER_CLOSE_S = 0.1
SILENT_S_MAX, STARTING_S_MAX = 60.0, 600.0
log = logging.getLogger("penstock.venues")


def main() -> int:
    """Exit: 0 stopped or day over, 1 corrupt or input gone, 70 failed, 75 fenced."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = VenuesSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    log.info("settings %s", settings.model_dump_json())
    stop = Stop()
    return run_to_end(lambda: run_day(settings, stop), log)


def run_day(settings: VenuesSettings, stop: Stop) -> None:
    """Simulate until the day is over or `stop` is asked."""
    health = Health(silent_s_max=SILENT_S_MAX, starting_s_max=STARTING_S_MAX)
    tally = Tally()
    observer = observe(settings, health, tally)
    day = plan_day(settings.scenario())
    log.info("%s, %d steps, %d client commands", day.title, day.steps, len(day.commands))
    if settings.speed:
        log.warning("speed %d: by the wall clock, not reproducible", settings.speed)
    latch = FileLatch(settings.kill_dir)
    latch.listen("venues")
    store = KafkaLog(settings.kafka())
    partitions = store.partitions(ORDERS_COMMANDS)
    host_settings = simulator_settings(
        partitions,
        read_log_id(settings.bootstrap),
        seed=settings.seed,
        snapshot_batches=settings.snapshot_batches,
        config_version=settings.config_version(),
        edges=settings.edges,
    )
    host = simulator_host(
        store,
        AvroCodec(),
        host_settings,
        day,
        partitions=partitions,
        speed=settings.speed,
        awaited=definitions(settings.scenario(), day) if settings.is_standing else (),
        tally=tally,
        observer=observer,
        latch=latch,
        edges=settings.edges,
    )

    def should_stop() -> bool:
        health.turned()
        if not is_over(host):
            return stop.is_asked
        keep_drop_copies(host, settings)
        time.sleep(AFTER_CLOSE_S)  # nothing comes any more, so nothing waits for it
        return stop.is_asked or not settings.is_standing

    host.run(should_stop)


def keep_drop_copies(host: ShardHost, settings: VenuesSettings) -> None:
    """Write the venues' own files of the day that is over, if they are wanted."""
    application = host.application
    if settings.drop_copy is not None and isinstance(application, VenueSimulator):
        for path in write_drop_copies(application.state, settings.drop_copy):
            log.info("drop copy %s", path)
        settings.drop_copy = None


if __name__ == "__main__":
    sys.exit(main())
