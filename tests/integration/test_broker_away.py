"""Every command on the log, with no broker there: one sentence, an exit code, in bounded time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from infra.broker.ports import HOST, pick_ports
from services.cli.main import app
from services.venuemodel.fit import fit
from services.venuemodel.work import content_of
from tests.support.venue_model import PRICES, VENUES, Truth, street

ROOT = Path(__file__).parents[2]
DEADLINE_S = 100  # of one command; a broker is given ten seconds, the rest is a busy machine
AT_ONCE = 24
ENDED = (1, 5, 70)  # not done; a kill that shards have not confirmed; to be started again
# What is behind a command's name; `{folder}` holds the files that it reads.
COMMANDS = {
    "planner": "--once",
    "frontier": "X",
    "basket": "{folder}/basket.csv",
    "kill": "--scope=firm --reason=r --actor=ana",
    "unkill": "K1 --reason=r --actor=ana",
    "tail": "orders.events.v1",
    "explain": "X",
    "replay": "",
    "verify": "",
    "tca": "",
    "reconcile": "",
    "crosses": "",
    "venues": "",
    "topics create": "",
    "topics check": "",
    "config diff": "infra/reference",
    "config load": "infra/reference",
    "config show": "",
    "limits propose": "infra/limits.toml --actor=ana",
    "limits approve": "P1 --actor=ben",
    "limits release-throttle": "F1 --actor=ana --reason=r",
    "limits show": "",
    "limits coordinate": "--once",
    "impact show": "",
    "impact fit": "",
    "order new": "buy 100 --instrument=ACME --account=A1 --desk=D1",
    "order replace": "c1 100 --instrument=ACME",
    "order cancel": "c1 --instrument=ACME",
    "order mass-cancel": "account A1 --trade-date=20250610",
    "volume-model collect": "{folder}/volumes",
    "volume-model fit": "",
    "clearing report": "--day=20250610 --out={folder}/cleared",
    "clearing repair": "R1 --reason=r --actor=ana",
    "clearing status": "",
    "child list": "",
    "child settle": "C1 --actor=ana --said-by=vic --evidence=mail --reason=r --nothing-filled",
    "child approve": "C1 S1 --actor=ben --reason=r",
    "venue-model fit": "",
    "venue-model observe": "{folder}/children.jsonl",
    "venue-model propose": "{folder}/model.json --actor=ana",
    "venue-model approve": "P1 --actor=ben",
    "venue-model show": "",
    "fix decode": "",
}
# A demonstration starts a broker of its own, and gateways serve their sessions until it is back.
WITHOUT = {"demo", "fix run"}


class Ending(NamedTuple):
    """How a command ended."""

    name: str
    code: int | None
    told: str

    @property
    def problem(self) -> str:
        """What is wrong with it; empty for one sentence that says what is away."""
        lines = [line for line in self.told.splitlines() if line.strip()]
        is_said = "transport failure" in self.told
        if self.code in ENDED and len(lines) == 1 and is_said:
            return ""
        return f"{self.name}: exit {self.code}, {len(lines)} lines: {self.told[-300:]}"


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by its full name."""
    for name, below in getattr(command, "commands", {}).items():
        yield from leaves(below, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


def test_every_command_that_takes_a_cluster_is_tried_here() -> None:
    taking = {
        name
        for name, command in leaves(typer.main.get_command(app))
        if any("--bootstrap" in each.opts for each in command.params)
    }
    assert taking == {*COMMANDS, *WITHOUT}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file of each kind that commands read before they ask the log."""
    model = fit(street({"V1": Truth(0.6, 0.5)}, 10), VENUES, PRICES, name="street")
    (tmp_path / "model.json").write_text(content_of(model))
    (tmp_path / "basket.csv").write_text("account_id,instrument_id,side,quantity\nA1,ACME,BUY,1\n")
    return tmp_path


@pytest.mark.slow
def test_without_a_broker_every_command_says_so_in_one_sentence_and_ends(folder: Path) -> None:
    bootstrap = f"--bootstrap={HOST}:{pick_ports(1)[0]}"

    def ended(name: str) -> Ending:
        arguments = [*name.split(), *COMMANDS[name].format(folder=folder).split(), bootstrap]
        try:
            done = subprocess.run(
                [sys.executable, "-m", "services.cli.main", *arguments],
                capture_output=True,
                text=True,
                cwd=ROOT,
                # `kill` writes its flag before it asks a broker, and flags stop every engine here.
                env={**os.environ, "PENSTOCK_KILL_DIR": str(folder / "kill")},
                timeout=DEADLINE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Ending(name, None, f"still runs after {DEADLINE_S} s")
        return Ending(name, done.returncode, done.stdout + done.stderr)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        problems = [each.problem for each in pool.map(ended, COMMANDS)]
    assert not "\n".join(each for each in problems if each)
