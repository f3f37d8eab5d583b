"""One pydantic model per strategy: the only place that says what its parameters are.

Values are those of schemas/core StrategyParameters. Source: SPEC sections 5 and 11, DESIGN section
6, docs/adr/0019-one-definition-of-parameters.md.
"""

from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.messages.core import Aim, StrategyKind
from streams.parameters.definition import Parameter, Preset, Unit

__all__ = ["CONFLICT", "DEFINITIONS", "Definition"]

CONFLICT: Final = "conflict"  # type of pydantic's error; its context names field, value and bound
BPS: Final = 10_000
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS
RATE_MAX_BPS: Final = 9_000  # own / (own + others): beyond it 1 / (1 - p) means nothing
COMPLETION_MAX_BPS: Final = 9_990  # no volume forecast promises more

AimOf = Annotated[
    Aim | None,
    Parameter(
        Unit.WORD,
        "Aim",
        "What the strategy is chosen for: a corner of the trilemma or a benchmark.",
        "Aim",
        is_amendable=False,  # another aim is another strategy
    ),
    Preset(Aim.IMPACT, Aim.ARRIVAL, Aim.COMPLETION),
]
ParticipationRate = Annotated[
    int | None,
    Field(ge=1, le=RATE_MAX_BPS),
    Parameter(
        Unit.BPS,
        "Participation rate",
        "Own share of the market's volume aimed at, own prints included.",
        "ParticipationRate",
        849,
        step=50,
    ),
    Preset(500, 1_000, 2_000),
]
ParticipationFloor = Annotated[
    int | None,
    Field(ge=0, le=RATE_MAX_BPS),
    Parameter(
        Unit.BPS,
        "Participation floor",
        "Own share of each bin's volume at least, also when ahead of the plan.",
        "ParticipationFloor",
        step=50,
    ),
    Preset(0, 0, 0),
]
HalfLife = Annotated[
    int | None,
    Field(ge=SECOND_NS, le=10 * DAY_NS),
    Parameter(
        Unit.NS,
        "Half-life",
        "Urgency as the time 1 / kappa in which risk is worked off; less is faster and dearer.",
        "HalfLife",
        step=MINUTE_NS,
    ),
    # Of the horizon, which the order's end gives: kappa T is 0.5, 2 and 5.
    Preset(None, None, None, "2 x, 0.5 x, 0.2 x horizon"),
]
RiskAversion = Annotated[
    int | None,
    Field(ge=0, le=10**9),
    Parameter(
        Unit.E9,
        "Risk aversion",
        "Worth of one squared basis point of risk in basis points of cost; instead of a half-life.",
        "RiskAversion",
        step=100_000,
    ),
    Preset(None, None, None, "by the half-life"),
]
CompletionFloor = Annotated[
    int | None,
    Field(ge=0, le=COMPLETION_MAX_BPS),
    Parameter(
        Unit.BPS,
        "Completion floor",
        "Probability of completion by the end under which the owner is told at once.",
        "CompletionFloor",
        step=100,
    ),
    Preset(5_000, 9_500, 9_900),
]
OpeningAuction = Annotated[
    int | None,
    Field(ge=0, le=BPS),
    Parameter(
        Unit.BPS,
        "Opening auction",
        "Part of the order for the opening auction; 0 stays out of it.",
        "OpeningAuction",
        is_amendable=False,  # what works has had its opening
        step=500,
    ),
    Preset(0, 0, 0),
]
ClosingAuction = Annotated[
    int | None,
    Field(ge=0, le=BPS),
    Parameter(
        Unit.BPS,
        "Closing auction",
        "Part of the order for the closing auction; 0 stays out of it.",
        "ClosingAuction",
        step=500,
    ),
    Preset(0, 0, 0),
]
PreClose = Annotated[
    int | None,
    Field(ge=MINUTE_NS, le=4 * HOUR_NS),
    Parameter(
        Unit.NS,
        "Pre-close",
        "How long before the auction the continuous part begins.",
        "PreClose",
        is_amendable=False,  # it may be under way
        step=MINUTE_NS,
    ),
    # The benchmark is the close: who is patient spreads, who fears the miss waits for it.
    Preset(30 * MINUTE_NS, 20 * MINUTE_NS, 5 * MINUTE_NS),
]
TimeJitter = Annotated[
    int | None,
    Field(ge=0, le=BPS),
    Parameter(
        Unit.BPS,
        "Time jitter",
        "How far a slot's instant is drawn from its middle, of half a slot.",
        "TimeJitter",
        is_amendable=False,  # the slots are drawn
        step=500,
    ),
    Preset(8_000, 8_000, 8_000),
]
SizeJitter = Annotated[
    int | None,
    Field(ge=0, le=BPS),
    Parameter(
        Unit.BPS,
        "Size jitter",
        "How far a slot's cumulative target is drawn, of half a slot's quantity.",
        "SizeJitter",
        is_amendable=False,
        step=500,
    ),
    Preset(6_000, 6_000, 6_000),
]
DisplayShare = Annotated[
    int | None,
    Field(ge=1, le=BPS),
    Parameter(
        Unit.BPS,
        "Display share",
        "Never shown: more than this part of the quantity displayed at the price.",
        "DisplayShare",
        step=500,
    ),
    Preset(None, None, None, "by the settings"),
]


