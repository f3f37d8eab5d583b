"""The planner: solves what is too heavy for a shard, from committed topics to plans.events."""
