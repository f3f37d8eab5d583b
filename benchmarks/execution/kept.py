"""Outcomes kept in a folder, one file for each case and seed, so that evidence is run in pieces.

They are kept under the newest commit of what decides them: whoever changes engine, simulator,
messages or harness begins anew. What is not committed has no such name and is not kept.
"""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.execution.cases import Key
from benchmarks.execution.experiment import Experiment
from benchmarks.execution.measure import Outcome

__all__ = ["Kept", "Piece", "commit_of_code"]

ROOT: Final = Path(__file__).parents[2]
CODE: Final = ("streams", "benchmarks", "schemas", "services/venues")


class Piece(NamedTuple):
    """One case of one seed: its parents, and the processor time that it took."""

    outcomes: dict[Key, Outcome]
    seconds: float


def commit_of_code() -> tuple[str, bool]:
    """Return the newest commit of the code, and whether the working tree is that."""
    commit = _git("log", "-1", "--format=%h", "--", *CODE) or "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=all", "--", *CODE)
    return commit, commit != "unknown" and not changed


class Kept:
    """The pieces of one commit in a folder; without a folder in memory only."""

    def __init__(self, folder: Path | None, commit: str) -> None:
        self._folder = None if folder is None else folder / commit
        self._pieces: dict[str, Piece] = {}
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def piece(self, experiment: str, case: str, seed: int) -> Piece | None:
        """Return what was kept of that run; None for nothing."""
        name = _name(experiment, case, str(seed))
        path = self._path(name, "json")
        if name not in self._pieces and path is not None and path.exists():
            told = json.loads(path.read_text())
            self._pieces[name] = Piece(_read(told["parents"]), told["seconds"])
        return self._pieces.get(name)

    def keep(self, experiment: str, case: str, seed: int, piece: Piece) -> None:
        """Keep a run. A file is there whole or not at all."""
        name = _name(experiment, case, str(seed))
        self._pieces[name] = piece
        parents = [[key, outcome] for key, outcome in piece.outcomes.items()]
        told = {"experiment": experiment, "case": case, "seed": seed, "seconds": piece.seconds}
        self._write(self._path(name, "json"), json.dumps({**told, "parents": parents}))

    def seeds(self, experiment: Experiment, asked: Iterable[int]) -> tuple[int, ...]:
        """Return the seeds of which every case was kept, of those asked for."""
        return tuple(
            seed
            for seed in asked
            if all(self.piece(experiment.name, case.name, seed) for case in experiment.cases)
        )

    def part(self, name: str) -> tuple[int, str] | None:
        """Return the text of a part that is no experiment, with its seeds; None for nothing."""
        path = self._path(_name("part", name), "json")
        if path is None or not path.exists():
            return None
        told = json.loads(path.read_text())
        return told["seeds"], told["text"]

    def keep_part(self, name: str, seeds: int, text: str) -> None:
        """Keep such a text."""
        path = self._path(_name("part", name), "json")
        self._write(path, json.dumps({"seeds": seeds, "text": text}))

    def _path(self, name: str, ending: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{name}.{ending}"

    @staticmethod
    def _write(path: Path | None, text: str) -> None:
        if path is not None:
            half = path.with_suffix(".part")
            half.write_text(text)
            half.rename(path)


def _name(*words: str) -> str:
    return "--".join("".join(c if c.isalnum() else "-" for c in word) for word in words)


def _read(rows: list[Any]) -> dict[Key, Outcome]:
    return {(key[0], key[1], key[2], key[3]): Outcome(*fields) for key, fields in rows}


def _git(*asked: str) -> str:
    command = ["git", "-C", str(ROOT), *asked]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
