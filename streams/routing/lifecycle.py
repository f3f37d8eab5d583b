"""The child state machine: which event may come in which phase, and where it leads.

Phases are those of state.py; `Child.status` says them as FIX 39. `hold` is asked by every fold of
an event about a child; the model check in tests/property/test_child_lifecycle.py walks every
interleaving of requests, reports and time through it.
"""

from typing import Any, Final, NamedTuple

from schemas.messages.control import ChildSettled
from schemas.messages.core import ExecType
from schemas.messages.routing import (
    ChildAcknowledged,
    ChildCancelDeferred,
    ChildCanceled,
    ChildCancelRejected,
    ChildCancelRequested,
    ChildRejected,
    ChildReplaced,
    ChildReplaceRejected,
    ChildReplaceRequested,
    ChildRestated,
    ChildStatusRequested,
    ChildUnresolved,
    FillBooked,
    FillBusted,
    FillCorrected,
)
from streams.core.errors import CorruptHistoryError
from streams.routing.state import OPEN, Child, Phase

__all__ = ["ANY", "CLOSED", "LIFECYCLE", "Move", "hold"]

_P = Phase
CLOSED: Final = (_P.FILLED, _P.CANCELED, _P.EXPIRED, _P.REJECTED)
ANY: Final = (*OPEN, *CLOSED)
# A child that the venue closed may still owe us fills that it counted.
OWING: Final = (_P.FILLED, _P.CANCELED, _P.EXPIRED)
_ASKED: Final = (_P.PENDING_REPLACE, _P.PENDING_CANCEL, _P.UNRESOLVED)


class Move(NamedTuple):
    """One row: FIX 150, the phases in which the event may come, and those it may lead to."""

    exec_type: ExecType
    sources: tuple[Phase, ...]
    targets: tuple[Phase, ...]


# ChildPlaced makes a child in PENDING_NEW (150=A).
LIFECYCLE: Final[dict[type[Any], Move]] = {
    # Again when the venue answers what became of it.
    ChildAcknowledged: Move(ExecType.NEW, OPEN, (_P.LIVE, _P.SUSPENDED, *_ASKED)),
    ChildRejected: Move(ExecType.REJECTED, OPEN, (_P.REJECTED,)),
    # Trades, busts and corrections are facts of venues: no state of ours can refuse them.
    FillBooked: Move(ExecType.TRADE, ANY, ANY),
    FillBusted: Move(ExecType.TRADE_CANCEL, ANY, ANY),
    FillCorrected: Move(ExecType.TRADE_CORRECT, ANY, ANY),
    # By its status CANCELED, EXPIRED (done for the day too) or FILLED; again when it owes less.
    ChildCanceled: Move(ExecType.CANCELED, (*OPEN, *OWING), OWING),
    ChildCancelRequested: Move(ExecType.PENDING_CANCEL, OPEN, (_P.PENDING_CANCEL,)),
    ChildCancelDeferred: Move(ExecType.UNKNOWN, OPEN, OPEN),  # a wish; nothing was sent
    ChildCancelRejected: Move(ExecType.UNKNOWN, OPEN, OPEN),  # FIX message 9, not 8
    ChildReplaceRequested: Move(ExecType.PENDING_REPLACE, (_P.LIVE,), (_P.PENDING_REPLACE,)),
    ChildReplaced: Move(
        ExecType.REPLACED,
        (_P.PENDING_REPLACE, _P.PENDING_CANCEL, _P.SUSPENDED, _P.UNRESOLVED, _P.LIVE),
        (_P.LIVE, _P.PENDING_CANCEL, _P.SUSPENDED, _P.UNRESOLVED, _P.FILLED),
    ),
    ChildReplaceRejected: Move(
        ExecType.UNKNOWN,
        (_P.PENDING_REPLACE, _P.PENDING_CANCEL, _P.SUSPENDED, _P.UNRESOLVED, _P.LIVE),
        (_P.LIVE, _P.PENDING_CANCEL, _P.SUSPENDED, _P.UNRESOLVED, _P.FILLED),
    ),
    # SUSPENDED (150=9), back from it, or reduced by the venue (150=D).
    ChildRestated: Move(ExecType.RESTATED, OPEN, (*OPEN, _P.FILLED)),
    ChildStatusRequested: Move(ExecType.ORDER_STATUS, ANY, (_P.UNRESOLVED, *OWING)),
    ChildUnresolved: Move(ExecType.UNKNOWN, (*OPEN, *OWING), (_P.UNRESOLVED, *OWING)),
    # People's word; the fills and the cancel that it leads to move the child.
    ChildSettled: Move(ExecType.UNKNOWN, (*OPEN, *OWING), (*OPEN, *OWING)),
}


def hold(child: Child, event: Any) -> None:
    """Raise CorruptHistoryError for an event that cannot come in the child's phase."""
    if child.phase not in LIFECYCLE[type(event)].sources:
        name = type(event).__name__
        raise CorruptHistoryError(f"{name} of {child.child_id}, which is {child.phase}")
