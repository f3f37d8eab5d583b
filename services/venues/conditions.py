"""What a simulated day has beside continuous trading, all of it off unless a scenario asks."""

from dataclasses import dataclass

__all__ = ["ORDINARY", "Conditions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Equal conditions give equal days.

    `opening_s`, `closing_s`: how long the calls before and after continuous trading last, seconds;
    0 for none.
    """

    opening_s: int = 0
    closing_s: int = 0


ORDINARY = Conditions()
