"""The checker's telling of stages: what it accepts and what it finds."""

from typing import Any

import pytest

from services.audit.stages import breaches, lot_of, stages_of


def member(name: str, quantity: int, tier: int = 0, begun: int = 0) -> dict[str, Any]:
    return {"order_id": name, "quantity": quantity, "tier": tier, "begun_quantity": begun}


MEMBERS = [member("A", 350, begun=50), member("B", 310), member("H", 220, tier=1)]


def found(members: list[dict[str, Any]], lot: int, **shares: int) -> list[str]:
    return list(breaches(stages_of(members, lot), shares))


def test_stages_are_begun_lots_then_lots_then_odd_rests_of_each_tier() -> None:
    assert [(stage.unit, stage.most) for stage in stages_of(MEMBERS, 100)] == [
        (1, {"A": 50}),
        (100, {"A": 300, "B": 300}),
        (1, {"B": 10}),
        (100, {"H": 200}),
        (1, {"H": 20}),
    ]


@pytest.mark.parametrize(
    "shares",
    [
        {},
        {"A": 50},
        {"A": 150, "B": 70},  # an open lot
        {"A": 350, "B": 310},
        {"A": 350, "B": 310, "H": 213},
        {"A": 350, "B": 310, "H": 220},
    ],
)
def test_shares_in_order_are_fine(shares: dict[str, int]) -> None:
    assert found(MEMBERS, 100, **shares) == []


@pytest.mark.parametrize(
    "shares",
    [
        {"B": 40},  # before the begun lot
        {"A": 250, "B": 0},  # two lots ahead
        {"A": 350, "B": 305, "H": 1},  # the house before its clients
        {"A": 340, "B": 310},  # the odd rest before the lots
        {"A": 350, "B": 310, "H": 221},  # more than the house has
    ],
)
def test_shares_out_of_order_or_quota_are_found(shares: dict[str, int]) -> None:
    assert found(MEMBERS, 100, **shares)


def test_members_of_first_versions_have_one_stage() -> None:
    first = [{"order_id": "A", "quantity": 3}, {"order_id": "B", "quantity": 1}]
    assert [(stage.unit, stage.most) for stage in stages_of(first, 1)] == [(1, {"A": 3, "B": 1})]
    assert lot_of({}) == lot_of({"lot": 0}) == 1
