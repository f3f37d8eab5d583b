"""The acts of a simulator's wire, on QuickFIX's session. Called by the thread that sends."""

import logging
import time
from typing import Any, Final

import quickfix

from services.fix.acts import Act
from services.fix.fields import Fields
from services.fix.wire.line import Line

__all__ = ["perform"]

RESET_BY: Final = 10  # numbers that a SequenceReset-Reset leaves out
LOGOUT_S: Final = 5.0  # for the counterparty's answer
LOOK_S: Final = 0.02
log = logging.getLogger("penstock.fix.wire")


def perform(line: Line, session: Any, body: bytes) -> None:
    """Do what a body asks. Raises: ValueError for an act that nobody knows."""
    act = Act(Fields.parse(body).get(58))
    log.info("%s: %s on demand", line.name, act)
    number = session.getExpectedSenderNum()
    match act:
        case Act.GAP:
            session.setNextSenderMsgSeqNum(number + 1)
        case Act.GAP_FILL:
            _reset(session, number + 2, is_gap_fill=True)
        case Act.RESET:
            _reset(session, number + RESET_BY, is_gap_fill=False)
        case Act.LOGOUT:
            session.logout("the venue logs out on demand")
            deadline_s = time.monotonic() + LOGOUT_S
            while line.is_logged_on and time.monotonic() < deadline_s:
                time.sleep(LOOK_S)
            session.logon()
        case Act.LINK_LOST:
            session.logout("the link is lost on demand")
        case Act.LINK_BACK:
            session.logon()


def _reset(session: Any, next_number: int, *, is_gap_fill: bool) -> None:
    """Send a SequenceReset under the next number, and go on with another one."""
    message = quickfix.Message()
    message.getHeader().setField(quickfix.MsgType("4"))
    message.setField(quickfix.GapFillFlag(is_gap_fill))
    message.setField(quickfix.NewSeqNo(next_number))
    session.send(message)
    session.setNextSenderMsgSeqNum(next_number)
