"""shard: the deciders of one partition composed into an Application.

In:  orders.commands, market.data, venues.reports (key instrument_id); control.commands.
Out: every events topic and dead.letters, on the shard's own partition.
"""

from streams.shard.settings import EngineSettings
from streams.shard.shard import EngineShard
from streams.shard.state import ShardState

__all__ = ["EngineSettings", "EngineShard", "ShardState"]
