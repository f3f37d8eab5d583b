"""The benchmarks still run: small here, so that they cannot rot; figures come from `make bench`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = (
    "--netting-orders=3000",
    "--chain-orders=300",
    "--per-second=100",
    "--seconds=2",
    "--restated-fills=50",
    "--model-calls=20",
)


@pytest.mark.broker
@pytest.mark.slow
def test_every_benchmark_runs_and_prints_its_ratio() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *SMALL],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for printed in (
        "netting slice: 3,000 orders",
        "whole chain: 300 orders",
        "order to child: 200",
        "1000 orders, plain: ",
        "bust in an epoch of ",
        "models of a shard: 20 calls each",
    ):
        assert printed in done.stdout, done.stdout
    assert done.stdout.count("ratio") >= 2, done.stdout


@pytest.mark.broker
@pytest.mark.slow
def test_the_benchmark_of_fix_runs_and_prints_its_ratio() -> None:
    pytest.importorskip("tests.support.fix_peer")  # says that QuickFIX is missing where it is
    small = ("--orders=300", "--window=100", "--per-second=50", "--seconds=2")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fix", *small],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for printed in ("QuickFIX's echo: ", "gateway: ", "ratio of the rates "):
        assert printed in done.stdout
