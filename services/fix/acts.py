"""What a simulator's wire does wrong on demand: session acts that no message of FIX asks for."""

from enum import StrEnum
from typing import Final

__all__ = ["ACT", "Act"]

# Message type of a FixSending that is no message: FIX 58 of its body names the act. A wire obeys
# only where the gateway's file says is_simulator.
ACT: Final = "!"


class Act(StrEnum):
    """One of a session's acts."""

    GAP = "GAP"  # the next number is skipped, so that the peer must ask for a resend
    GAP_FILL = "GAP_FILL"  # a SequenceReset-GapFill that nobody asked for
    RESET = "RESET"  # a SequenceReset-Reset to a higher number
    LOGOUT = "LOGOUT"  # logs out in the middle, and takes the counterparty in again
    LINK_LOST = "LINK_LOST"  # logs out, and takes nobody in
    LINK_BACK = "LINK_BACK"  # until this
