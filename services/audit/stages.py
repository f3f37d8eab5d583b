"""The stages of a house, told again from the recorded members: what each may have had by now."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Stage", "begun_of", "breaches", "lot_of", "stages_of", "tier_of"]

Message = dict[str, Any]


@dataclass(slots=True)
class Stage:
    """Part of a house that is filled before the next begins."""

    unit: int  # shares that go together
    most: dict[str, int]  # what it may give to each order
    before: dict[str, int]  # what the stages before it gave to each


def lot_of(m: Message) -> int:
    """Return the allocation unit of an epoch or cross; first versions have none."""
    return max(1, int(m.get("lot", 1)))


def tier_of(member: Message) -> int:
    return int(member.get("tier", 0))


def begun_of(member: Message) -> int:
    return int(member.get("begun_quantity", 0))


def stages_of(members: list[Message], lot: int) -> list[Stage]:
    """Return the stages: by tier, begun lots, then lots, then odd rests; none that is empty."""
    before: dict[str, int] = {}
    stages = []
    for tier in sorted({tier_of(member) for member in members}):
        parts: tuple[tuple[int, dict[str, int]], ...] = ((1, {}), (lot, {}), (1, {}))
        for member in members:
            if tier_of(member) == tier:
                begun = begun_of(member)
                rest = member["quantity"] - begun
                odd = rest % lot
                for (_, most), part in zip(parts, (begun, rest - odd, odd), strict=True):
                    if part:
                        most[member["order_id"]] = part
        for unit, most in parts:
            if most:
                stages.append(Stage(unit, most, {each: before.get(each, 0) for each in most}))
            for order_id, part in most.items():
                before[order_id] = before.get(order_id, 0) + part
    return stages


def breaches(stages: list[Stage], shares: dict[str, int]) -> Iterator[str]:
    """Yield what is wrong with cumulative shares: order of stages, then quota within a unit."""
    left = sum(shares.values())
    for number, stage in enumerate(stages, 1):
        size = sum(stage.most.values())
        due = min(left, size)
        left -= due
        given = 0
        for order_id, most in stage.most.items():
            share = min(max(shares.get(order_id, 0) - stage.before[order_id], 0), most)
            given += share
            if abs(share * size - most * due) >= stage.unit * size:
                yield (
                    f"{order_id} has {share} of {due} in stage {number}, may have {most} of {size} "
                    f"in units of {stage.unit}"
                )
        if given != due:
            yield f"stage {number} gave {given} of its {due}"
    if left:
        yield f"{left} more given than the house has"
