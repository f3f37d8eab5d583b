"""Every message that the engine reads, wild or honest, in any order: nothing stops a shard.

What must hold after each of them stands in tests/support/wild_shard.py.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.wild_shard import WildShard


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.randoms(use_true_random=False, note_method_calls=False), st.integers(1, 40))
def test_no_run_of_messages_stops_a_shard(random: Any, acts: int) -> None:
    shard = WildShard(random.choice)
    for _ in range(acts):
        shard.act()
    shard.finish()
