"""Where the data and vectors that are not part of the repository stand."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared"


def shared(path: str) -> Path:
    """Return the path of a shared file; skip the test with the reason printed if it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{found} is absent")
    return found
