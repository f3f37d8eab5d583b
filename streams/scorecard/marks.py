"""Marks: which quotes are awaited, when, and what they say once they are there.

Every queue is in order of booking, so that what is due next stands at its head. Instants are
rounded up to a grid, coarser the longer the horizon, so that fills of one moment share a quote.
"""

from typing import Final

from schemas.messages.scorecard import FillsMarked
from streams.scorecard.estimate import E9
from streams.scorecard.state import (
    FILL_HORIZONS_NS,
    SENT_NS,
    Cell,
    EndMark,
    FillMark,
    Group,
    ScorecardState,
)

__all__ = [
    "COALESCE_NS",
    "bps_e9",
    "due_marks",
    "fill_due_ns",
    "fold_marks",
    "is_due",
    "sent_due_ns",
    "wake_by",
]

# Least time between two FillsMarked: quotes are looked up as they stood, so waiting costs nothing.
COALESCE_NS: Final = 5_000_000_000
BPS: Final = 10_000
MS: Final = 1_000_000
SCORE_EVERY_NS: Final = 5_000_000_000
SCORED_PART: Final = 3  # a group is scored when a third more was seen
FRESH_MIN: Final = 2
FRESH_MAX: Final = 64
DONE_MAX: Final = 64  # marks that are done and not dropped yet
_GRIDS_NS: Final = (0, 10 * MS, 100 * MS, 500 * MS, 1_000 * MS, 1_000 * MS, 5_000 * MS)
_SENT_GRID_NS: Final = 500 * MS

Quotes = dict[tuple[str, int], tuple[int | None, int | None]]


def bps_e9(move_e9: int, price_e9: int) -> int:
    """Return a difference of prices against a price, 1e-9 basis points, rounded down."""
    return move_e9 * BPS * E9 // price_e9


def sent_due_ns(at_ns: int) -> int:
    """Return when the quote of a sending is wanted."""
    return _up(at_ns + SENT_NS, _SENT_GRID_NS)


def wake_by(state: ScorecardState, due_ns: int) -> None:
    """See that marks are made by then, but not too soon after the last."""
    due_ns = max(due_ns, state.marked_ns + COALESCE_NS)
    if not state.mark_due_ns or due_ns < state.mark_due_ns:
        state.mark_due_ns = due_ns


def due_marks(state: ScorecardState, at_ns: int) -> tuple[tuple[str, int], ...]:
    """Return the instruments and instants whose quotes are due, each once, in a fixed order."""
    due: dict[tuple[str, int], None] = {}
    fills = state.fills
    for ordinal, head in enumerate(state.heads):
        for index in range(head, len(fills)):
            instant_ns = fill_due_ns(fills[index].at_ns, ordinal)
            if instant_ns > at_ns:
                break
            due[fills[index].instrument_id, instant_ns] = None
    for sent in state.sent:
        instant_ns = sent_due_ns(sent.at_ns)
        if instant_ns > at_ns:
            break
        due[sent.instrument_id, instant_ns] = None
    for end in state.ends:
        if end.at_ns > at_ns:
            break
        due[end.instrument_id, end.at_ns] = None
    return tuple(due)


def fold_marks(state: ScorecardState, event: FillsMarked) -> None:
    """Learn from the quotes, drop what is done, and say when the next are due."""
    quotes: Quotes = {
        (mark.instrument_id, mark.at_ns): (mark.bid_e9, mark.ask_e9) for mark in event.marks
    }
    until_ns = event.until_ns
    for ordinal in range(len(state.heads)):
        _fold_fills(state, ordinal, quotes, until_ns)
    done = state.heads[-1]
    if done >= DONE_MAX or done == len(state.fills):
        del state.fills[:done]
        state.heads = [head - done for head in state.heads]
    _fold_sent(state, quotes, until_ns)
    _fold_ends(state, quotes, until_ns)
    state.marked_ns = until_ns
    state.mark_due_ns = 0
    _wake_for_next(state)
    _want_scores(state, until_ns)


