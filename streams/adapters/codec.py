"""Confluent frame (0x00, four bytes of schema id) round a schemaless Avro body."""

import io
from typing import Any

from fastavro import parse_schema, schemaless_reader
from fastavro.read import SchemaResolutionError
from fastavro.types import Schema

from schemas.avro import plain, registered
from schemas.messages.core import Envelope, RejectReason, envelope_from_datum
from schemas.messages.index import MESSAGE_TYPES, MessageType
from schemas.messages.wire import read_envelope, write_envelope
from streams.core.errors import DecodeError

__all__ = ["FRAME_BYTES", "AvroCodec"]

FRAME_BYTES = 5
# What reading damaged bytes raises: past the end, unknown enum or union, length, UTF-8.
BODY_ERRORS = (IndexError, KeyError, ValueError, EOFError, SchemaResolutionError)


class AvroCodec:
    """Implements streams.runtime.ports.Codec.

    The newest version of a message is written and read by generated code, an older one is read by
    fastavro, which resolves it to the newest.
    """

    def __init__(self) -> None:
        self._by_id: dict[int, MessageType] = {t.schema_id: t for t in MESSAGE_TYPES}
        self._frames = {
            t.struct: (b"\x00" + t.schema_id.to_bytes(4, "big"), t.write) for t in MESSAGE_TYPES
        }
        self._older: dict[int, tuple[MessageType, Schema, Schema]] = {}
        schemas = registered()
        newest = {t.name.rpartition(".")[0]: t for t in MESSAGE_TYPES}
        for schema_id, (name, schema) in schemas.items():
            if schema_id not in self._by_id:
                message_type = newest[name.rpartition(".")[0]]
                reader = parse_schema(plain(schemas[message_type.schema_id][1]))
                self._older[schema_id] = (message_type, parse_schema(plain(schema)), reader)

    def encode(self, envelope: Envelope, message: Any) -> bytes:
        """Return the framed value.

        Raises: KeyError for a struct that is no message, OverflowError or ValueError for a value
                that its type cannot hold: bugs of the caller.
        """
        frame, write = self._frames[type(message)]
        return b"".join((frame, write_envelope(envelope), write(message)))

    def decode(self, value: bytes) -> tuple[Envelope, Any]:
        """Return envelope and message of a framed value. Raises DecodeError."""
        if len(value) < FRAME_BYTES or value[0] != 0:
            raise DecodeError(RejectReason.BAD_MAGIC, "magic", value[:1].hex(), "00 and 4 id bytes")
        schema_id = int.from_bytes(value[1:FRAME_BYTES], "big")
        message_type = self._by_id.get(schema_id)
        if message_type is None:
            return self._decode_older(schema_id, value)
        try:
            envelope, at = read_envelope(value, FRAME_BYTES)
            message, at = message_type.read(value, at)
        except BODY_ERRORS as error:
            raise _undecodable(message_type, f"{type(error).__name__} {error}") from error
        _check_end(message_type, at, value)
        return envelope, message

    def _decode_older(self, schema_id: int, value: bytes) -> tuple[Envelope, Any]:
        known = self._older.get(schema_id)
        if known is None:
            bound = "an id of schemas/registry.json"
            raise DecodeError(RejectReason.UNKNOWN_SCHEMA, "schema_id", str(schema_id), bound)
        message_type, writer, reader = known
        buffer = io.BytesIO(value)
        buffer.seek(FRAME_BYTES)
        try:
            datum: Any = schemaless_reader(buffer, writer, reader)
            envelope = envelope_from_datum(datum["envelope"])
            message = message_type.from_datum(datum)
        except BODY_ERRORS as error:
            # fastavro's words name objects by their address: a replay would read others.
            found = f"{type(error).__name__} at byte {buffer.tell()}"
            raise _undecodable(message_type, found) from error
        _check_end(message_type, buffer.tell(), value)
        try:
            self.encode(envelope, message)
        except (OverflowError, ValueError) as error:
            # fastavro reads an int of more than 32 bits, and our answer could not repeat it.
            raise _undecodable(message_type, f"{type(error).__name__} {error}") from error
        return envelope, message


def _undecodable(message_type: MessageType, found: str) -> DecodeError:
    bound = "a body of that schema"
    return DecodeError(RejectReason.BODY_UNDECODABLE, message_type.name, found, bound)


def _check_end(message_type: MessageType, at: int, value: bytes) -> None:
    if at != len(value):
        end = f"ends at byte {at} of {len(value)}"
        raise DecodeError(RejectReason.BODY_UNDECODABLE, message_type.name, end, "the same")
