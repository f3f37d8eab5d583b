"""Short runs of the fuzzers of gateways (tests/fuzz/fix.py), of fixed seeds."""

import random

import pytest

from services.fix.fields import SOH
from tests.fuzz.fix import WORLDS, play
from tests.support.fix_messages import spoiled

ACTS = 60


@pytest.mark.parametrize("kind", WORLDS)
def test_whatever_it_is_told_a_gateway_lives_and_orders_nothing_that_was_not_sent(
    kind: str,
) -> None:
    assert play(kind, seed=20_260_321, acts=ACTS) > ACTS // 2


def test_messages_are_spoiled_in_every_way() -> None:
    chance, text = random.Random(1), f"35=D{SOH}11=c1{SOH}453=1{SOH}448=a{SOH}".encode()
    made = {spoiled(text, chance) for _ in range(200)}
    assert len(made) > 150
