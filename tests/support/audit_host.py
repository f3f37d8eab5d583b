"""A shard's day on a list, as the log that the checker reads."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.messages.runtime import DeadLetter
from services.audit import CheckReport, check_records
from tests.support.audit_log import Batch, written
from tests.support.shard_host import ListHost

__all__ = ["checked", "recorded"]


def recorded(host: ListHost) -> list[Batch]:
    """Return the host's batches with everything that each of them read and wrote."""
    counts: Counter[str] = Counter()
    offsets: dict[tuple[str, int], int] = {}  # of the host, which numbers over all topics
    for inbound in (each for read in host.inputs for each in read):
        topic = inbound.record.topic
        offsets[topic, inbound.record.offset] = counts[topic]
        counts[topic] += 1
    return [
        Batch(
            inputs=[(inbound.record.topic, inbound.message) for inbound in read],
            outputs=[(event.topic, _placed(event.message, offsets)) for event in batch.outputs],
            causes=[_cause(event.envelope.causation_id) for event in batch.outputs],
            now_ns=batch.journal.now_ns,
            mode=batch.journal.mode,
            signals=batch.journal.signals,
            times=[(i.envelope.source_ns, i.envelope.at_ns) for i in read if i.envelope],
            actors=[i.envelope.actor for i in read if i.envelope],
        )
        for read, batch in zip(host.inputs, host.batches, strict=True)
    ]


def checked(batches: list[Batch]) -> CheckReport:
    """Return the verdict on these batches; the host numbers its inputs from 1."""
    return check_records(written(batches, first_input=1))


def _placed(message: Any, offsets: Mapping[tuple[str, int], int]) -> Any:
    """Return the message; a dead letter names the place that its input has in the log written."""
    if not isinstance(message, DeadLetter):
        return message
    return msgspec.structs.replace(message, offset=offsets[message.topic, message.offset])


def _cause(causation_id: bytes) -> bytes:
    """Return the cause if it is an input; events have other ids in the log written here."""
    return causation_id if causation_id.startswith(b"in") else bytes(16)
