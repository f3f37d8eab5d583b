"""What the scorecard remembers: cells of venues, children on their way, marks that are due."""

import msgspec

from streams.core.proposals import Proposal
from streams.scorecard.curve import Curve
from streams.scorecard.estimate import Mean
from streams.scorecard.model import VenueModel
from streams.scorecard.sketch import Sketch
from streams.scorecard.tails import Tail

__all__ = [
    "FILL_HORIZONS_NS",
    "MARKOUTS_NS",
    "SENT_NS",
    "Bucket",
    "Cell",
    "EndMark",
    "FillMark",
    "Group",
    "ScorecardState",
    "Sent",
    "SentMark",
]

MS = 1_000_000
MARKOUTS_NS = tuple(ms * MS for ms in (100, 1_000, 5_000, 30_000, 60_000, 300_000))
# What a fill is marked at: the quote before it, and after each horizon.
FILL_HORIZONS_NS = (0, *MARKOUTS_NS)
SENT_NS = 5_000 * MS  # after sending: how far information went


class Cell(msgspec.Struct, array_like=True):
    """One venue, kind of order, bucket and side. Means are 1e-9 basis points unless said."""

    curve: Curve = msgspec.field(default_factory=Curve)
    age: Mean = msgspec.field(default_factory=Mean)  # of what filled, us
    rejects: Mean = msgspec.field(default_factory=Mean)  # 1e-9
    busts: Mean = msgspec.field(default_factory=Mean)  # 1e-9
    answers: Sketch = msgspec.field(default_factory=Sketch)  # ns
    effective: Mean = msgspec.field(default_factory=Mean)
    latency: Mean = msgspec.field(default_factory=Mean)
    fee: Mean = msgspec.field(default_factory=Mean)
    sent: Mean = msgspec.field(default_factory=Mean)  # drift against us after sending
    missed: Mean = msgspec.field(default_factory=Mean)
    markouts: list[Mean] = msgspec.field(default_factory=lambda: [Mean() for _ in MARKOUTS_NS])
    tail: Tail | None = None  # DARK only


class Group(msgspec.Struct, array_like=True):
    """Cells of one kind, bucket and side: what their venues showed since they were last scored."""

    fresh: int = 0  # facts
    total: int = 0
    scored_ns: int = 0


class Bucket(msgspec.Struct, array_like=True):
    """Where an instrument is scored."""

    name: str
    lot: int


class Sent(msgspec.Struct, array_like=True):
    """A child on its way. Quantities in smallest units."""

    cell: str
    instrument_id: str
    sign: int  # 1 buys, -1 sells
    quantity: int
    price_e9: int | None
    midpoint_e9: int | None  # at the decision
    placed_ns: int
    filled: int = 0
    is_answered: bool = False
    ended_ns: int = 0  # when it was canceled; 0 while it lives
    awaited: int = 0  # fills to come that the venue has counted


class FillMark(msgspec.Struct, array_like=True):
    """A fill whose quotes are awaited."""

    fill_id: str
    cell: str
    instrument_id: str
    sign: int
    at_ns: int
    price_e9: int
    weight: int  # part of the child, 1e-9
    midpoint_e9: int | None  # at the decision of the child
    is_busted: bool = False


class SentMark(msgspec.Struct, array_like=True):
    """A sending whose quote is awaited."""

    cell: str
    instrument_id: str
    sign: int
    at_ns: int
    midpoint_e9: int


class EndMark(msgspec.Struct, array_like=True):
    """An unfilled end that is told by the quote: did the market move away, or did we leave?"""

    cell: str
    instrument_id: str
    sign: int
    at_ns: int
    age_ns: int
    price_e9: int | None
    midpoint_e9: int | None
    weight: int
    is_missed: bool  # an immediate order: what did not fill was not there


class ScorecardState(msgspec.Struct):
    """The state of one shard's scorecard.

    Bounded: cells by venues, kinds, buckets and sides; children and marks by their maxima, beyond
    which nothing more is observed (`passed_over` counts it). `proposals` is a view of inputs, like
    those of limits.
    """

    facts: int = 0  # folded so far: the version of a score
    cells: dict[str, Cell] = {}
    groups: dict[str, Group] = {}
    scores: dict[str, int] = {}  # newest shrunk cost by cell, for people
    buckets: dict[str, Bucket] = {}  # by instrument
    children: dict[str, Sent] = {}
    fills: list[FillMark] = []  # by booking
    heads: list[int] = msgspec.field(default_factory=lambda: [0] * len(FILL_HORIZONS_NS))
    sent: list[SentMark] = []
    ends: list[EndMark] = []
    marked_ns: int = 0  # until when marks were made
    mark_due_ns: int = 0  # 0: nothing waits
    score_due_ns: int = 0  # 0: nothing changed enough
    passed_over: int = 0
    proposals: dict[str, Proposal] = {}
    version: int = 0  # ordinal of the model in force
    model: VenueModel | None = None
