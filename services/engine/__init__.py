"""The engine: a supervisor for a host, one process for a shard."""
