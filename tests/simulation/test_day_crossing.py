"""Wild days of funds, walls, withdrawn consent, drawn rounds and a usual spread: every proof."""

from typing import Any

import pytest

from schemas.messages.control import PairRestricted
from schemas.messages.core import CrossGuard, CrossKind, PartyLevel
from schemas.messages.netting import CrossExecuted, WindowClosed, WindowOpened
from streams.shard import EngineShard
from tests.support.audit_host import checked, recorded
from tests.support.builders import SECOND, account_defined, crossing_declared
from tests.support.day import Day
from tests.support.shard_host import LOG_ID

SEEDS = range(300, 306)


def restricted(level: PartyLevel, one: str, other: str) -> PairRestricted:
    return PairRestricted(
        tenant="T1", level=level, one=one, other=other, is_restricted=True, reason="wall"
    )


def definitions(seed: int) -> tuple[Any, ...]:
    """Return another mix of funds, walls and rules for each seed."""
    funds = [
        account_defined(
            f"A{n}",
            client_id=f"C{n % 4}",
            owner_id=f"FUND{n // 2}" if n % 3 else "",
            is_house=n == 5,
            is_cross_allowed=n != seed % 7,
        )
        for n in range(1, 10)
    ]
    walls = [
        restricted(PartyLevel.ACCOUNT, "A1", "A2"),
        restricted(PartyLevel.CLIENT, "C1", "C3"),
        restricted(PartyLevel.OWNER, "FUND2", "A3"),
    ]
    declared = crossing_declared(
        random_ns=2 * SECOND if seed % 2 else 0,
        spread_median_bps=25_000 if seed % 3 == 0 else 0,
    )
    return (*funds, *walls[: seed % 4], declared)


def day_of(seed: int) -> Day:
    day = Day(seed, is_calm=False, definitions=definitions(seed))
    day.run()
    return day


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_is_clean_and_comes_back_from_its_records(seed: int) -> None:
    day = day_of(seed)
    report = checked(recorded(day.host))
    own = [str(each) for each in report.findings if each.code != "VENUE_PRICE"]
    assert own == []  # the model venue trades at one price, limits or not
    restored = EngineShard(0, 1, LOG_ID)
    for number, batch in enumerate(day.host.batches):
        restored.restore(batch)
        if number % 50 == 0:
            restored.load(restored.snapshot())
    assert restored.snapshot() == day.host.app.snapshot()


def test_the_same_day_twice_is_the_same_day() -> None:
    assert day_of(SEEDS[1]).digest() == day_of(SEEDS[1]).digest()


def test_these_days_show_every_kind_of_round() -> None:
    hosts = [day_of(seed).host for seed in SEEDS]
    crosses = [cross for host in hosts for cross in host.messages(CrossExecuted)]
    kinds = {(cross.kind, bool(cross.pairs)) for cross in crosses}
    assert kinds >= {
        (CrossKind.OWN_NETTING, False),
        (CrossKind.CLIENT_CROSS, False),
        (CrossKind.CLIENT_CROSS, True),
    }
    assert any(cross.median_spread_e9 for cross in crosses)
    assert any(member.tier for cross in crosses for member in (*cross.buys, *cross.sells))
    guards = {closed.guard for host in hosts for closed in host.messages(WindowClosed)}
    assert guards >= {CrossGuard.NONE, CrossGuard.NO_MEDIAN, CrossGuard.NO_ELIGIBLE_PAIR}
    assert any(host.messages(WindowOpened) for host in hosts)
