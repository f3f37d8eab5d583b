"""The scorecard's decisions: it observes, so that each is a record of what was seen."""

from typing import Any, assert_never

from schemas.messages.routing import ChildCanceled, ChildPlaced, FillBooked
from schemas.messages.scorecard import (
    FillsMarked,
    InstrumentBucketed,
    VenueModelInForce,
    VenueScored,
)
from streams.core.decider import Decider
from streams.scorecard.commands import (
    ApproveModel,
    BucketInstrument,
    MarkFills,
    ScorecardCommand,
    ScoreVenues,
)
from streams.scorecard.evolve import evolve
from streams.scorecard.score import score_venues
from streams.scorecard.state import ScorecardState

__all__ = ["MARK_TIMER", "SCORECARD", "SCORE_TIMER", "decide", "timers_of"]

MARK_TIMER = "scorecard:mark:"
SCORE_TIMER = "scorecard:score:"
_SENDING = (ChildPlaced, FillBooked, ChildCanceled)


def decide(state: ScorecardState, command: ScorecardCommand) -> tuple[Any, ...]:
    """Return what is recorded; `()` if it is already in effect."""
    match command:
        case BucketInstrument():
            return _bucketed(state, command)
        case MarkFills():
            return (_marked(command),)
        case ScoreVenues():
            return score_venues(state, command)
        case ApproveModel():
            return _approved(state, command)
        case _:
            assert_never(command)


def timers_of(event: Any, state: ScorecardState) -> tuple[tuple[str, int | None], ...]:
    """Return the two timers: when the next marks are due, and when venues are scored."""
    if isinstance(event, _SENDING):
        return ((MARK_TIMER, state.mark_due_ns or None),)
    if isinstance(event, FillsMarked):
        return (
            (MARK_TIMER, state.mark_due_ns or None),
            (SCORE_TIMER, state.score_due_ns or None),
        )
    if isinstance(event, VenueScored):
        return ((SCORE_TIMER, state.score_due_ns or None),)
    return ()


def _marked(command: MarkFills) -> FillsMarked:
    return FillsMarked(timer_id=MARK_TIMER, until_ns=command.at_ns, marks=command.marks)


def _bucketed(state: ScorecardState, command: BucketInstrument) -> tuple[Any, ...]:
    if command.instrument_id in state.buckets:
        return ()
    return (
        InstrumentBucketed(
            instrument_id=command.instrument_id,
            bucket=command.bucket,
            lot=command.lot,
            tick_bps_e9=command.tick_bps_e9,
        ),
    )


def _approved(state: ScorecardState, command: ApproveModel) -> tuple[Any, ...]:
    proposal = state.proposals.get(command.message.proposal_id)
    if proposal is None or proposal.is_used:
        return ()
    return (
        VenueModelInForce(
            version=state.version + 1,
            proposal_id=command.message.proposal_id,
            content=proposal.content,
            sha256=proposal.sha256,
            proposed_by=proposal.proposed_by,
            approved_by=command.actor,
        ),
    )


SCORECARD: Decider[ScorecardState, ScorecardCommand, Any] = Decider(
    initial=ScorecardState, decide=decide, evolve=evolve
)
