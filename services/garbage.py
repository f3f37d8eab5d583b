"""Python's collector in processes whose state only grows."""

import gc

__all__ = ["spare_collections"]


def spare_collections() -> None:
    """Let the collector look at what is new, hardly ever at the whole state.

    With the 20,000 orders of benchmarks/hot_path.py in an engine, a full collection took 46 to
    58 ms of processor time, and the first of the run found 4 objects to free; with 30,000 orders
    a gateway's took 80 to 500 ms, and nine came in one run of benchmarks/fix.py.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1_000)
