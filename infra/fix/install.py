"""`python -m infra.fix.install`: build and install QuickFIX, pinned, into this environment.

It is distributed as source only, and the C++ compiler works for minutes at it, most of them at one
file that binds it to Python. Optimization buys little (the engine waits for sockets) and costs most
of that time.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["COMPILER_MISSING", "install", "is_installed"]

REQUIREMENTS: Final = Path(__file__).parents[2] / "requirements" / "fix.txt"
FLAGS: Final = "-O1 -g0"
COMPILER_MISSING: Final = (
    "QuickFIX is built from source, and there is no C++ compiler: apt-get install g++ python3-dev"
)
PIP: Final = (
    *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-input"),
    *("--quiet", "--require-hashes"),
)


def is_installed() -> bool:
    """Return whether FIX sessions can run here."""
    return find_spec("quickfix") is not None


def install() -> int:
    """Return pip's exit code; 0 at once when it is there already."""
    if is_installed():
        return 0
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        sys.stderr.write(f"{COMPILER_MISSING}\n")
        return 1
    # The build is done with the pinned setuptools, not with whatever is newest today.
    tool = _requirements("setuptools")
    environment = {**os.environ, "CFLAGS": FLAGS, "CXXFLAGS": FLAGS}
    for text, options in ((tool, ()), (_requirements("quickfix"), ("--no-build-isolation",))):
        code = subprocess.run(
            [*PIP, *options, "-r", "/dev/stdin"],
            input=text.encode(),
            env=environment,
            check=False,
        ).returncode
        if code:
            return code
    return 0


def _requirements(name: str) -> str:
    """Return the lines that pin one package."""
    blocks = REQUIREMENTS.read_text().replace("\\\n", " ").splitlines()
    return next(row for row in blocks if row.startswith(f"{name}==")) + "\n"


if __name__ == "__main__":
    sys.exit(install())
