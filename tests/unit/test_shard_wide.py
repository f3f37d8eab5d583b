"""A snapshot holds cash of any size, and no more than that is different about it."""

import msgspec
import pytest

from streams.routing.state import Fill
from streams.shard import wide
from streams.shard.state import ShardState


@pytest.mark.parametrize("cash_e9", [2**64, -(2**63) - 1, 10**38 - 1, -(10**38)])
def test_cash_beyond_64_bits_is_kept(cash_e9: int) -> None:
    state = ShardState()
    state.routing.fills["V1/e1"] = Fill("P1.1.1", 100, 0, 10**9, cash_e9, -1)
    data = wide.encode(state)
    again = wide.decode(data, ShardState)
    assert again == state
    assert wide.encode(again) == data


def test_what_fits_64_bits_is_written_as_ever() -> None:
    state = ShardState()
    state.routing.fills["V1/e1"] = Fill("P1.1.1", 100, 0, 10**9, 2**64 - 1, -(2**63))
    assert wide.encode(state) == msgspec.msgpack.encode(state)
