"""One definition per strategy: it agrees with the record, validates with reasons, and resolves."""

from collections.abc import Sequence
from typing import Any

import pytest

from schemas.messages.core import (
    Aim,
    RejectReason,
    StrategyKind,
    StrategyParameters,
    Urgency,
)
from streams.parameters import (
    DEFINITIONS,
    Row,
    frozen_changes,
    names,
    normal,
    problem,
    resolved,
    rows,
)

NONE = 10_000  # a participation cap that is none
P = StrategyParameters
K = StrategyKind
OUT_OF_RANGE = RejectReason.PARAMETER_OUT_OF_RANGE
UNKNOWN = RejectReason.PARAMETER_UNKNOWN
KNOWN = [(strategy, row) for strategy in DEFINITIONS for row in rows(strategy)]
RANGED = [(strategy, row) for strategy, row in KNOWN if row.low is not None]
FOREIGN = [
    (strategy, name)
    for strategy in DEFINITIONS
    for name in P.__struct_fields__
    if name not in [row.name for row in rows(strategy)]
]


def _ids(pairs: Sequence[tuple[StrategyKind, object]]) -> list[str]:
    return [f"{strategy}-{getattr(what, 'name', what)}" for strategy, what in pairs]


def _said(name: str, value: Any) -> StrategyParameters:
    return P(**{name: value})


def test_the_record_has_exactly_the_fields_that_strategies_know() -> None:
    assert set(names()) == set(P.__struct_fields__)


def test_every_strategy_of_the_enum_is_defined_but_unknown() -> None:
    assert set(DEFINITIONS) == set(K) - {K.UNKNOWN}
    values = [definition.fix_value for definition in DEFINITIONS.values()]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize(("strategy", "row"), KNOWN, ids=_ids(KNOWN))
def test_presets_keep_their_own_range(strategy: StrategyKind, row: Row) -> None:
    for urgency in (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT):
        value = row.preset.of(urgency)
        if value is not None:
            given = _said(row.name, value)
            assert problem(strategy, given, NONE) is None


@pytest.mark.parametrize(("strategy", "row"), RANGED, ids=_ids(RANGED))
def test_the_range_of_every_parameter_is_refused_beyond_and_taken_within(
    strategy: StrategyKind, row: Row
) -> None:
    name, low, high = row.name, row.low, row.high
    assert low is not None and high is not None
    for value in (low - 1, high + 1):
        found = problem(strategy, _said(name, value), NONE)
        assert found == (OUT_OF_RANGE, name, str(value), f"in {low}..{high}")
    for value in (low, high):
        assert problem(strategy, _said(name, value), NONE) is None
        assert getattr(resolved(strategy, Urgency.NEUTRAL, _said(name, value)), name) == value


@pytest.mark.parametrize(("strategy", "name"), FOREIGN, ids=_ids(FOREIGN))
def test_a_parameter_that_the_strategy_does_not_know_is_refused(
    strategy: StrategyKind, name: str
) -> None:
    value = Aim.IMPACT if name == "aim" else 1
    found = problem(strategy, _said(name, value), NONE)
    assert found == (UNKNOWN, name, str(value), strategy.value)


@pytest.mark.parametrize(
    ("strategy", "given", "name", "value", "bound"),
    [
        # subject and bound of what does not go together
        (
            K.IMPLEMENTATION_SHORTFALL,
            P(half_life_ns=10**12, risk_aversion_e9=5),
            "risk_aversion_e9",
            "5",
            "absent beside half_life_ns 1000000000000",
        ),
        (
            K.VWAP,
            P(opening_auction_bps=4_000, closing_auction_bps=6_001),
            "closing_auction_bps",
            "6001",
            "at most 6000 beside opening_auction_bps 4000",
        ),
        (
            K.POV,
            P(participation_rate_bps=500, participation_floor_bps=501),
            "participation_floor_bps",
            "501",
            "at most participation_rate_bps 500",
        ),
        (
            K.POV,
            P(participation_rate_bps=2_001),
            "participation_rate_bps",
            "2001",
            "at most participation_cap_bps 2000",
        ),
        (
            K.VWAP,
            P(participation_floor_bps=2_001),
            "participation_floor_bps",
            "2001",
            "at most participation_cap_bps 2000",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    strategy: StrategyKind, given: StrategyParameters, name: str, value: str, bound: str
) -> None:
    assert problem(strategy, given, 2_000) == (OUT_OF_RANGE, name, value, bound)


def test_of_two_problems_the_first_field_of_the_record_is_told() -> None:
    found = problem(K.TWAP, P(time_jitter_bps=-1, half_life_ns=1), NONE)
    assert found == (UNKNOWN, "half_life_ns", "1", "TWAP")


def test_nothing_said_is_nothing_wrong_and_one_group_with_silence() -> None:
    assert all(problem(strategy, P(), NONE) is None for strategy in DEFINITIONS)
    assert normal(P()) is None and normal(P(time_jitter_bps=0)) == P(time_jitter_bps=0)


@pytest.mark.parametrize(
    ("urgency", "half_lives_bps", "rate", "floor", "completion"),
    [
        (Urgency.PASSIVE, 20_000, 500, 250, 5_000),
        (Urgency.NEUTRAL, 5_000, 1_000, 500, 9_500),
        (Urgency.URGENT, 2_000, 2_000, 1_000, 9_900),
    ],
)
def test_presets_follow_the_urgency(
    urgency: Urgency, half_lives_bps: int, rate: int, floor: int, completion: int
) -> None:
    horizon_ns = 3_600 * 10**9
    shortfall = resolved(K.IMPLEMENTATION_SHORTFALL, urgency, None)
    assert shortfall.half_life(horizon_ns) == horizon_ns * half_lives_bps // 10_000
    assert shortfall.risk_aversion_e9 == -1
    pov = resolved(K.POV, urgency, P())
    assert (pov.participation_rate_bps, pov.participation_floor_bps) == (rate, floor)
    assert pov.participation_high_bps == 2 * rate
    assert pov.completion_floor_bps == completion


def test_what_the_order_says_goes_before_the_preset() -> None:
    given = P(half_life_ns=7 * 10**9, completion_floor_bps=0)
    found = resolved(K.IMPLEMENTATION_SHORTFALL, Urgency.URGENT, given)
    assert found.half_life(10**15) == 7 * 10**9 and found.completion_floor_bps == 0


def test_the_floor_of_a_rate_that_is_named_is_half_of_it() -> None:
    found = resolved(K.POV, Urgency.URGENT, P(participation_rate_bps=301))
    assert (found.participation_floor_bps, found.participation_high_bps) == (150, 602)


def test_the_strategy_that_auto_chose_takes_what_it_knows() -> None:
    given = P(aim=Aim.ARRIVAL, participation_rate_bps=900, half_life_ns=10**12)
    assert resolved(K.AUTO, Urgency.NEUTRAL, given).aim is Aim.ARRIVAL
    chosen = resolved(K.IMPLEMENTATION_SHORTFALL, Urgency.NEUTRAL, given)
    assert chosen.half_life_ns == 10**12
    assert (chosen.aim, chosen.participation_rate_bps) == (Aim.UNKNOWN, 0)


@pytest.mark.parametrize(("strategy", "row"), KNOWN, ids=_ids(KNOWN))
def test_only_parameters_that_may_not_change_are_named(strategy: StrategyKind, row: Row) -> None:
    value = Aim.RISK if row.low is None else row.high
    asked = _said(row.name, value)
    expected = () if row.about.is_amendable else (row.name,)
    assert frozen_changes(strategy, None, asked) == expected
    assert frozen_changes(strategy, asked, asked) == ()
