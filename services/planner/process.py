"""The planner as a process: plans as they are asked for, fits as parents close."""

import logging
import time
from typing import Final, NamedTuple

from infra.topics import read_log_id
from services.ending import Stop, run_to_end
from services.planner.fitting import Fitter
from services.planner.placements import Placements
from services.planner.planner import Planner
from services.planner.shows import PlannerShows
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.errors import FencedError, LogError, RetentionError
from streams.runtime.ports import Codec, Log

__all__ = ["PlannerOptions", "run"]

SECOND_NS: Final = 1_000_000_000
PAUSE_S: Final = 1.0
HEALTHY_S: Final = 60.0  # whoever worked for so long does not count the errors before
FAILURES_MAX: Final = 60  # in a row
_LOG: Final = logging.getLogger("penstock.planner")


class PlannerOptions(NamedTuple):
    """How the process works."""

    bootstrap: str
    fit_every: int = 10  # parents that close between two fits; 0: the prior stays
    placements_every_s: int = 10  # market time between two rounds of placements; 0: none
    is_once: bool = False  # end when nothing waits
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0  # 0: not served


def run(options: PlannerOptions) -> int:
    """Plan until asked to stop, or once, until nothing is left to answer.

    Returns the exit code: 0 stopped, 70 to be started again, 75 another planner took over.
    """
    stop = Stop()
    return run_to_end(lambda: _work(options, stop), _LOG)


def _work(options: PlannerOptions, stop: Stop) -> None:
    """Plan until told to stop; after an error of the log a planner that reads all again goes on.

    Raises: FencedError, RetentionError; LogError after a minute of nothing else, or at once where
            all is to be done once.
    """
    log, codec = KafkaLog(KafkaSettings(bootstrap=options.bootstrap)), AvroCodec()
    shows = PlannerShows(options.metrics_host, options.metrics_port)
    failures = 0
    while not stop.is_asked:
        began_s = time.monotonic()
        try:
            if _plan(options, stop, log, codec, shows):
                return
        except (FencedError, RetentionError):
            raise
        except LogError as error:
            failures = 1 if time.monotonic() - began_s > HEALTHY_S else failures + 1
            if options.is_once or failures > FAILURES_MAX:
                raise
            _LOG.warning("reading all again: %s", error)
            time.sleep(PAUSE_S)


def _plan(options: PlannerOptions, stop: Stop, log: Log, codec: Codec, shows: PlannerShows) -> bool:
    """Own plans.events and answer; return whether all is done that was to be done once."""
    planner = Planner(
        log,
        codec,
        read_log_id(options.bootstrap),
        now_ns=time.time_ns,
        clock_ns=time.perf_counter_ns,
    )
    every, newest = options.fit_every, planner.answered.fitted
    fitter = Fitter(log, codec, newest, every=every) if every else None
    every_ns = options.placements_every_s * SECOND_NS
    placements = Placements(log, codec, every_ns=every_ns) if every_ns else None
    try:
        while not stop.is_asked:
            answered = planner.turn()
            shows.turned(answered)
            fitted = None if fitter is None else fitter.turn()
            if fitted is not None:
                planner.write([fitted])
            solved = [] if placements is None else placements.turn()
            if solved:
                planner.write(solved)
            if not options.is_once or answered or fitted is not None or solved:
                continue
            if planner.is_read(log) and (fitter is None or fitter.is_read()):
                return True
        return False
    finally:
        planner.close()
        if fitter is not None:
            fitter.close()
        if placements is not None:
            placements.close()
