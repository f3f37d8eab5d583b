"""A shard's part of a limit that counts orders of every shard."""

from schemas.messages.core import LimitScope
from streams.risk.limits import E9, Limit
from streams.risk.state import RiskState, lease_key, scope_key

__all__ = ["bound_e9", "is_leased", "lease_use", "part_e9"]


def is_leased(limit: Limit, partitions: int) -> bool:
    """Return whether several shards share the limit: an instrument's orders are all of one."""
    return partitions > 1 and limit.scope is not LimitScope.INSTRUMENT


def part_e9(value: int, shard: int, partitions: int) -> int:
    """Return a shard's part before any lease was granted or given back.

    Rounds: down; the rest goes to the lowest shards, so that the parts sum to the limit.
    """
    each, rest = divmod(value * E9, partitions)
    return each + (1 if shard < rest else 0)


def bound_e9(state: RiskState, limit: Limit, key: str) -> int:
    """Return what this shard may use of the limit now."""
    if not is_leased(limit, state.partitions):
        return limit.value * E9
    adjusted = state.adjustments.get(key)
    part = part_e9(limit.value, state.shard, state.partitions)
    return part if adjusted is None else part + adjusted.value


def lease_use(state: RiskState, limit_id: str, scope: LimitScope, subject: str) -> tuple[int, int]:
    """Return this shard's part of a limit and what of it is used, (0, 0) for no such limit.

    Every trade date counts: a part is given back only where nobody could need it.
    """
    tenant, _, name = subject.partition("/")
    for limit in state.limits.limits:
        if limit.limit_id == limit_id and limit.scope is scope:
            key = lease_key(limit, tenant, name)
            total = state.totals.get(scope_key(scope, tenant, name))
            used = 0 if total is None else sum(each.value for each in total.used.values())
            return bound_e9(state, limit, key), used
    return 0, 0
