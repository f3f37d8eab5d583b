"""Who may use how much of a limit that several shards share: the coordinator's decision.

A shard starts with an equal part of every shared limit. What the coordinator grants it, and what
it gives back, are differences, so that records of several topics may be read in any order: the
sum of all differences is never above zero, and the parts never sum to more than the limit, under
whichever version of the limits each shard happens to be.
"""

from typing import Any

import msgspec

from schemas.messages.core import LimitScope
from schemas.messages.risk import LeaseGranted, LeaseRecalled, LeaseReduced, LeaseRequested

__all__ = ["Book", "LeaseCommand", "answer", "see"]

LeaseCommand = LeaseGranted | LeaseRecalled
Key = tuple[str, str, str]  # limit_id, scope, subject


class Asked(msgspec.Struct):
    """A shard's request that is not answered yet."""

    shard: int
    amount_e9: int
    lease: Key


class Book(msgspec.Struct):
    """What the coordinator has read. It comes to the same in every order of the two topics."""

    partitions: int
    free_e9: dict[Key, int] = {}  # given back and not granted again
    waiting: dict[bytes, Asked] = {}  # by request, in the order read
    granted: set[bytes] = set()  # requests with an answer
    grants: set[str] = set()
    recalls: dict[bytes, dict[str, None]] = {}  # by request: recalls that were made for it
    answered: set[str] = set()  # recalls with an answer


def see(book: Book, message: Any, event_id: bytes, shard: int) -> None:
    """Take in one record; one that was seen before changes nothing."""
    match message:
        case LeaseRequested():
            if event_id not in book.granted and event_id not in book.waiting:
                book.waiting[event_id] = Asked(shard, message.amount_e9, _key(message))
        case LeaseReduced():
            if message.recall_id not in book.answered:
                book.answered.add(message.recall_id)
                _add(book, _key(message), message.amount_e9)
        case LeaseGranted():
            if message.grant_id not in book.grants:
                book.grants.add(message.grant_id)
                book.granted.add(message.request_id)
                book.waiting.pop(message.request_id, None)
                _add(book, _key(message), -message.amount_e9)
        case LeaseRecalled():
            book.recalls.setdefault(message.request_id, {})[message.recall_id] = None
        case _:
            pass


def answer(book: Book) -> tuple[LeaseCommand, ...]:
    """Return what is to be said to the oldest request that something can be said to; () if none.

    From what is free it gets what it asks for or all there is. Else every other shard is asked,
    once for the request, to give back what it can spare. When nobody could, it gets nothing, and
    the shard may ask again. The caller records the answer, shows it to `see` and asks again.
    """
    for request_id, asked in book.waiting.items():
        free_e9 = book.free_e9.get(asked.lease, 0)
        made = book.recalls.get(request_id)
        if free_e9 > 0 or (made is not None and book.answered.issuperset(made)):
            return (_grant(request_id, asked, min(max(free_e9, 0), asked.amount_e9)),)
        if made is None:
            return tuple(
                _recall(request_id, asked, shard)
                for shard in range(book.partitions)
                if shard != asked.shard
            )
    return ()


def _grant(request_id: bytes, asked: Asked, amount_e9: int) -> LeaseGranted:
    limit_id, scope, subject = asked.lease
    return LeaseGranted(
        grant_id=f"{request_id.hex()}.grant",
        limit_id=limit_id,
        scope=LimitScope(scope),
        subject=subject,
        shard=asked.shard,
        amount_e9=amount_e9,
        request_id=request_id,
    )


def _recall(request_id: bytes, asked: Asked, shard: int) -> LeaseRecalled:
    limit_id, scope, subject = asked.lease
    return LeaseRecalled(
        recall_id=f"{request_id.hex()}.recall.{shard}",
        limit_id=limit_id,
        scope=LimitScope(scope),
        subject=subject,
        shard=shard,
        amount_e9=asked.amount_e9,
        request_id=request_id,
    )


def _add(book: Book, key: Key, amount_e9: int) -> None:
    book.free_e9[key] = book.free_e9.get(key, 0) + amount_e9


def _key(message: Any) -> Key:
    return message.limit_id, message.scope.value, message.subject
