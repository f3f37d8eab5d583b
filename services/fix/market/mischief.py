"""When a venue misbehaves: pure draws from the seed and the ExecID, so a replay finds the same."""

from typing import NamedTuple

from schemas.messages.core import ExecType
from schemas.messages.venues import ExecutionReport
from services.fix.acts import Act
from services.fix.fields import Fields
from services.fix.market.terms import MarketSession
from services.venues.chances import chance

__all__ = ["acts_before", "delay_steps", "is_said_twice", "is_slow", "is_unsolicited"]


class _Drawn(NamedTuple):
    act: str
    per_million: int


def acts_before(session: MarketSession, report: ExecutionReport) -> list[Fields]:
    """Return the bodies of what the session does before a report is sent."""
    rules = session.terms.misbehavior
    drawn = (
        _Drawn(Act.GAP, rules.gap_ppm),
        _Drawn(Act.GAP_FILL, rules.gap_fill_ppm),
        _Drawn(Act.RESET, rules.reset_ppm),
        _Drawn(Act.LOGOUT, rules.logout_ppm),
    )
    return [
        Fields().add(58, each.act)
        for each in drawn
        if _is_drawn(session, each.act, report.exec_id, each.per_million)
    ]


def is_said_twice(session: MarketSession, report: ExecutionReport) -> bool:
    per_million = session.terms.misbehavior.duplicate_ppm
    return _is_drawn(session, "twice", report.exec_id, per_million)


def is_slow(session: MarketSession, report: ExecutionReport) -> bool:
    """Return whether an acknowledgment, and what follows it, is told late."""
    per_million = session.terms.misbehavior.slow_ppm
    is_new = report.exec_type is ExecType.NEW
    return is_new and _is_drawn(session, "slow", report.exec_id, per_million)


def delay_steps(session: MarketSession, report: ExecutionReport) -> int:
    """Return how many steps an execution waits: one is to the end of its own step."""
    per_million = session.terms.misbehavior.swap_ppm
    is_fill = report.exec_type is ExecType.TRADE
    return int(is_fill and _is_drawn(session, "swap", report.exec_id, per_million))


def is_unsolicited(session: MarketSession, report: ExecutionReport) -> bool:
    """Return whether the venue cancels an order that it acknowledges now."""
    per_million = session.terms.misbehavior.unsolicited_ppm
    is_new = report.exec_type is ExecType.NEW
    return is_new and _is_drawn(session, "unsolicited", report.exec_id, per_million)


def _is_drawn(session: MarketSession, purpose: str, exec_id: str, per_million: int) -> bool:
    subject = f"{session.terms.venue_id}/{exec_id}"
    return bool(per_million) and chance(
        session.terms.misbehavior.seed, f"fix-{purpose}", subject, per_million
    )
