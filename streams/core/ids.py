"""Ids: <letter><tag of the log>.<shard>.<ordinal>…; what two logs of one seed have in common."""

__all__ = ["within_log"]


def within_log(name: str) -> str:
    """Return an id without its log's tag, for whatever is derived from it.

    The tag is random. Ties, jitter and chances must be the same in every log of one seed, or the
    same seed would not give the same children.
    """
    return name.partition(".")[2] or name