class Definition(BaseModel):
    """What every strategy knows. Null keeps the preset."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    kind: ClassVar[StrategyKind]
    meaning: ClassVar[str]
    fix_value: ClassVar[int]  # FIX 847

    display_share_bps: DisplayShare = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for field, bound in _conflicts(self):
            context = {"field": field, "bound": bound}
            raise PydanticCustomError(CONFLICT, "{field} is not {bound}", context)
        return self


class _Scheduled(Definition):
    """A strategy that works over a window and may not be done by its end."""

    completion_floor_bps: CompletionFloor = None
    opening_auction_bps: OpeningAuction = None
    closing_auction_bps: ClosingAuction = None


class Vwap(_Scheduled):
    kind = StrategyKind.VWAP
    meaning = "Follows the market's volume over the window, tracked with a forecast that moves."
    fix_value = 1

    participation_floor_bps: ParticipationFloor = None


class Twap(_Scheduled):
    kind = StrategyKind.TWAP
    meaning = "Equal parts over the window, at drawn instants, with a bounded distance to the line."
    fix_value = 1000

    time_jitter_bps: TimeJitter = None
    size_jitter_bps: SizeJitter = None


class Pov(_Scheduled):
    kind = StrategyKind.POV
    meaning = "A share of the others' volume as it happens, within a band."
    fix_value = 2

    participation_rate_bps: ParticipationRate = None
    participation_floor_bps: Annotated[
        ParticipationFloor, Preset(250, 500, 1_000, "half of the rate")
    ] = None


class ImplementationShortfall(_Scheduled):
    kind = StrategyKind.IMPLEMENTATION_SHORTFALL
    meaning = "Impact against risk since arrival: the front is heavier the shorter the half-life."
    fix_value = 3

    half_life_ns: HalfLife = None
    risk_aversion_e9: RiskAversion = None
    participation_floor_bps: ParticipationFloor = None


class Close(Definition):
    kind = StrategyKind.CLOSE
    meaning = "The closing price: a part in the auction, the rest just before it."
    fix_value = 1001

    completion_floor_bps: CompletionFloor = None
    closing_auction_bps: Annotated[ClosingAuction, Preset(6_000, 8_000, 10_000)] = None
    pre_close_ns: PreClose = None


class Immediate(Definition):
    kind = StrategyKind.IMMEDIATE
    meaning = "All of it at once through the consolidated book, and what is left as it comes."
    fix_value = 1002


class Auto(_Scheduled):
    kind = StrategyKind.AUTO
    meaning = "The strategy is chosen for the aim, and the choice is told."
    fix_value = 1003

    aim: AimOf = None
    participation_rate_bps: ParticipationRate = None
    participation_floor_bps: ParticipationFloor = None
    half_life_ns: HalfLife = None
    risk_aversion_e9: RiskAversion = None


DEFINITIONS: Final[dict[StrategyKind, type[Definition]]] = {
    each.kind: each for each in (Vwap, Twap, Pov, ImplementationShortfall, Close, Immediate, Auto)
}


def _conflicts(given: Any) -> list[tuple[str, str]]:
    """Return the values that do not go together: the field to blame and its bound."""
    values = {name: value for name, value in given if value is not None}
    found = []
    if "half_life_ns" in values and "risk_aversion_e9" in values:
        found.append(("risk_aversion_e9", f"absent beside half_life_ns {values['half_life_ns']}"))
    opening = values.get("opening_auction_bps", 0)
    if opening + values.get("closing_auction_bps", 0) > BPS:
        bound = f"at most {BPS - opening} beside opening_auction_bps {opening}"
        found.append(("closing_auction_bps", bound))
    rate = values.get("participation_rate_bps", RATE_MAX_BPS)
    if values.get("participation_floor_bps", 0) > rate:
        found.append(("participation_floor_bps", f"at most participation_rate_bps {rate}"))
    return found
