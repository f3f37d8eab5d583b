"""The checker over days of the real engine: clean when the engine is right, whatever venues do."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from schemas.messages.allocation import FillAllocated
from schemas.messages.core import AllocationEntry
from schemas.messages.routing import ChildPlaced, FillBooked
from services.audit import CheckReport, check_records
from streams.core.errors import DecodeError
from tests.support.audit_log import Batch, written
from tests.support.day import Day
from tests.support.shard_host import ListHost


def recorded(
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    *,
    is_calm: bool,
    definitions: Sequence[Any] = (),
) -> list[Batch]:
    """Return a day's batches with everything that each of them read."""
    inputs: list[list[Any]] = [[]]
    put, step = ListHost.put, ListHost.step

    def noting_put(host: ListHost, topic: str, *messages: Any, **where: Any) -> None:
        assert not any(isinstance(message, DecodeError) for message in messages)
        inputs[-1] += [(topic, message) for message in messages]
        put(host, topic, *messages, **where)

    def noting_step(host: ListHost, now_ns: int | None = None) -> list[Any]:
        inputs.append([])
        return step(host, now_ns)

    monkeypatch.setattr(ListHost, "put", noting_put)
    monkeypatch.setattr(ListHost, "step", noting_step)
    day = Day(seed, is_calm=is_calm, definitions=definitions)
    day.run()
    return [
        Batch(
            inputs=read,
            outputs=[(event.topic, event.message) for event in batch.outputs],
            causes=[cause(event.envelope.causation_id) for event in batch.outputs],
            now_ns=batch.journal.now_ns,
            mode=batch.journal.mode,
            times=[times(inbound.envelope) for inbound in sent],
        )
        for read, batch, sent in zip(inputs, day.host.batches, day.host.inputs, strict=False)
    ]


def times(envelope: Any) -> tuple[int, int]:
    return envelope.source_ns, envelope.at_ns


def cause(causation_id: bytes) -> bytes:
    """Return the cause if it is an input; events have other ids in the log written here."""
    return causation_id if causation_id.startswith(b"in") else bytes(16)


def checked(batches: list[Batch]) -> CheckReport:
    return check_records(written(batches, first_input=1))


def own_findings(report: CheckReport) -> list[str]:
    """Return all but the prices: the model venue trades at one price, limits or not."""
    return [str(finding) for finding in report.findings if finding.code != "VENUE_PRICE"]


@pytest.mark.parametrize("seed", range(3))
def test_a_calm_day_of_the_engine_is_clean(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    report = checked(recorded(monkeypatch, seed, is_calm=True))
    assert own_findings(report) == []
    assert report.orders > 100
    assert report.filled_quantity == report.allocated_quantity > 0


@pytest.mark.parametrize("seed", range(100, 106))
def test_a_wild_day_of_the_engine_is_clean(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    report = checked(recorded(monkeypatch, seed, is_calm=False))
    assert own_findings(report) == []
    assert report.fills > 60


def replaced(batches: list[Batch], kind: type[Any], nth: int, **fields: Any) -> None:
    """Change the nth message of that kind that the engine wrote."""
    places = [
        (batch, i)
        for batch in batches
        for i, (_, message) in enumerate(batch.outputs)
        if isinstance(message, kind)
    ]
    batch, i = places[nth]
    topic, message = batch.outputs[i]
    batch.outputs[i] = (topic, msgspec.structs.replace(message, **fields))


@pytest.mark.parametrize("nth", [0, 10, 50])
def test_one_wrong_number_in_a_real_day_is_found(monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    good = recorded(monkeypatch, 100, is_calm=False)

    def found(kind: type[Any], **fields: Any) -> set[str]:
        batches = [msgspec.structs.replace(b, outputs=list(b.outputs)) for b in good]
        replaced(batches, kind, nth, **fields)
        return set(checked(batches).codes)

    assert "CONSERVATION_CASH" in found(FillBooked, cash_e9=1)
    assert "EXPOSURE" in found(ChildPlaced, quantity=10**6)
    stranger = (AllocationEntry(order_id="O-none", quantity=1, cumulative_quantity=1),)
    assert {"LINEAGE", "CONSERVATION_SHARES"} <= found(FillAllocated, entries=stranger)
