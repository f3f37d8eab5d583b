"""The panels of Grafana's dashboards, and what they ask Prometheus."""

import json
from pathlib import Path
from typing import NamedTuple

__all__ = ["Panel", "panels"]

FOLDER = Path(__file__).parents[2] / "infra" / "grafana" / "dashboards"


class Panel(NamedTuple):
    """One panel of one dashboard."""

    dashboard: str
    title: str
    queries: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title}"


def panels() -> list[Panel]:
    """Return every panel, in the order of the files."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            queries = tuple(target["expr"] for target in panel["targets"])
            found.append(Panel(path.stem, panel["title"], queries))
    return found
