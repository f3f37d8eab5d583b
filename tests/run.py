"""`make test`: the gates of `make check`, then every suite; the last line is pytest's own.

Suites that need no broker run on every core, those that need one behind them, two files at a time,
each with a broker of its own: they measure nothing, and mostly wait for one another's processes.
QuickFIX, where it is missing, is built beside the gates and the first of them, and awaited before
the second, whose tests need it. With arguments it is pytest with these arguments, so that a part
can be run alone or elsewhere.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.fix.install import is_installed

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
    build = None if is_installed() else start_build()
    try:
        return run(build)
    finally:
        if build is not None and build.poll() is None:
            build.terminate()


def start_build() -> subprocess.Popen[bytes]:
    """Build QuickFIX, with what the tests leave of the processors."""
    sys.stderr.write("building QuickFIX beside the first tests (once, some minutes)\n")
    command = ["nice", "-n", "5", sys.executable, "-m", "infra.fix.install"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)


def run(build: subprocess.Popen[bytes] | None) -> int:
    for gate in GATES:
        program = Path(sys.executable).with_name(gate[0])
        if subprocess.run([program, *gate[1:]], cwd=ROOT, check=False).returncode:
            sys.stderr.write(f"gate failed: {' '.join(gate)}\n")
            return 1
    if sys.argv[1:]:
        if build is not None:
            build.wait()
        return int(pytest.main(sys.argv[1:]))
    suites = [sys.executable, "-m", "pytest", str(ROOT / "tests")]
    first = subprocess.run([*suites, *WITHOUT_BROKER], cwd=ROOT, check=False).returncode
    if build is not None and build.wait():
        sys.stderr.write("QuickFIX could not be built: nothing of FIX was tested\n")
        return 1
    second = subprocess.run([*suites, *WITH_BROKER], cwd=ROOT, check=False).returncode
    return first or second


if __name__ == "__main__":
    sys.exit(main())
