"""Damaged bytes: the codec answers with a coded DecodeError, soon, and with nothing else."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.avro import registry
from schemas.messages.core import Envelope, RejectReason
from streams.adapters.codec import FRAME_BYTES, AvroCodec
from streams.core.errors import DecodeError
from tests.support.arbitrary import BY_NAME, EVENTS

CODEC = AvroCodec()
GIANT = bytes.fromhex("feffffffffffffffff01")  # the long 2^63 - 1
SECONDS_MAX = 0.5  # of one decode; a loop over a giant count would never end


def reason_of(value: bytes) -> RejectReason | None:
    started = time.perf_counter()
    try:
        CODEC.decode(value)
    except DecodeError as error:
        return error.reason
    finally:
        assert time.perf_counter() - started < SECONDS_MAX
    return None


def test_other_bytes_are_no_frame() -> None:
    for value in (b"", b"\x00", b"\x00\x00\x00\x00", b"\x01\x00\x00\x00\x64rest", b'{"a": 1}'):
        assert reason_of(value) == RejectReason.BAD_MAGIC


@given(st.integers(0, (1 << 32) - 1), st.binary(max_size=50))
def test_an_id_outside_the_registry_is_unknown(schema_id: int, body: bytes) -> None:
    known = set(registry().values())
    reason = reason_of(b"\x00" + schema_id.to_bytes(4, "big") + body)
    assert (reason == RejectReason.UNKNOWN_SCHEMA) == (schema_id not in known)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_truncated_and_prolonged_bodies_are_refused(name: str) -> None:
    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(EVENTS[name], st.data(), st.binary(min_size=1, max_size=4))
    def law(event: tuple[Envelope, Any], data: st.DataObject, rest: bytes) -> None:
        value = CODEC.encode(*event)
        end = data.draw(st.integers(FRAME_BYTES, len(value) - 1))
        assert reason_of(value[:end]) == RejectReason.BODY_UNDECODABLE
        assert reason_of(value + rest) == RejectReason.BODY_UNDECODABLE

    law()


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_no_damage_leads_to_another_error_or_a_hang(name: str) -> None:
    """Overwrites, inserts and giant numbers anywhere: decoded, or refused as undecodable."""

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(EVENTS[name], st.data())
    def law(event: tuple[Envelope, Any], data: st.DataObject) -> None:
        value = bytearray(CODEC.encode(*event))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(FRAME_BYTES, len(value) - 1))
            patch = data.draw(st.just(GIANT) | st.just(b"\xff" * 12) | st.binary(max_size=12))
            taken = data.draw(st.integers(0, 12))
            value[at : at + taken] = patch
            value.extend(b"\x00" * (FRAME_BYTES + 1 - len(value)))
        assert reason_of(bytes(value)) in (None, RejectReason.BODY_UNDECODABLE)

    law()


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_random_bodies_lead_to_no_other_error(name: str) -> None:
    frame = b"\x00" + BY_NAME[name].schema_id.to_bytes(4, "big")

    @settings(max_examples=30, deadline=None)
    @given(st.binary(max_size=400) | st.binary(max_size=40).map(lambda b: b[:30] + GIANT * 20))
    def law(body: bytes) -> None:
        assert reason_of(frame + body) in (None, RejectReason.BODY_UNDECODABLE)

    law()
