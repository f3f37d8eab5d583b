"""House rules over the whole repository. Each message says what to do instead."""

import re
import tomllib
from pathlib import Path

import pytest

from streams.core import topics
from tests.support.house_rules import problems

ROOT = Path(__file__).parents[2]
FOLDERS = ("streams", "services", "schemas", "infra", "tests", "benchmarks")
SOURCES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if "schemas/messages" not in path.as_posix()  # generated
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_file_is_tidy(path: Path) -> None:
    found = problems(path.relative_to(ROOT).as_posix(), path.read_text())
    assert not found, "\n".join(found)


def test_every_topic_constant_is_in_the_one_list_of_topics() -> None:
    listed = {t["name"] for t in tomllib.loads((ROOT / "infra/topics.toml").read_text())["topic"]}
    constants = {value for name, value in vars(topics).items() if name.isupper()}
    assert constants == listed


def test_topic_names_are_written_in_the_two_lists_only() -> None:
    """Elsewhere code names streams.core.topics; services/audit may not import it (contract)."""
    literal = re.compile(r'"[a-z-]+\.[a-z-]+\.v1"')
    allowed = ("streams/core/topics.py", "services/audit/", "tests/", "benchmarks/", "schemas/")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if not path.relative_to(ROOT).as_posix().startswith(allowed)
        and literal.search(path.read_text())
    ]
    assert not found, f"{found}: use streams.core.topics"


def test_every_top_folder_says_what_it_is() -> None:
    for folder in ("streams", "services", "schemas", "infra"):
        readme = ROOT / folder / "README.md"
        assert readme.exists(), f"{folder}/README.md: purpose, inputs, outputs, invariants"
        assert len(readme.read_text().splitlines()) <= 60, f"{folder}/README.md: over 60 lines"


def test_nothing_of_the_shared_data_is_in_the_repository() -> None:
    found = [p for pattern in ("*.gz", "*.zip", "*.parquet") for p in ROOT.glob(f"*/**/{pattern}")]
    assert not [p for p in found if not p.relative_to(ROOT).as_posix().startswith((".", "build"))]
