"""`make test`: the gates of `make check`, then every suite; the last line is pytest's own.

Suites that need no broker run on every core, those that need one behind them, two files at a time,
each with a broker of its own: they measure nothing, and mostly wait for one another's processes.
With arguments it is pytest with these arguments, so that a part can be run alone or elsewhere.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GATES = (
    ["ruff", "format", "--check", "."],
    ["ruff", "check", "."],
    ["mypy"],
    ["lint-imports"],
)
WITHOUT_BROKER = ["-m", "not broker", "-n", "auto", "--dist", "worksteal"]
WITH_BROKER = ["-m", "broker", "-n", "2", "--dist", "loadfile", "--durations", "12"]


def main() -> int:
    for gate in GATES:
        program = Path(sys.executable).with_name(gate[0])
        if subprocess.run([program, *gate[1:]], cwd=ROOT, check=False).returncode:
            sys.stderr.write(f"gate failed: {' '.join(gate)}\n")
            return 1
    if sys.argv[1:]:
        return int(pytest.main(sys.argv[1:]))
    suites = [sys.executable, "-m", "pytest", str(ROOT / "tests")]
    first = subprocess.run([*suites, *WITHOUT_BROKER], cwd=ROOT, check=False).returncode
    second = subprocess.run([*suites, *WITH_BROKER], cwd=ROOT, check=False).returncode
    return first or second


if __name__ == "__main__":
    sys.exit(main())
