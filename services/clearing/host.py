"""Join clearing to a log: application, inbox and loop."""

from services.clearing.application import ENGINE_TOPICS, Clearing
from streams.adapters.clock import WallClock
from streams.runtime.host import ShardHost
from streams.runtime.journal_inbox import JournalInbox
from streams.runtime.observer import NOBODY, Observer
from streams.runtime.ports import Clock, Codec, Log
from streams.runtime.settings import HostSettings

__all__ = ["clearing_host"]


def clearing_host(
    log: Log,
    codec: Codec,
    settings: HostSettings,
    *,
    partitions: int,
    clearer_id: str,
    clock: Clock | None = None,
    inbox: JournalInbox | None = None,
    observer: Observer = NOBODY,
) -> ShardHost:
    """Return the loop of clearing over every shard. `inbox`: one that the caller asks things."""
    wall = clock or WallClock()
    return ShardHost(
        log,
        codec,
        settings,
        make_application=lambda: Clearing(partitions, clearer_id),
        inbox=inbox or JournalInbox(log, codec, settings, ENGINE_TOPICS, wall),
        clock=wall,
        observer=observer,
    )
