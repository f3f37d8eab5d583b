"""`python -m infra.fix.install`: build and install QuickFIX, pinned, into this environment.

It is distributed as source only, and the C++ compiler works for minutes at it, most of them at one
file that binds it to Python. Optimization buys little (the engine waits for sockets) and costs most
of that time. The wheel stays in this environment's folder `wheels`; `--wheels=FOLDER` installs one
that was built elsewhere, and fails where none fits.
"""

import argparse
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["COMPILER_MISSING", "install", "install_from", "is_installed"]

REQUIREMENTS: Final = Path(__file__).parents[2] / "requirements" / "fix.txt"
FLAGS: Final = "-O1 -g0"
COMPILER_MISSING: Final = (
    "QuickFIX is built from source, and there is no C++ compiler: apt-get install g++ python3-dev"
)
WHEELS: Final = Path(sys.prefix) / "wheels"
PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
HASHED: Final = ("--require-hashes", "-r", "/dev/stdin")


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
    pinned = _requirements("quickfix")
    build = ("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={WHEELS}", *HASHED)
    return _pip("install", *HASHED, text=tool) or _pip(*build, text=pinned) or install_from(WHEELS)


def install_from(wheels: Path) -> int:
    """Install the wheel of this folder. Return 0 if it then works here, else 1 or pip's code."""
    version = _requirements("quickfix").split()[0]
    code = _pip("install", "--no-index", "--no-deps", f"--find-links={wheels}", version)
    if code:
        return code
    works = subprocess.run([sys.executable, "-c", "import quickfix"], check=False).returncode == 0
    if not works:  # built against other libraries
        _pip("uninstall", "--yes", "quickfix")
    return 0 if works else 1


def _pip(*words: str, text: str = "") -> int:
    environment = {**os.environ, "CFLAGS": FLAGS, "CXXFLAGS": FLAGS}
    return subprocess.run(
        [*PIP, *words], input=text.encode(), env=environment, check=False
    ).returncode


def _requirements(name: str) -> str:
    """Return the lines that pin one package."""
    blocks = REQUIREMENTS.read_text().replace("\\\n", " ").splitlines()
    return next(row for row in blocks if row.startswith(f"{name}==")) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.fix.install", description=__doc__)
    parser.add_argument("--wheels", type=Path, help="Folder with a wheel to install, not to build")
    given = parser.parse_args()
    return install() if given.wheels is None else install_from(given.wheels)


if __name__ == "__main__":
    sys.exit(main())
