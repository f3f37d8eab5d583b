"""Messages as a source gone wild would send them: good ones with a few fields overwritten."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from schemas.avro import registered, resolved
from schemas.messages.index import MESSAGE_TYPES
from schemas.primitives import bytes_from_cash
from tests.support.builders import ACME, CLOSE_NS, MINUTE, OPEN_NS, SECOND, TICK, TRADE_DATE

__all__ = ["Pick", "wild"]

Pick = Callable[[Sequence[Any]], Any]  # one of them, as a seed or a fuzzer says

LONG_MAX = 2**63 - 1
INT_MAX = 2**31 - 1
CASH_MAX = 10**38 - 1
# The first ones change little; a shrinking fuzzer goes there.
LONGS = (
    *(1, 0, 100, 7, 99, 101, 1_000, 10_000, 10_001, 1_000_000, 1_000_001, -1, -100),
    *(10_000 * TICK, 9_990 * TICK, 10_010 * TICK, TICK, TICK + 1, TICK // 2, 3),
    *(OPEN_NS, OPEN_NS + 9 * SECOND, OPEN_NS + 30 * MINUTE, CLOSE_NS, CLOSE_NS + 1, OPEN_NS - 1),
    *(SECOND, MINUTE, TRADE_DATE, TRADE_DATE + 1, TRADE_DATE - 1),
    *(10**12, 10**15, 10**17, LONG_MAX // TICK, LONG_MAX - 1, LONG_MAX, -LONG_MAX, -LONG_MAX - 1),
)
INTS = (1, 0, 2, -1, TRADE_DATE, TRADE_DATE + 1, TRADE_DATE - 1, INT_MAX, -INT_MAX - 1)
CASH = (1, 0, -1, 10**9, 10**18, CASH_MAX, -CASH_MAX)
TEXTS = (
    *("c1", "c2", "c3", "A1", "A2", "V1", "V2", ACME, "T1", "OMS", "C1", "DESK", "B1", "K1"),
    *("", "?", "T2", "X", "p1", "TWAP", "BUY", "EUR", "USD", "L1", "A9"),
    *("x\0y", "\u202egnp", "\u200b", "é" * 64, "z" * 65, "a" + "\u0301" * 500, "\U0001f4a3"),
)
HOW_MANY = (0, 0, 0, 0, 1, 1, 1, 2, 3)
TYPES = {message_type.struct: message_type for message_type in MESSAGE_TYPES}


def wild(message: Any, pick: Pick) -> Any:
    """Return the message with up to three of its fields overwritten by what the wire can hold."""
    message_type = TYPES[type(message)]
    fields = _fields(message_type.schema_id)
    datum = message_type.to_datum(message)
    for _ in range(pick(HOW_MANY)):
        field = pick(fields)
        datum[field["name"]] = _value(field["type"], datum[field["name"]], pick)
    return message_type.from_datum(datum)


@cache
def _fields(schema_id: int) -> list[Any]:
    fields: list[Any] = resolved(registered()[schema_id][1])["fields"][1:]  # without the envelope
    return fields


def _value(kind: Any, old: Any, pick: Pick) -> Any:  # noqa: PLR0911 one per kind of type
    """Return another value of the type; parts of the old one may stay."""
    match kind:
        case "string":
            return pick(TEXTS)
        case "int":
            return pick(INTS)
        case "long":
            return pick(LONGS)
        case "boolean":
            return pick((False, True))
        case "bytes":
            return pick((b"", b"x" * 16))
        case {"logicalType": "decimal"}:
            return bytes_from_cash(pick(CASH))
        case [_, some]:
            return None if pick((True, False, False)) else _value(some, old, pick)
        case {"type": "enum", "symbols": symbols}:
            return pick(symbols)
        case {"type": "array", "items": items}:
            return _array(items, list(old or ()), pick)
        case {"type": "record", "fields": fields}:
            return _record(fields, old, pick)
        case {"type": "fixed", "size": size}:
            return pick((bytes(size), b"x" * size))
    raise AssertionError(f"{kind} is no type")


def _record(fields: Sequence[Any], old: Any, pick: Pick) -> Any:
    if not isinstance(old, dict):
        return {field["name"]: _value(field["type"], None, pick) for field in fields}
    field = pick(fields)
    return {**old, field["name"]: _value(field["type"], old[field["name"]], pick)}


def _array(items: Any, old: list[Any], pick: Pick) -> list[Any]:
    """Return it longer, shorter, turned round, with one element twice or changed."""
    match pick(("change", "add", "drop", "turn", "twice", "many")):
        case "add":
            return [*old, _value(items, None, pick)]
        case "drop":
            return old[1:]
        case "turn":
            return old[::-1]
        case "twice":
            return [*old, *old]
        case "many":
            return [*old, *[_value(items, None, pick)] * 40]
        case _:
            return [_value(items, old[0] if old else None, pick), *old[1:]]
