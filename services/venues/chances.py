"""Seeded chance: every draw is a function of the seed and of what it is for."""

from hashlib import blake2b
from random import Random

from streams.core.ids import within_log

__all__ = ["MILLION", "chance", "draw", "stream"]

MILLION = 1_000_000


def draw(seed: int, purpose: str, subject: str | int) -> int:
    """Return 64 seeded bits for one purpose and subject; of ids, without the log's tag."""
    if isinstance(subject, str):
        subject = within_log(subject)
    text = f"{seed}/{purpose}/{subject}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def chance(seed: int, purpose: str, subject: str | int, per_million: int) -> bool:
    """Return True for about `per_million` of a million subjects."""
    return draw(seed, purpose, subject) % MILLION < per_million


def stream(seed: int, purpose: str, step: int) -> Random:
    """Return the generator of one step. It lives no longer, so no state holds a generator.

    Only its integer methods and `random()` are used: those are the same on every platform.
    """
    return Random(draw(seed, purpose, step))
