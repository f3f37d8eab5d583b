"""What a row of a file is: a model of pydantic that becomes messages."""

from abc import abstractmethod
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.config.decimals import Instant, ns_of

__all__ = ["DatedRow", "Row"]


class Row(BaseModel):
    """One table of a TOML file, or one line of a CSV file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def messages(self) -> tuple[Any, ...]:
        """Return the definitions. Raises OffGridError, or ValueError with a sentence."""

    @classmethod
    def parse_text(cls, fields: dict[str, str]) -> dict[str, Any]:
        """Return a CSV line's cells, empty ones left out, as TOML would have them."""
        return dict(fields)


class DatedRow(Row):
    """A row that may have an instant of its own to come into force at.

    Several rows of one subject may differ in it. Without one, the instant of the load holds.
    """

    effective: Instant | None = None

    @property
    def effective_ns(self) -> int:
        """0 without an instant of its own."""
        return 0 if self.effective is None else ns_of(self.effective)
