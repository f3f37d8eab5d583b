"""Join the simulator to a log: application, inbox and loop."""

from services.venues.application import VenueSimulator
from services.venues.inbox import PacedInbox, Schedule, StepInbox
from services.venues.scenario import Day
from streams.adapters.clock import ScaledClock, WallClock
from streams.runtime.host import ShardHost
from streams.runtime.ports import Codec, Inbox, Log
from streams.runtime.settings import HostSettings

__all__ = ["is_over", "simulator_host"]


def simulator_host(
    log: Log,
    codec: Codec,
    settings: HostSettings,
    day: Day,
    *,
    partitions: int,
    speed: int = 0,
) -> ShardHost:
    """Return the loop of the day. `speed` 0 is lockstep with the engines, else times the clock."""
    schedule = Schedule(day.terms.start_ns, day.terms.step_ns, day.steps)
    inbox: Inbox
    if speed:
        clock = ScaledClock(day.terms.start_ns, speed)
        inbox = PacedInbox(log, codec, schedule, partitions, clock)
    else:
        inbox = StepInbox(log, codec, schedule, partitions)
    return ShardHost(
        log,
        codec,
        settings,
        make_application=lambda: VenueSimulator(day, partitions),
        inbox=inbox,
        clock=WallClock(),
    )


def is_over(host: ShardHost) -> bool:
    """Return whether the final watermark is journalled."""
    application = host.application
    return isinstance(application, VenueSimulator) and application.is_over
