"""Records of the log as the checker reads them: fastavro with the .avsc files, nothing of ours."""

import io
from typing import Any, NamedTuple

from fastavro import parse_schema, schemaless_reader
from fastavro.types import Schema

from schemas.avro import plain, registered

__all__ = ["Entry", "Partition", "RawRecord", "Reader", "cash"]

FRAME_BYTES = 5
# Bodies that no law of the checker looks at; their envelopes are read all the same.
LOOKED_AT = {"market.BookUpdated": 4}  # envelope, venue, instrument, state; levels when asked
ENVELOPE_ONLY = frozenset(
    {
        "intake.NewOrder",
        "intake.CancelOrder",
        "intake.ReplaceOrder",
        "market.TradePrinted",
        "market.Watermark",
        "routing.RouteDecided",
        "scorecard.FillsMarked",
        "scorecard.InstrumentBucketed",
        "scorecard.VenueScored",
        "strategy.ParentRecalibrated",
        "strategy.ScheduleSet",
        "strategy.VolumeForecast",
    }
)


class Partition(NamedTuple):
    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.number}]"


class RawRecord(NamedTuple):
    """A committed record as it stands in the log."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


class Entry(NamedTuple):
    """A record with its meaning; `name` is empty when it has none."""

    raw: RawRecord
    name: str  # context.Name
    envelope: dict[str, Any]
    message: dict[str, Any]

    def __str__(self) -> str:
        at = f"{self.raw.topic}[{self.raw.partition}]@{self.raw.offset}"
        if not self.name:
            return at
        return f"{at} seq {self.envelope['seq']} index {self.envelope['index']}"

    @property
    def partition(self) -> Partition:
        return Partition(self.raw.topic, self.raw.partition)


class Reader:
    """Decodes by schema id; cash stays the bytes of its unscaled number (see `cash`)."""

    def __init__(self) -> None:
        self._schemas: dict[int, tuple[str, Schema]] = {}
        for schema_id, (full, schema) in registered().items():
            name = full.rpartition(".")[0]
            whole = plain(schema)
            looked_at = whole["fields"][: 1 if name in ENVELOPE_ONLY else LOOKED_AT.get(name)]
            self._schemas[schema_id] = (name, parse_schema(whole | {"fields": looked_at}))
            if name == "market.BookUpdated":
                self._book = parse_schema(whole)

    def read(self, raw: RawRecord) -> Entry:
        """Return the entry; without a name when the bytes are no message."""
        value = raw.value
        known = self._schemas.get(int.from_bytes(value[1:FRAME_BYTES], "big"))
        if known is None or value[:1] != b"\x00":
            return Entry(raw, "", {}, {})
        name, schema = known
        buffer = io.BytesIO(value)
        buffer.seek(FRAME_BYTES)
        try:
            message: Any = schemaless_reader(buffer, schema, None)
        except (EOFError, IndexError, KeyError, TypeError, ValueError):
            return Entry(raw, "", {}, {})
        is_whole = name not in ENVELOPE_ONLY and name not in LOOKED_AT
        if is_whole and buffer.tell() != len(value):
            return Entry(raw, "", {}, {})
        return Entry(raw, name, message["envelope"], message)

    def book(self, value: bytes) -> dict[str, Any]:
        """Return the whole of a BookUpdated."""
        datum: Any = schemaless_reader(io.BytesIO(value[FRAME_BYTES:]), self._book, None)
        return dict(datum)


def cash(unscaled: bytes) -> int:
    """Return 1e-9 currency units of a decimal's bytes."""
    return int.from_bytes(unscaled, "big", signed=True)
