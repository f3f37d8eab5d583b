"""The verified numbers of the models, by file."""

import json
from typing import Any

from tests.support.shared import shared

__all__ = ["vectors"]


def vectors(name: str) -> Any:
    """Return the content of a vector file; skips the test where the data is absent."""
    return json.loads(shared(f"quant/vectors/{name}").read_text())
