"""Confluent frame (0x00, four bytes of schema id) round a schemaless Avro body, by fastavro."""

import io
import json
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.types import Schema

from schemas.messages.core import (
    Envelope,
    RejectReason,
    envelope_from_datum,
    envelope_to_datum,
)
from schemas.messages.index import MESSAGE_TYPES, MessageType
from streams.core.errors import DecodeError

SCHEMAS = Path(__file__).parents[2] / "schemas"
FRAME_BYTES = 5


class AvroCodec:
    """Implements streams.runtime.ports.Codec with fastavro: the reference, and readable."""

    def __init__(self) -> None:
        self._schemas: dict[int, Schema] = {}
        self._by_id: dict[int, MessageType] = {}
        self._by_struct: dict[type[Any], tuple[bytes, MessageType]] = {}
        for message_type in MESSAGE_TYPES:
            context, name, version = message_type.name.split(".")
            text = (SCHEMAS / context / f"{name}.{version}.avsc").read_text()
            self._schemas[message_type.schema_id] = parse_schema(json.loads(text))
            self._by_id[message_type.schema_id] = message_type
            frame = b"\x00" + message_type.schema_id.to_bytes(4, "big")
            self._by_struct[message_type.struct] = (frame, message_type)

    def encode(self, envelope: Envelope, message: Any) -> bytes:
        """Return the framed value. Raises KeyError for a struct that is no message (a bug)."""
        frame, message_type = self._by_struct[type(message)]
        datum = message_type.to_datum(message)
        datum["envelope"] = envelope_to_datum(envelope)
        buffer = io.BytesIO()
        buffer.write(frame)
        schemaless_writer(buffer, self._schemas[message_type.schema_id], datum)
        return buffer.getvalue()

    def decode(self, value: bytes) -> tuple[Envelope, Any]:
        """Return envelope and message of a framed value. Raises DecodeError."""
        if len(value) < FRAME_BYTES or value[0] != 0:
            raise DecodeError(RejectReason.BAD_MAGIC, "magic", value[:1].hex(), "00 and 4 id bytes")
        schema_id = int.from_bytes(value[1:FRAME_BYTES], "big")
        message_type = self._by_id.get(schema_id)
        if message_type is None:
            bound = "an id of schemas/registry.json"
            raise DecodeError(RejectReason.UNKNOWN_SCHEMA, "schema_id", str(schema_id), bound)
        buffer = io.BytesIO(value)
        buffer.seek(FRAME_BYTES)
        try:
            datum: Any = schemaless_reader(buffer, self._schemas[schema_id], None)
            message = message_type.from_datum(datum)
            envelope = envelope_from_datum(datum["envelope"])
        except Exception as error:
            raise DecodeError(
                RejectReason.BODY_UNDECODABLE, message_type.name, type(error).__name__, str(error)
            ) from error
        if buffer.tell() != len(value):
            rest = f"{len(value) - buffer.tell()} bytes after the body"
            raise DecodeError(RejectReason.BODY_UNDECODABLE, message_type.name, rest, "no rest")
        return envelope, message
