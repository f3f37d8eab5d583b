"""Fuzz the decoder: `python -m tests.fuzz.decoder SECONDS [SEED]`; tests/fuzz/guided.py is better.

Bytes are decoded or refused with
DecodeError, soon, and always in the same words; what is decoded is written and read as equal.
"""

import json
import random
import sys
import time
from typing import Any

from schemas.golden import GOLDEN
from schemas.messages.core import RejectReason
from streams.adapters.codec import AvroCodec
from streams.core.errors import DecodeError

__all__ = ["by_chance", "check", "mutated", "seeds"]

CODEC = AvroCodec()
SECONDS_MAX = 2.0  # of one decode: a loop over a giant count would never end
REASONS = (RejectReason.BAD_MAGIC, RejectReason.UNKNOWN_SCHEMA, RejectReason.BODY_UNDECODABLE)
GIANT = bytes.fromhex("feffffffffffffffff01")  # the long 2^63 - 1
PATCHES = (GIANT, b"\xff" * 12, b"\x00", b"\x01", b"\x7e", b"\x80" * 9, b"\xff\xff\xff\xff\x0f")


def seeds() -> list[bytes]:
    """Return the golden bytes of every released version."""
    files = [json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))]
    return [bytes.fromhex(sample["hex"]) for file in files for sample in file.values()]


def check(value: bytes) -> bool:
    """Decode the bytes, tell whether they are a message; AssertionError when that is a defect."""
    started = time.perf_counter()
    try:
        event = CODEC.decode(value)
    except DecodeError as error:
        assert error.reason in REASONS
        assert _words(error) == _words(_error_of(value)), "a replay would tell something else"
        is_message = False
    else:
        assert CODEC.decode(CODEC.encode(*event)) == event
        is_message = True
    assert time.perf_counter() - started < SECONDS_MAX, f"slow: {value.hex()}"
    return is_message


def mutated(value: bytes, chance: random.Random) -> bytes:
    """Return the bytes with up to four places overwritten, cut out, or doubled."""
    made = bytearray(value)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(made))
        match chance.randint(0, 4):
            case 0:
                made[at : at + chance.randint(0, 9)] = chance.choice(PATCHES)
            case 1:
                made[at : at + chance.randint(1, 20)] = b""
            case 2:
                made[at:at] = made[at : at + chance.randint(1, 50)]
            case 3:
                made[at:at] = chance.randbytes(chance.randint(1, 8))
            case _ if at < len(made):
                made[at] ^= 1 << chance.randint(0, 7)
            case _:
                del made[at // 2 :]
    return bytes(made)


def by_chance(seconds: float, seed: int, most: int = sys.maxsize) -> tuple[int, int]:
    """Check mutants until the time is over; return how many, and how many were messages."""
    chance, known = random.Random(seed), seeds()
    count = messages = 0
    end = time.monotonic() + seconds
    while count < most and time.monotonic() < end:
        value = mutated(chance.choice(known), chance)
        messages += check(value)
        count += 1
    return count, messages


def _error_of(value: bytes) -> DecodeError:
    try:
        CODEC.decode(value)
    except DecodeError as error:
        return error
    raise AssertionError("refused once, then decoded")


def _words(error: DecodeError) -> tuple[Any, ...]:
    return error.reason, error.field, error.value, error.bound


def main() -> None:
    seconds, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count, messages = by_chance(seconds, seed)
    sys.stdout.write(f"decoder: {count} records, {messages} of them messages, no defect\n")


if __name__ == "__main__":
    main()
