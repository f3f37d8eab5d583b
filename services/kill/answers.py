"""What the shards say about kills, folded by kill and shard from whatever is read of the log."""

from dataclasses import dataclass, field
from typing import Any

from schemas.messages.core import Envelope, OrderStatus
from schemas.messages.kill import (
    KillConfirmed,
    KillEngaged,
    KillFlagRaised,
    KillFlagRemoved,
    KillRefused,
    KillReleased,
    KillReleaseProposed,
)
from schemas.messages.routing import ChildCanceled, ChildRejected, FillBooked

__all__ = ["Answers", "Standing"]


@dataclass(slots=True, kw_only=True)
class Standing:
    """One kill on one shard."""

    engaged: KillEngaged
    shard: int
    at_ns: int
    place: tuple[int, int]  # seq and index of KillEngaged
    left: dict[str, int]  # children that may fill still, and how much
    flags: list[str] = field(default_factory=list)
    canceled: int = 0  # children
    proposed_by: str = ""
    approved_by: str = ""
    is_confirmed: bool = False

    @property
    def is_released(self) -> bool:
        return bool(self.approved_by)

    @property
    def live(self) -> int:
        """Return how many children venues had when it was engaged."""
        return len(self.engaged.children)

    @property
    def unconfirmed(self) -> int:
        """Return how many of them may fill still, as far as has been read."""
        return 0 if self.is_confirmed else len(self.left)


class Answers:
    """Feed it records in any interleaving of partitions, each partition in offset order."""

    def __init__(self) -> None:
        self.standing: dict[tuple[str, int], Standing] = {}  # by kill and shard
        self.refused: dict[tuple[str, int], KillRefused] = {}  # newest, by kill and shard
        self._early: dict[int, list[tuple[Envelope, Any]]] = {}  # of children, by shard

    def of(self, kill_id: str) -> list[Standing]:
        """Return the kill on each shard that has engaged it, by shard."""
        found = [each for (name, _), each in self.standing.items() if name == kill_id]
        return sorted(found, key=lambda each: each.shard)

    def take(self, envelope: Envelope, message: Any) -> None:
        """Fold one event of an engine; others are passed over."""
        match message:
            case KillEngaged():
                self._engaged(envelope, message)
            case KillRefused():
                self.refused[message.kill_id, envelope.shard] = message
            case ChildCanceled() | ChildRejected() | FillBooked():
                self._early.setdefault(envelope.shard, []).append((envelope, message))
                for each in self.standing.values():
                    self._child(each, envelope, message)
            case (
                KillConfirmed()
                | KillFlagRaised()
                | KillFlagRemoved()
                | KillReleaseProposed()
                | KillReleased()
            ):
                kill = self.standing.get((message.kill_id, envelope.shard))
                if kill is not None:
                    _follow(kill, message)

    def _engaged(self, envelope: Envelope, message: KillEngaged) -> None:
        kill = Standing(
            engaged=message,
            shard=envelope.shard,
            at_ns=envelope.at_ns,
            place=(envelope.seq, envelope.index),
            left={child.child_id: child.quantity for child in message.children},
            flags=[message.flag] if message.flag else [],
        )
        self.standing[message.kill_id, envelope.shard] = kill
        # Topics are read side by side: what became of its children may have come before it.
        for early, event in self._early.get(envelope.shard, ()):
            self._child(kill, early, event)

    def _child(
        self, kill: Standing, envelope: Envelope, event: ChildCanceled | ChildRejected | FillBooked
    ) -> None:
        if envelope.shard != kill.shard or (envelope.seq, envelope.index) < kill.place:
            return
        rest = kill.left.get(event.child_id)
        if rest is None:
            return
        match event:
            case FillBooked():
                rest -= event.quantity - event.late_quantity + event.overfill_quantity
            case ChildCanceled():
                rest = event.outstanding_quantity
                kill.canceled += rest == 0 and event.status is not OrderStatus.FILLED
            case ChildRejected():
                rest = 0
        if rest > 0:
            kill.left[event.child_id] = rest
        else:
            del kill.left[event.child_id]


def _follow(
    kill: Standing,
    message: KillConfirmed | KillFlagRaised | KillFlagRemoved | KillReleaseProposed | KillReleased,
) -> None:
    match message:
        case KillConfirmed():
            kill.is_confirmed = True
            kill.canceled = message.canceled_children
        case KillFlagRaised():
            kill.flags.append(message.flag)
        case KillFlagRemoved():
            kill.flags = [flag for flag in kill.flags if flag != message.flag]
        case KillReleaseProposed():
            kill.proposed_by = message.proposed_by
        case KillReleased():
            kill.proposed_by, kill.approved_by = message.proposed_by, message.approved_by