def _fold_fills(state: ScorecardState, ordinal: int, quotes: Quotes, until_ns: int) -> None:
    fills, head = state.fills, state.heads[ordinal]
    while head < len(fills):
        fill = fills[head]
        instant_ns = fill_due_ns(fill.at_ns, ordinal)
        if instant_ns > until_ns:
            break
        head += 1
        midpoint_e9 = _midpoint(quotes.get((fill.instrument_id, instant_ns)))
        if midpoint_e9 is None or fill.is_busted:
            continue
        cell = state.cells[fill.cell]
        if ordinal:
            gain = fill.sign * bps_e9(midpoint_e9 - fill.price_e9, fill.price_e9)
            cell.markouts[ordinal - 1].observe(gain, fill.weight)
        else:
            _fold_spread(cell, fill, midpoint_e9)
    state.heads[ordinal] = head


def _fold_spread(cell: Cell, fill: FillMark, midpoint_e9: int) -> None:
    cost = fill.sign * bps_e9(fill.price_e9 - midpoint_e9, midpoint_e9)
    cell.effective.observe(cost, fill.weight)
    if fill.midpoint_e9 is not None:
        drift = fill.sign * bps_e9(midpoint_e9 - fill.midpoint_e9, fill.midpoint_e9)
        cell.latency.observe(drift, fill.weight)


def _fold_sent(state: ScorecardState, quotes: Quotes, until_ns: int) -> None:
    count = 0
    for sent in state.sent:
        instant_ns = sent_due_ns(sent.at_ns)
        if instant_ns > until_ns:
            break
        count += 1
        midpoint_e9 = _midpoint(quotes.get((sent.instrument_id, instant_ns)))
        if midpoint_e9 is not None:
            drift = sent.sign * bps_e9(midpoint_e9 - sent.midpoint_e9, sent.midpoint_e9)
            state.cells[sent.cell].sent.observe(drift)
    del state.sent[:count]


def _fold_ends(state: ScorecardState, quotes: Quotes, until_ns: int) -> None:
    count = 0
    for end in state.ends:
        if end.at_ns > until_ns:
            break
        count += 1
        quote = quotes.get((end.instrument_id, end.at_ns))
        cell = state.cells[end.cell]
        if end.is_missed or _is_away(end, quote):
            cell.curve.gone(end.age_ns, end.weight)
        else:
            cell.curve.censored(end.age_ns, end.weight)
        midpoint_e9 = _midpoint(quote)
        if midpoint_e9 is not None and end.midpoint_e9 is not None:
            drift = end.sign * bps_e9(midpoint_e9 - end.midpoint_e9, end.midpoint_e9)
            cell.missed.observe(drift, end.weight)
    del state.ends[:count]


def _is_away(end: EndMark, quote: tuple[int | None, int | None] | None) -> bool:
    """Return whether the touch on our side is better than our price: others stand before us."""
    if quote is None or end.price_e9 is None:
        return False
    touch_e9 = quote[0] if end.sign > 0 else quote[1]
    return touch_e9 is not None and end.sign * (touch_e9 - end.price_e9) > 0


def _wake_for_next(state: ScorecardState) -> None:
    for ordinal, head in enumerate(state.heads):
        if head < len(state.fills):
            due_ns = fill_due_ns(state.fills[head].at_ns, ordinal)
            wake_by(state, due_ns if ordinal > 1 else due_ns + COALESCE_NS)
    if state.sent:
        wake_by(state, sent_due_ns(state.sent[0].at_ns))
    if state.ends:
        wake_by(state, state.ends[0].at_ns + COALESCE_NS)


def _want_scores(state: ScorecardState, at_ns: int) -> None:
    """Ask for scores if a group has seen enough; marks come whenever children are sent."""
    if state.score_due_ns:
        return
    due = [group.scored_ns for group in state.groups.values() if is_due(group)]
    if due:
        state.score_due_ns = max(at_ns, min(due) + SCORE_EVERY_NS)


def is_due(group: Group) -> bool:
    """Return whether a group has seen a third more than when it was scored."""
    wanted = max(FRESH_MIN, min((group.total - group.fresh) // SCORED_PART, FRESH_MAX))
    return group.fresh >= wanted


def fill_due_ns(at_ns: int, ordinal: int) -> int:
    """Return when a quote of a fill is wanted: before it, or a horizon after it."""
    if not ordinal:
        return at_ns - 1
    return _up(at_ns + FILL_HORIZONS_NS[ordinal], _GRIDS_NS[ordinal])


def _up(at_ns: int, grid_ns: int) -> int:
    return -(-at_ns // grid_ns) * grid_ns


def _midpoint(quote: tuple[int | None, int | None] | None) -> int | None:
    if quote is None or quote[0] is None or quote[1] is None:
        return None
    return (quote[0] + quote[1]) // 2
