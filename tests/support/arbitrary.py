"""Hypothesis strategies for every message, made from its schema."""

from typing import Any

from hypothesis import strategies as st

from schemas.avro import registered, resolved
from schemas.messages.core import Envelope, envelope_from_datum
from schemas.messages.index import MESSAGE_TYPES, MessageType
from schemas.primitives import bytes_from_cash

CASH_MAX = 10**38 - 1
SCHEMAS = registered()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def longs(bits: int) -> st.SearchStrategy[int]:
    """Return integers of a signed word, its ends and the ends of every varint length included."""
    ends = [s * (1 << n) + d for n in range(6, bits, 7) for s in (1, -1) for d in (-1, 0, 1)]
    least, most = -(1 << bits - 1), (1 << bits - 1) - 1
    edges = st.sampled_from([n for n in [least, most, 0, *ends] if least <= n <= most])
    return edges | st.integers(least, most)


def datums(kind: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 one per kind of type
    """Return what fastavro takes for a schema without logical types."""
    match kind:
        case "string":
            return TEXT | st.just("x" * 9000)
        case "int":
            return longs(32)
        case "long":
            return longs(64)
        case "boolean":
            return st.booleans()
        case "bytes":
            return st.binary(max_size=200)
        case {"logicalType": "decimal"}:
            edges = st.sampled_from([CASH_MAX, -CASH_MAX, 0, -1, 127, 128, -128, -129])
            return (edges | st.integers(-CASH_MAX, CASH_MAX)).map(bytes_from_cash)
        case [_, some]:
            return st.none() | datums(some)
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "array", "items": items}:
            return st.lists(datums(items), max_size=4)
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({f["name"]: datums(f["type"]) for f in fields})
        case {"type": "fixed", "size": size}:
            return st.binary(min_size=size, max_size=size)
    raise AssertionError(f"{kind} is no type")


def events(message_type: MessageType) -> st.SearchStrategy[tuple[Envelope, Any]]:
    """Return envelopes with messages of one type."""
    return datums(resolved(SCHEMAS[message_type.schema_id][1])).map(
        lambda datum: (envelope_from_datum(datum["envelope"]), message_type.from_datum(datum))
    )


BY_NAME = {message_type.name: message_type for message_type in MESSAGE_TYPES}
EVENTS = {name: events(message_type) for name, message_type in BY_NAME.items()}
