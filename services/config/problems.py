"""What is wrong with a file, said so that a person finds the place."""

from typing import NamedTuple

from streams.core.errors import Error

__all__ = ["ConfigError", "Place", "Problem"]


class Place(NamedTuple):
    """Where a row stands: `row` is its ordinal in TOML, its line in CSV, with its subject."""

    file: str
    row: str = ""


class Problem(NamedTuple):
    """One reason why a file cannot be used. `code` is a RejectReason or a word of this package."""

    code: str
    place: Place
    field: str
    value: str
    bound: str

    def __str__(self) -> str:
        where = " ".join(part for part in self.place if part)
        what = " ".join(part for part in (self.field, self.value) if part)
        return f"{': '.join(part for part in (where, what, self.bound) if part)} [{self.code}]"


class ConfigError(Error):
    """Files that cannot be used, with every problem that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
