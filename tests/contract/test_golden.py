"""Golden records: what was written once under a released version decodes for ever."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.avro import registered, registry
from schemas.golden import GOLDEN, jsonable, samples, write_missing
from schemas.messages.index import MESSAGE_TYPES
from streams.adapters.codec import AvroCodec

CODEC = AvroCodec()
FILES = sorted(GOLDEN.glob("*.json"))
NEWEST = [path for path in FILES if path.stem in {t.name for t in MESSAGE_TYPES}]


def test_every_registered_version_has_golden_records() -> None:
    assert {path.stem for path in FILES} == set(registry())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_records_decode(path: Path) -> None:
    """Fields of the version say what they said; fields added since have their defaults."""
    content: dict[str, Any] = json.loads(path.read_text())
    assert set(content) == {"typical", "extreme"}
    for record in content.values():
        envelope, message = CODEC.decode(bytes.fromhex(record["hex"]))
        assert jsonable(envelope) == record["value"]["envelope"]
        assert _as_told(jsonable(message), record["value"]["message"]) == record["value"]["message"]


def _as_told(decoded: Any, told: Any) -> Any:
    """Return `decoded` without the fields that the version did not have."""
    if isinstance(told, dict):
        return {name: _as_told(decoded[name], value) for name, value in told.items()}
    if isinstance(told, list):
        return [_as_told(item, value) for item, value in zip(decoded, told, strict=True)]
    return decoded


@pytest.mark.parametrize("path", NEWEST, ids=lambda path: path.stem)
def test_golden_records_are_what_the_codec_writes_today(path: Path) -> None:
    for record in json.loads(path.read_text()).values():
        value = bytes.fromhex(record["hex"])
        assert CODEC.encode(*CODEC.decode(value)) == value


def test_samples_reach_both_ends_of_every_kind_of_field() -> None:
    schema = next(s for name, s in registered().values() if name == "allocation.CashAllocated.v1")
    found = samples(schema)
    assert len(found["typical"]["entries"]) == 2
    assert found["extreme"]["entries"] == []
    assert int.from_bytes(found["extreme"]["cash_e9"], "big", signed=True) == 1 - 10**38


def test_only_missing_golden_records_are_written(tmp_path: Path) -> None:
    assert set(write_missing(tmp_path, CODEC.encode)) == {t.name for t in MESSAGE_TYPES}
    kept = tmp_path / "intake.NewOrder.v1.json"
    kept.write_text("{}")
    (tmp_path / "intake.CancelOrder.v1.json").unlink()
    assert write_missing(tmp_path, CODEC.encode) == ["intake.CancelOrder.v1"]
    assert kept.read_text() == "{}"
