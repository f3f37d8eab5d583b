"""Golden records: for every released version its schema and bytes that must decode for ever.

Run: python -m schemas.golden             writes the missing ones: that releases a version
     python -m schemas.golden --refresh   writes all again; only before the first release
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from schemas.avro import SCHEMAS, registered, resolved
from schemas.messages.core import Envelope, envelope_from_datum
from schemas.messages.index import MESSAGE_TYPES

__all__ = ["GOLDEN", "Encode", "jsonable", "samples", "write_missing"]

GOLDEN = SCHEMAS / "golden"
Encode = Callable[[Envelope, Any], bytes]
SMALL = {"string": "", "int": -(1 << 31), "long": -(1 << 63), "boolean": False, "bytes": b""}


def _typical(kind: Any, name: str, ordinal: int) -> Any:  # noqa: PLR0911 one per kind of type
    match kind:
        case "string":
            return f"{name}-é-{ordinal}"
        case "int":
            return ordinal
        case "long":
            return 1_340_285_400_000_000_000 if name.endswith("_ns") else 10**9 * ordinal + 1
        case "boolean":
            return True
        case "bytes" | {"logicalType": "decimal"}:
            return (10**38 - ordinal).to_bytes(17, "big", signed=True)
        case [_, some]:
            return _typical(some, name, ordinal)
        case {"type": "enum", "symbols": symbols}:
            return symbols[-1]
        case {"type": "array", "items": items}:
            return [_typical(items, name, n) for n in (1, 2)]
        case {"type": "record", "fields": fields}:
            return {f["name"]: _typical(f["type"], f["name"], ordinal) for f in fields}
        case {"type": "fixed", "size": size}:
            return bytes(range(size))
    raise AssertionError(f"{kind} is no type")


def _extreme(kind: Any) -> Any:  # noqa: PLR0911 one per kind of type
    match kind:
        case str() if kind in SMALL:
            return SMALL[kind]
        case {"logicalType": "decimal"}:
            return (1 - 10**38).to_bytes(17, "big", signed=True)
        case [*_]:
            return None
        case {"type": "enum", "symbols": symbols}:
            return symbols[0]
        case {"type": "array"}:
            return []
        case {"type": "record", "fields": fields}:
            return {f["name"]: _extreme(f["type"]) for f in fields}
        case {"type": "fixed", "size": size}:
            return bytes(size)
    raise AssertionError(f"{kind} is no type")


def samples(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a datum of full fields and one of least values, by name."""
    whole = resolved(schema)
    return {"typical": _typical(whole, "", 1), "extreme": _extreme(whole)}


def jsonable(message: Any) -> Any:
    """Return a message as JSON values: bytes as hex, cash as an integer."""
    return _hex(msgspec.to_builtins(message, builtin_types=(bytes,)))


def _hex(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_hex(item) for item in value]
    if isinstance(value, dict):
        return {key: _hex(item) for key, item in value.items()}
    return value


def write_missing(folder: Path, encode: Encode, *, again: bool = False) -> list[str]:
    """Write the golden files of the newest versions that have none; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    schemas = registered()
    written = []
    for message_type in MESSAGE_TYPES:
        path = folder / f"{message_type.name}.json"
        if path.exists() and not again:
            continue
        schema = schemas[message_type.schema_id][1]
        content = {}
        for name, datum in samples(schema).items():
            envelope = envelope_from_datum(datum["envelope"])
            message = message_type.from_datum(datum)
            value = {"envelope": jsonable(envelope), "message": jsonable(message)}
            content[name] = {"value": value, "hex": encode(envelope, message).hex()}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        path.with_suffix(".avsc").write_text(json.dumps(schema, indent=1) + "\n")
        written.append(message_type.name)
    return written


def main() -> int:
    """Write golden files with the wire code of this version."""
    from schemas.messages.wire import write_envelope

    types = {t.struct: t for t in MESSAGE_TYPES}

    def encode(envelope: Envelope, message: Any) -> bytes:
        message_type = types[type(message)]
        frame = b"\x00" + message_type.schema_id.to_bytes(4, "big")
        return frame + write_envelope(envelope) + message_type.write(message)

    for name in write_missing(GOLDEN, encode, again="--refresh" in sys.argv):
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
