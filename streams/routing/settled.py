"""What routing remembers of fills that people settled: how much of each the venue has reported."""

import msgspec

from schemas.messages.control import ChildSettled

__all__ = ["EXEC_ID", "Claim", "Part", "Settlements"]

# Of a fill whose ExecID nobody said; a venue never says one that begins so.
EXEC_ID = "settled-{child_id}-{ordinal}"
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
