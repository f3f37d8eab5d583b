"""A state as msgpack, with integers beyond its 64 bits as text: cash of a parent in yen is one."""

from typing import Any, Final, TypeVar

import msgspec

__all__ = ["decode", "encode"]

State = TypeVar("State")

ENCODER: Final = msgspec.msgpack.Encoder()
LEAST: Final = -(2**63)
MOST: Final = 2**64 - 1


def encode(state: Any) -> bytes:
    """Return the state's bytes; dicts keep their order."""
    try:
        return ENCODER.encode(state)
    except OverflowError:  # rare, and slower: about 3 us a value
        return ENCODER.encode(_narrow(msgspec.to_builtins(state, builtin_types=(bytes,))))


def decode(data: bytes, kind: type[State]) -> State:
    """Return the state of those bytes; where it has an integer, digits as text are one too."""
    return msgspec.msgpack.decode(data, type=kind, strict=False)


def _narrow(value: Any) -> Any:
    match value:
        case dict():
            return {key: _narrow(each) for key, each in value.items()}
        case list() | tuple():
            return [_narrow(each) for each in value]
        case int() if not LEAST <= value <= MOST:
            return str(value)
        case _:
            return value
