"""Fit the impact model as parents close; what is used and remembered stands in the fit itself."""

from typing import Final

from schemas.messages.core import TopicPosition
from schemas.messages.netting import ParentClosed
from schemas.messages.plans import ImpactFitted
from services.planner.frames import Frames
from services.planner.observations import KINDS, Parents
from streams.core.topics import AGGREGATIONS_EVENTS, FILLS_EVENTS, STRATEGIES_EVENTS
from streams.models.impact_fit import HALF_LIFE, Fit, fit_of, told
from streams.runtime.ports import Codec, Log, Record, TopicPartition

__all__ = ["Fitter", "fit_log"]

READ: Final = (AGGREGATIONS_EVENTS, STRATEGIES_EVENTS, FILLS_EVENTS)
RECORDS: Final = 5_000
POLL_MS: Final = 50  # where nothing else waits meanwhile
NEVER: Final = 1 << 60


class Fitter:
    """Reads events of parents from their beginning; uses those behind the newest fit.

    Topics are read apart, so a parent that closed is used once all that was committed by then has
    been read.
    """

    def __init__(
        self,
        log: Log,
        codec: Codec,
        newest: ImpactFitted | None,
        *,
        every: int,
        half_life: int = HALF_LIFE,
    ) -> None:
        self._log = log
        self._codec = codec
        self._frames = Frames(KINDS)
        self._every = every
        self._parents = Parents()
        self._fit = Fit(half_life=half_life) if newest is None else fit_of(newest)
        self._ordinal = 0 if newest is None else newest.ordinal
        used = () if newest is None else newest.positions
        self._used = {TopicPartition(each.topic, each.partition): each.position for each in used}
        # Closed parents and where they stand; the older ones wait for `until` to be read.
        self._new_closed: list[tuple[str, TopicPartition, int]] = []
        self._closed: list[tuple[str, TopicPartition, int]] = []
        self._until: dict[TopicPartition, int] = {}
        self._new = 0  # parents used since the newest fit
        self._places = [
            TopicPartition(topic, number)
            for topic in READ
            for number in range(log.partitions(topic))
        ]
        self._reader = log.reader()
        self._reader.assign({place: log.start_offset(place) for place in self._places})

    def turn(self, wait_ms: int = 0) -> ImpactFitted | None:
        """Read what is there; return a new fit when enough parents have closed since the last."""
        for record in self._reader.poll(RECORDS, wait_ms):
            self._see(record)
        if not self._closed and self._new_closed:
            self._closed, self._new_closed = self._new_closed, []
            self._until = {place: self._log.stable_offset(place) for place in self._places}
        if not self._closed or any(
            self._reader.position(place) < end for place, end in self._until.items()
        ):
            return None
        closed, self._closed = self._closed, []
        for parent_id, place, offset in closed:
            observation = self._parents.close(parent_id)
            if observation is not None and offset >= self._used.get(place, 0):
                self._fit = self._fit.update(observation)
                self._used[place] = offset + 1
                self._new += 1
        if self._new < self._every:
            return None
        self._new = 0
        self._ordinal += 1
        positions = tuple(
            TopicPosition(topic=place.topic, partition=place.partition, position=position)
            for place, position in sorted(self._used.items())
        )
        message = told(self._fit, self._ordinal, positions)
        self._fit = fit_of(message)  # what a planner that comes after us will know
        return message

    def now(self) -> ImpactFitted:
        """Return the fit as it stands, published or not."""
        return told(self._fit, self._ordinal + (self._new > 0), ())

    def is_read(self) -> bool:
        """Return whether all that is committed has been read and used."""
        return not (self._closed or self._new_closed) and all(
            self._reader.position(place) >= self._log.stable_offset(place) for place in self._places
        )

    def close(self) -> None:
        self._reader.close()

    def _see(self, record: Record) -> None:
        if not self._frames.is_one(record.value):
            return
        envelope, message = self._codec.decode(record.value)
        if isinstance(message, ParentClosed):
            place = TopicPartition(record.topic, record.partition)
            self._new_closed.append((message.parent_id, place, record.offset))
        else:
            self._parents.see(message, envelope.at_ns)


def fit_log(log: Log, codec: Codec, half_life: int) -> ImpactFitted:
    """Return the fit of every parent of a log that has closed; nothing is written."""
    fitter = Fitter(log, codec, None, every=NEVER, half_life=half_life)
    try:
        while not fitter.is_read():
            fitter.turn(POLL_MS)
        return fitter.now()
    finally:
        fitter.close()
