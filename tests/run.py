"""`make test`: the gates of `make check`, then every suite; the last line is pytest's own."""

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


def main() -> int:
    for gate in GATES:
        program = Path(sys.executable).with_name(gate[0])
        if subprocess.run([program, *gate[1:]], cwd=ROOT, check=False).returncode:
            sys.stderr.write(f"gate failed: {' '.join(gate)}\n")
            return 1
    return int(pytest.main(sys.argv[1:] or [str(ROOT / "tests")]))


if __name__ == "__main__":
    sys.exit(main())
