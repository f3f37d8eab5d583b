"""The planner as a process: plans as they are asked for, fits as parents close."""

import logging
import time
from typing import Final, NamedTuple

from infra.topics import read_log_id
from services.ending import Stop, run_to_end
from services.planner.fitting import Fitter
from services.planner.placements import Placements
from services.planner.planner import Planner
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings

__all__ = ["PlannerOptions", "run"]

SECOND_NS: Final = 1_000_000_000
_LOG: Final = logging.getLogger("penstock.planner")


class PlannerOptions(NamedTuple):
    """How the process works."""

    bootstrap: str
    fit_every: int = 10  # parents that close between two fits; 0: the prior stays
    placements_every_s: int = 10  # market time between two rounds of placements; 0: none
    is_once: bool = False  # end when nothing waits


def run(options: PlannerOptions) -> int:
    """Plan until asked to stop, or once, until nothing is left to answer.

    Returns the exit code: 0 stopped, 70 to be started again, 75 another planner took over.
    """
    stop = Stop()
    return run_to_end(lambda: _work(options, stop), _LOG)


def _work(options: PlannerOptions, stop: Stop) -> None:
    log, codec = KafkaLog(KafkaSettings(bootstrap=options.bootstrap)), AvroCodec()
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
            fitted = None if fitter is None else fitter.turn()
            if fitted is not None:
                planner.write([fitted])
            solved = [] if placements is None else placements.turn()
            if solved:
                planner.write(solved)
            is_done = planner.is_read(log) and (fitter is None or fitter.is_read())
            if options.is_once and not answered and fitted is None and not solved and is_done:
                return
    finally:
        planner.close()
        if fitter is not None:
            fitter.close()
        if placements is not None:
            placements.close()
