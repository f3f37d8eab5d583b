"""What a simulated day has beside continuous trading of others."""

from dataclasses import dataclass

__all__ = ["ORDINARY", "Conditions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Equal conditions give equal days.

    `opening_s`, `closing_s`: how long the calls before and after continuous trading last, seconds;
    0 for none. `impact_per_cent`: how far our executions move prices, of what impact.py assumes;
    None takes all of it in a generated market and nothing on a tape, whose market was not moved.
    `halts`: shares that stop once, for news, at one venue, or because the price ran, in turn.
    `is_wide`: two more dark pools and an ATS, and traders who know more than we do; not on a tape.
    `troubles`: of whole venues, in the words of troubles.py. `grace_s`: how long late answers may
    come after the last phase; 0 for GRACE_STEPS of hours.py.
    """

    opening_s: int = 0
    closing_s: int = 0
    impact_per_cent: int | None = None
    halts: int = 0
    is_wide: bool = False
    troubles: str = ""
    grace_s: int = 0


ORDINARY = Conditions()
