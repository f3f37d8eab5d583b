"""What QuickFIX calls: messages in and out, logons, events. Little Python for each message."""

import hmac
import logging
import os
import re
import time
from collections.abc import Callable
from typing import Any, Final

import quickfix

from schemas.messages.core import RejectReason
from schemas.messages.fix import FixReceived
from services.fix.settings import TEXT_BYTES_MAX
from services.fix.values import utc_ns
from services.fix.wire.line import Line
from services.fix.wire.listening import limit_unread

__all__ = ["Logs", "WireApplication"]

EXPECTING: Final = re.compile(rb"\x0158=[^\x01]*too low, expecting (\d+)")
PEER: Final = re.compile(r"connections to the acceptor from (\S+)")
FAILED: Final = 70
TEXT_KEPT: Final = 1 << 12  # bytes of a message that is longer than it may be
# Counted and never refused: what takes orders back, and what answers us. Who is over the limit must
# still be able to leave the market, and nobody says an answer again.
CANCELS: Final = ("F", "K", "q", "CA")
ANSWERS: Final = ("8", "9", "N", "r", "BZ", "Q", "j", "P", "AR", "AT", "AU")
UNREFUSED: Final = frozenset((*CANCELS, *ANSWERS))
log = logging.getLogger("penstock.fix.wire")


class WireApplication(quickfix.Application):  # type: ignore[misc]  # of a library without types
    """QuickFIX's callbacks, in the threads of its sessions.

    `settle`: told of each Logon that passes, before anything else of its session, with whether the
    numbers began again.
    """

    def __init__(
        self, lines: dict[str, Line], settle: Callable[[Line, bool], None], shared_port: str
    ) -> None:
        """`shared_port`: where sessions without one of their own connect to; 0 for none."""
        super().__init__()
        self._lines = lines
        self._settle = settle
        ports = [line.settings.quickfix.get("SocketConnectPort", "0") for line in lines.values()]
        self._ports = frozenset(map(int, [*ports, shared_port])) - {0}

    def onCreate(self, session_id: Any) -> None:
        """Nothing: a session's line is there before QuickFIX is."""

    def onLogon(self, session_id: Any) -> None:
        line = self._lines[session_id.toString()]
        line.reason = ""
        if not line.peer:  # we connected to it
            limit_unread(self._ports)
        line.changed(is_logged_on=True, text=f"logged on from {line.peer or 'its address'}")

    def onLogout(self, session_id: Any) -> None:
        line = self._lines[session_id.toString()]
        if line.is_logged_on:
            line.changed(is_logged_on=False, text=line.reason or "the connection was lost")
        line.reason = ""

    def toAdmin(self, message: Any, session_id: Any) -> None:
        if message.getHeader().getField(35) == "A":
            settings = self._lines[session_id.toString()].settings
            password = os.environ.get(settings.password_env, "") if settings.password_env else ""
            if password and quickfix.Session.lookupSession(session_id).isInitiator():
                if settings.username:
                    message.setField(quickfix.StringField(553, settings.username))
                message.setField(quickfix.StringField(554, password))

    def fromAdmin(self, message: Any, session_id: Any) -> None:
        line = self._lines[session_id.toString()]
        kind = message.getHeader().getField(35)
        if kind == "A":
            refusal = refusal_of(line)
            if refusal:
                line.changed(is_logged_on=False, text=f"logon refused: {refusal}")
                raise quickfix.RejectLogon(refusal)
            self._settle(line, value(line.incoming, b"141") == "Y")
        elif kind == "5":
            line.reason = value(line.incoming, b"58") or "the counterparty logged out"
            expected = EXPECTING.search(line.incoming)
            if expected:
                _heal(line, session_id, int(expected[1]))
        elif kind == "3":
            self._receive(line, message, kind)

    def toApp(self, message: Any, session_id: Any) -> None:
        line, header = self._lines[session_id.toString()], message.getHeader()
        if not header.isSetField(43):
            if line.is_ours:
                line.meant(int(header.getField(34)))
        elif header.getField(35) in line.settings.gap_filled:
            raise quickfix.DoNotSend

    def fromApp(self, message: Any, session_id: Any) -> None:
        line = self._lines[session_id.toString()]
        self._receive(line, message, "")

    def _receive(self, line: Line, message: Any, kind: str) -> None:
        text, sequence = line.incoming, message.getHeader().getField(34)
        if value(text, b"34") != sequence:
            # It came before its turn and waited: what came just now is another message.
            text = message.toString().encode("utf-8", "surrogateescape")
        now_s = time.monotonic()
        refusal, message_type = "", kind or value(text, b"35")
        if not kind and line.bucket.is_over(now_s) and message_type not in UNREFUSED:
            refusal = RejectReason.MESSAGE_RATE.value
        elif len(text) > TEXT_BYTES_MAX:
            # What the log could not take would end the process, and again when it is sent again.
            text, refusal = text[:TEXT_KEPT], RejectReason.FIELD_TOO_LONG.value
        line.received(
            FixReceived(
                session_id=line.name,
                session_day=line.epoch.day,
                session_epoch=line.epoch.number,
                sequence=int(sequence),
                message_type=message_type,
                is_possible_duplicate=value(text, b"43") == "Y",
                is_possible_resend=value(text, b"97") == "Y",
                text=text,
                refusal=refusal,
                sent_ns=sent_ns(value(text, b"52")),
                received_ns=time.time_ns(),
            )
        )
        wait_s = line.bucket.wait_s(now_s)
        if wait_s:
            time.sleep(wait_s)


