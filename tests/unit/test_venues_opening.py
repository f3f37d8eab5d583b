"""A standing market opens when its definitions are there, and not before."""

from schemas.messages.control import CrossingDeclared
from services.venues.opening import OpeningInbox
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.runtime.ports import Batch, Resume
from tests.support.memory_shard import CODEC, shard_log

NEXT = Batch((), (), 0, 0, 1)


class ReadyInbox:
    """Implements ports.Inbox: has a step at any time."""

    def start(self, resume: Resume) -> None:
        pass

    def take(self, wait_ms: int) -> Batch | None:
        return NEXT

    def close(self) -> None:
        pass


def definition(tenant: str) -> CrossingDeclared:
    return CrossingDeclared(
        declaration_id="d",
        tenant=tenant,
        is_allowed=True,
        quote_age_max_ns=1,
        spread_max_bps=1,
    )


def define(log: MemoryLog, tenant: str) -> None:
    value = CODEC.encode(outside_envelope(bytes(16), 0, "desk"), definition(tenant))
    log.append(topics.CONTROL_COMMANDS, 0, b"", value)


def opening(log: MemoryLog, step: int = 0) -> OpeningInbox:
    inbox = OpeningInbox(ReadyInbox(), log, CODEC, [definition("a"), definition("b")])
    inbox.start(Resume({}, 0, 0, step))
    return inbox


def test_it_opens_when_the_last_definition_is_published() -> None:
    log = shard_log()
    inbox = opening(log)
    assert inbox.take(0) is None
    define(log, "a")
    log.append(topics.CONTROL_COMMANDS, 0, b"", b"no frame of ours")
    define(log, "of somebody else")
    assert inbox.take(0) is None
    define(log, "b")
    assert inbox.take(0) is NEXT
    assert inbox.take(0) is NEXT


def test_a_definition_published_twice_is_not_two() -> None:
    log = shard_log()
    inbox = opening(log)
    define(log, "a")
    define(log, "a")
    assert inbox.take(0) is None


def test_a_day_under_way_is_open() -> None:
    assert opening(shard_log(), step=3).take(0) is NEXT
