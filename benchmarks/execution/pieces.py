"""Run what is missing, case by case and seed by seed, in several processes."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from benchmarks.execution.cases import Case, run_case
from benchmarks.execution.experiment import Experiment
from benchmarks.execution.kept import Kept, Piece

__all__ = ["run_missing"]


def run_missing(
    wanted: Iterable[tuple[Experiment, Sequence[int]]], kept: Kept, *, jobs: int
) -> None:
    """Run every case and seed of which nothing is kept, and keep it.

    A naive form replaces a part of the engine for its run, so that a process runs one at a time.
    """
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = {
            pool.submit(_run, case, experiment, seed): (experiment, case, seed)
            for experiment, seeds in wanted
            for case in experiment.cases
            for seed in seeds
            if kept.piece(experiment.name, case.name, seed) is None
        }
        for done in as_completed(running):
            experiment, case, seed = running[done]
            piece = done.result()
            kept.keep(experiment.name, case.name, seed, piece)
            told = f"seed {seed}: {len(piece.outcomes)} parents, {piece.seconds:.0f} s"
            print(f"{experiment.name}: {case.name}: {told}", flush=True)


def _run(case: Case, experiment: Experiment, seed: int) -> Piece:
    began = time.process_time()
    found = dict(run_case(case, experiment.setting, experiment.orders, [seed]))
    return Piece(found, time.process_time() - began)
