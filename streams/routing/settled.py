"""What routing remembers of fills that people settled: how much of each the venue has reported."""

import msgspec

from schemas.messages.control import ChildSettled

__all__ = ["EXEC_ID", "Claim", "Part", "Settlements", "is_named"]

# Of a fill whose ExecID nobody said; a venue never says one that begins so.
_UNSAID = "settled-"
EXEC_ID = _UNSAID + "{child_id}-{ordinal}"
Settlements = dict[str, ChildSettled]  # that wait for approval, by settlement_id


class Part(msgspec.Struct, array_like=True):
    """A fill as it was settled, and what of it no report of the venue has named yet."""

    quantity: int
    price_e9: int
    open: int


class Claim(msgspec.Struct, array_like=True):
    """What of a settled fill an execution of the venue turned out to be, changes applied."""

    fill_id: str
    quantity: int
    corrected_ns: int = 0


def is_named(fill_id: str) -> bool:
    """Return whether people said by which ExecID the venue has it, and not as part of a count."""
    return not fill_id.partition("/")[2].startswith(_UNSAID)
