"""Fields that would make an order another one than is worked here: they are refused, not dropped.

A field that is neither read nor listed here changes nothing of the order: ids, parties, texts,
flags for regulators. It stands in the log with its message.
"""

from typing import Final

from schemas.messages.core import RejectReason
from services.fix.clients.asked import Asked
from services.fix.codes import Version
from services.fix.dictionary import dictionary
from services.fix.values import FixValueError

__all__ = ["WORKABLE", "check_workable"]

# Values that say what is done anyhow; any other one is refused, every one where there is none.
WORKABLE: Final[dict[int, tuple[str, ...]]] = {
    # What is traded: shares, listed where the session's terms say, of no other class.
    **dict.fromkeys((65, 200, 201, 202, 203, 205, 206, 223, 240, 541, 555, 711), ()),
    167: ("CS", "PS", "ETF"),
    231: ("1",),
    854: ("0",),  # units
    # How much and at what price: 38 and 44 in the instrument's currency, nothing derived.
    **dict.fromkeys((99, 152, 211, 218, 232, 236, 388, 389, 468, 469, 516), ()),
    **dict.fromkeys((699, 835, 836, 837, 838, 839, 840, 841, 842, 843, 844, 845, 846), ()),
    423: ("2",),  # a price of one unit
    # When and where: in the main session, by our own schedule, at a venue of ours (100).
    **dict.fromkeys((336, 386, 1089, 1090, 1300, 1629, 1916, 2704), ()),
    1091: ("N",),  # anonymous before the trade
    # Orders within the order: triggers, pegs, refreshed display.
    **dict.fromkeys((1092, 1094, 1096, 1097, 1098, 1099, *range(1100, 1115), 1628), ()),
    **dict.fromkeys((210, 1082, 1083, 1085, 1086, 1087, 1088), ()),
    1084: ("1",),  # as much as at first
    # An answer to another's interest or quote; a copy of an order is none.
    **dict.fromkeys((23, 117, 1461), ()),
    797: ("N",),
    # How it settles, for whom, and what it costs: as the instrument and the account say.
    **dict.fromkeys((12, 64, 78, 192, 193, 439, 440, 640), ()),
    63: ("0",),
    **dict.fromkeys((81, 427, 589, 590, 591, 775), ("0",)),
    77: (),  # opens or closes a position
    121: ("N",),
    544: ("1",),  # for cash
    # As agent, for another: an order for the house comes from a desk of the house.
    47: ("A", "I", "K", "W", "Y"),
    204: ("0",),
    528: ("A", "I", "W"),
    114: ("N",),  # nobody is asked for a locate here: 5700 names it
}
LOCATE_REQUIRED: Final = 114
SHORT_SALE: Final = "5"


def check_workable(asked: Asked, currency: str) -> None:
    """Hold a D, a G or an order of a list against what can be done. `currency`: of its instrument.

    Raises: FixValueError for the first field that asks for more.
    """
    fields, terms, version = asked.fields, asked.seat.terms, asked.seat.version
    if fields.get(54) == SHORT_SALE and fields.get(LOCATE_REQUIRED) == "Y":
        reason, bound = RejectReason.LOCATE_MISSING, "N, with the locate in tag 5700"
        raise FixValueError(reason, _named(version, LOCATE_REQUIRED), "Y", bound)
    for tag, value in fields.pairs:
        allowed = WORKABLE.get(tag)
        if allowed is not None and value not in allowed:
            raise _refused(version, tag, value, allowed)
    own = {120: (currency,), 207: terms.exchanges}
    if terms.symbol_tag == 48:  # else 22 tells of a second name, which nobody reads
        own[22] = (terms.symbol_source,)
    for tag, allowed in own.items():
        if tag in fields and fields.get(tag) not in allowed:
            raise _refused(version, tag, fields.get(tag), allowed)


def _refused(version: Version, tag: int, value: str, allowed: tuple[str, ...]) -> FixValueError:
    bound = "one of " + ", ".join(allowed) if allowed else "absent: it is not worked here"
    return FixValueError(RejectReason.VALUE_OUT_OF_RANGE, _named(version, tag), value, bound)


def _named(version: Version, tag: int) -> str:
    return f"{dictionary(version).name(tag) or 'field'} ({tag})"
