"""The codec against its reference: fastavro with the schemas as they stand."""

import io
from decimal import Context, Decimal
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.avro import resolved
from schemas.golden import jsonable
from schemas.messages.core import Envelope, envelope_to_datum
from schemas.messages.routing import FillBooked
from streams.adapters.codec import FRAME_BYTES, AvroCodec
from tests.support.arbitrary import BY_NAME, EVENTS, SCHEMAS

CODEC = AvroCodec()
REFERENCE = {name: parse_schema(SCHEMAS[t.schema_id][1]) for name, t in BY_NAME.items()}
FILL_BOOKED = next(name for name in EVENTS if name.startswith("routing.FillBooked."))
EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_decimals(kind: Any, value: Any) -> Any:
    """Return a datum with its unscaled cash bytes as Decimals, as fastavro wants them."""
    match kind:
        case {"logicalType": "decimal"}:
            return Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-9, Context(prec=40))
        case {"type": "array", "items": items}:
            return [with_decimals(items, item) for item in value]
        case {"type": "record", "fields": fields}:
            return {f["name"]: with_decimals(f["type"], value[f["name"]]) for f in fields}
    return value


def reference_bytes(name: str, envelope: Envelope, message: Any) -> bytes:
    message_type = BY_NAME[name]
    datum = {"envelope": envelope_to_datum(envelope)} | message_type.to_datum(message)
    buffer = io.BytesIO()
    exact = with_decimals(resolved(SCHEMAS[message_type.schema_id][1]), datum)
    schemaless_writer(buffer, REFERENCE[name], exact)
    return b"\x00" + message_type.schema_id.to_bytes(4, "big") + buffer.getvalue()


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_message_survives_the_wire_and_has_the_bytes_of_the_reference(name: str) -> None:
    @EXAMPLES
    @given(EVENTS[name])
    def law(event: tuple[Envelope, Any]) -> None:
        value = CODEC.encode(*event)
        assert CODEC.decode(value) == event
        assert value == reference_bytes(name, *event)

    law()


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_field_comes_back_with_its_own_type(name: str) -> None:
    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(EVENTS[name])
    def law(event: tuple[Envelope, Any]) -> None:
        envelope, message = CODEC.decode(CODEC.encode(*event))
        for field in message.__struct_fields__:
            assert type(getattr(message, field)) is type(getattr(event[1], field)), field
        assert jsonable(envelope) == jsonable(event[0])

    law()


@given(EVENTS[FILL_BOOKED], st.integers(-(10**38) + 1, 10**38 - 1))
@settings(max_examples=50, deadline=None)
def test_cash_is_exact_for_other_readers_of_the_topic(
    event: tuple[Envelope, FillBooked], cash_e9: int
) -> None:
    envelope, fill = event
    message = FillBooked(
        **{f: getattr(fill, f) for f in fill.__struct_fields__} | {"cash_e9": cash_e9}
    )
    body = io.BytesIO(CODEC.encode(envelope, message)[FRAME_BYTES:])
    datum: Any = schemaless_reader(body, REFERENCE[FILL_BOOKED], None)
    assert datum["cash_e9"].scaleb(9, Context(prec=40)) == cash_e9


@given(EVENTS[FILL_BOOKED])
@settings(max_examples=5, deadline=None)
def test_cash_of_39_digits_and_a_long_of_65_bits_are_refused(
    event: tuple[Envelope, FillBooked],
) -> None:
    envelope, fill = event
    fields = {f: getattr(fill, f) for f in fill.__struct_fields__}
    for name, value in (("cash_e9", 10**38), ("price_e9", 1 << 63), ("epoch", 1 << 31)):
        with pytest.raises(OverflowError, match=str(value)):
            CODEC.encode(envelope, FillBooked(**fields | {name: value}))


def test_blocks_with_sizes_as_java_writes_them_are_read() -> None:
    """Avro allows an array as several blocks, each negative count followed by its byte size."""
    name = "netting.ParentHeld.v2"
    message_type = BY_NAME[name]
    one = reference_bytes(name, *_held(message_type.struct, ("A", "B")))
    plain = b"\x04" + b"\x02A" + b"\x02B" + b"\x00"
    blocks = b"\x01" + b"\x04" + b"\x02A" + b"\x02" + b"\x02B" + b"\x00"
    assert one.count(plain) == 1
    assert CODEC.decode(one.replace(plain, blocks)) == CODEC.decode(one)


def _held(struct: type[Any], order_ids: tuple[str, ...]) -> tuple[Envelope, Any]:
    from schemas.messages.core import Cause

    envelope = Envelope(
        event_id=b"e" * 16,
        shard=0,
        seq=1,
        index=2,
        topic_seq=3,
        at_ns=4,
        source_ns=5,
        actor="engine",
        causation_id=b"c" * 16,
        correlation_id="P1",
    )
    return envelope, struct(parent_id="P1", order_ids=order_ids, cause=Cause.CLIENT)
