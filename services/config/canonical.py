"""The one text of a definition, and its hash."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from schemas.messages.core import DefinitionHash
from services.config.concerns import subject_of

__all__ = ["canonical", "hash_of", "hashes", "total"]


def canonical(message: Any) -> str:
    """Return JSON with sorted keys and no spaces, without the instant that puts it in force."""
    content = msgspec.to_builtins(message)
    content.pop("effective_ns", None)
    return msgspec.json.encode(content, order="sorted").decode()


def hash_of(message: Any) -> str:
    """Return SHA-256 of the canonical text, hex."""
    return sha256(canonical(message).encode()).hexdigest()


def hashes(messages: Iterable[Any]) -> tuple[DefinitionHash, ...]:
    """Return each definition's kind, subject and hash, in order."""
    return tuple(
        DefinitionHash(
            kind=type(message).__name__, subject=subject_of(message), sha256=hash_of(message)
        )
        for message in messages
    )


def total(messages: Iterable[Any]) -> str:
    """Return SHA-256, hex, over the lines `kind subject hash` of a whole configuration."""
    lines = "".join(f"{each.kind} {each.subject} {each.sha256}\n" for each in hashes(messages))
    return sha256(lines.encode()).hexdigest()
