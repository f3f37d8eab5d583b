"""Every entry of the verified numbers has a test that names it."""

import json
from pathlib import Path

from tests.support.shared import shared

TESTS = Path(__file__).parents[1]


def test_no_entry_of_the_index_is_left_without_a_test() -> None:
    """An entry may end in a star: a family of names, or all that the file holds."""
    index = json.loads(shared("quant/vectors/INDEX.json").read_text())
    own = Path(__file__).name
    sources = [path.read_text() for path in TESTS.rglob("*.py") if path.name != own]
    missing = []
    for entry in index["files"]:
        name = entry["file"]
        readers = [source for source in sources if name in source]
        content = json.loads(shared(f"quant/vectors/{name}").read_text())
        for key in entry["keys"]:
            wanted = list(content) if key == "*" else [key.split("*")[0]]
            missing += [(name, each) for each in wanted if not _is_named(readers, each)]
    assert missing == []


def _is_named(readers: list[str], key: str) -> bool:
    return any(f'"{key}' in source for source in readers)