class SessionLog(quickfix.Log):  # type: ignore[misc]  # of a library without types
    """Keeps what a session reads now as it came; passes QuickFIX's words on to our log."""

    def __init__(self, line: Line | None) -> None:
        super().__init__()
        self._line = line
        self._name = line.name if line else "no session"
        self._is_shut = False

    def onIncoming(self, text: str) -> None:
        line = self._line
        if line is None:
            return
        line.incoming = text.encode("utf-8", "surrogateescape")
        # QuickFIX begins the numbers again before it asks whether a Logon is welcome. One that is
        # not must not do that: to a session that is shut nothing happens.
        is_reset = b"\x0135=A\x01" in line.incoming and value(line.incoming, b"141") == "Y"
        refusal = refusal_of(line) if is_reset and not line.is_logged_on else ""
        if refusal:
            line.changed(is_logged_on=False, text=f"logon refused: {refusal}")
            self._is_shut = True
            session, logout = self._session(), quickfix.Message()
            logout.getHeader().setField(quickfix.MsgType("5"))
            logout.setField(quickfix.Text(f"Rejected Logon Attempt: {refusal}"))
            session.send(logout)
            session.logout(refusal)

    def onOutgoing(self, text: str) -> None:
        """Nothing: what goes out is on fix.sending and in QuickFIX's store."""

    def onEvent(self, text: str) -> None:
        if self._line is not None:
            found = PEER.search(text)
            if found:
                self._line.peer = found[1]
            if self._is_shut and text == "Disconnecting":
                self._is_shut = False
                self._session().logon()
        log.info("%s: %s", self._name, text.replace("\x01", "|"))

    def clear(self) -> None:
        """Nothing is kept."""

    def backup(self) -> None:
        """Nothing is kept."""

    def _session(self) -> Any:
        assert self._line is not None
        names = self._line.settings.quickfix
        keys = ("BeginString", "SenderCompID", "TargetCompID", "SessionQualifier")
        return quickfix.Session.lookupSession(
            quickfix.SessionID(*(names.get(each, "") for each in keys))
        )


class Logs(quickfix.LogFactory):  # type: ignore[misc]  # of a library without types
    """Makes a log for each session, and one for QuickFIX itself."""

    def __init__(self, lines: dict[str, Line]) -> None:
        super().__init__()
        self._lines = lines
        self._made: list[SessionLog] = []  # QuickFIX does not hold them

    def create(self, *session: Any) -> SessionLog:
        made = SessionLog(self._lines[session[0].toString()] if session else None)
        made.thisown = False  # the binding's hand-over of ownership uses a freed lock
        self._made.append(made)
        return made

    def destroy(self, _: Any) -> None:
        """Nothing: logs live as long as the process."""


def refusal_of(line: Line) -> str:
    """Return why the Logon that a session reads now is not welcome; "" when it is."""
    settings, text = line.settings, line.incoming
    if line.peer and settings.ip_addresses and line.peer not in settings.ip_addresses:
        return f"address {line.peer} may not log on"
    if settings.password_env and line.peer:
        password = os.environ.get(settings.password_env, "")
        if not password:
            return f"no password is set in {settings.password_env}"
        if not hmac.compare_digest(value(text, b"554").encode("latin-1"), password.encode()):
            return "wrong password"
        if settings.username and value(text, b"553") != settings.username:
            return "wrong password"
    return ""


def value(text: bytes, tag: bytes) -> str:
    """Return the first value of a tag of the standard header or of an administrative message."""
    start = text.find(b"\x01" + tag + b"=")
    if start < 0:
        return ""
    start += len(tag) + 2
    return text[start : text.find(b"\x01", start)].decode("latin-1")


def sent_ns(text: str) -> int:
    """Return a SendingTime; 0 when it is none."""
    try:
        return utc_ns(text)
    except ValueError:
        return 0


def _heal(line: Line, session_id: Any, expected: int) -> None:
    """Go on where the counterparty says, when our store has lost numbers that it has seen."""
    session = quickfix.Session.lookupSession(session_id)
    if expected > session.getExpectedSenderNum():
        log.warning("%s: our next number is %d, as the counterparty says", line.name, expected)
        session.setNextSenderMsgSeqNum(expected)
