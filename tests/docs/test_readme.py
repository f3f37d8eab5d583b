"""The README's commands run as they stand there, and what it points to exists."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.S)
# Run by whoever runs this test: `make test` in itself would never end.
RUNNING = "make test"


def commands() -> list[str]:
    return [line for block in BLOCKS for line in block.splitlines() if line != RUNNING]


def environment(tmp_path: Path) -> dict[str, str]:
    """Return ours, with `penstock` on the path and a data folder of the test's own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PENSTOCK_DATA": str(tmp_path / "broker")}


def test_the_readme_has_its_two_commands() -> None:
    assert "make demo" in README.split("```sh\n")[1]
    assert RUNNING in README


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    try:
        for command in commands():
            done = subprocess.run(
                shlex.split(command),
                cwd=ROOT,
                env=environment(tmp_path),
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            assert done.stdout, f"{command} said nothing"
    finally:
        subprocess.run(
            ["penstock", "broker", "stop"],
            env=environment(tmp_path),
            capture_output=True,
            check=False,
        )


def test_every_file_that_the_readme_names_exists() -> None:
    named = re.findall(
        r"`((?:tests|services|infra|streams|schemas|benchmarks|docs)/[\w./-]*)`", README
    )
    linked = re.findall(r"\]\(([\w./-]+)\)", README)
    missing = [name for name in (*named, *linked) if not (ROOT / name).exists()]
    assert named
    assert not missing
