"""The envelope of a message that no shard decided."""

from typing import Final

from schemas.messages.core import Envelope

__all__ = ["outside_envelope"]

NO_CAUSE: Final = bytes(16)


def outside_envelope(
    event_id: bytes,
    at_ns: int,
    actor: str,
    *,
    source_ns: int | None = None,
    correlation_id: str = "",
) -> Envelope:
    """Return the envelope of a writer that is no shard: it has no journal and no sequence.

    Units: `source_ns`, when it happened at its source; None for `at_ns`.
    """
    return Envelope(
        event_id=event_id,
        shard=-1,
        seq=-1,
        index=0,
        topic_seq=-1,
        at_ns=at_ns,
        source_ns=at_ns if source_ns is None else source_ns,
        actor=actor,
        causation_id=NO_CAUSE,
        correlation_id=correlation_id,
    )
