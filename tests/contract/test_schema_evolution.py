"""A second version of a message: old bytes are read as the new struct, by the codec's own path."""

import json
from typing import Any

import pytest

import streams.adapters.codec as module
from schemas.avro import registered
from schemas.golden import GOLDEN, jsonable
from schemas.messages.core import RejectReason
from schemas.messages.index import MESSAGE_TYPES
from schemas.messages.intake import NewOrder
from streams.adapters.codec import AvroCodec
from streams.core.errors import DecodeError

OLD_ID = 9999


def codec_with_an_older_new_order(monkeypatch: pytest.MonkeyPatch) -> AvroCodec:
    """Return a codec that knows a v0 of NewOrder without `desk_id`, which has a default since."""
    schemas = dict(registered())
    newest_id, name = next((t.schema_id, t.name) for t in MESSAGE_TYPES if t.struct is NewOrder)
    newest = json.loads(json.dumps(schemas[newest_id][1]))
    first = next(schema for title, schema in schemas.values() if title == "intake.NewOrder.v1")
    older = json.loads(json.dumps(first))
    older["fields"] = [f for f in older["fields"] if f["name"] != "desk_id"]
    next(f for f in newest["fields"] if f["name"] == "desk_id")["default"] = "none"
    schemas[newest_id] = (name, newest)
    schemas[OLD_ID] = ("intake.NewOrder.v0", older)
    monkeypatch.setattr(module, "registered", lambda: schemas)
    return AvroCodec()


def old_bytes() -> tuple[dict[str, Any], bytes]:
    record = json.loads((GOLDEN / "intake.NewOrder.v1.json").read_text())["typical"]
    desk = record["value"]["message"]["desk_id"].encode()
    value = bytes.fromhex(record["hex"])
    without = value.replace(bytes([2 * len(desk)]) + desk, b"")
    return record["value"], b"\x00" + OLD_ID.to_bytes(4, "big") + without[5:]


def test_an_older_version_is_resolved_to_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, value = old_bytes()
    envelope, message = codec_with_an_older_new_order(monkeypatch).decode(value)
    assert jsonable(envelope) == expected["envelope"]
    since = {"currency": "", "expire_ns": 0, "is_short_sale": False, "constraints": None}
    decoded = jsonable(message)
    assert decoded == decoded | expected["message"] | {"desk_id": "none"} | since


def test_damage_to_an_older_version_is_coded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = codec_with_an_older_new_order(monkeypatch)
    _, value = old_bytes()
    for damaged in (value[:-1], value + b"\x00", value[:40], value[:5]):
        with pytest.raises(DecodeError) as caught:
            codec.decode(damaged)
        assert caught.value.reason == RejectReason.BODY_UNDECODABLE
