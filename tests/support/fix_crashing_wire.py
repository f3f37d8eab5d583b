"""A wire that kills itself at a planted point: `PENSTOCK_TEST_CRASH=POINT:N` of its environment.

POINT names what the N-th message has just passed when the process dies as by kill -9.
"""

import os
import signal
import sys
from typing import Any

from services.fix.wire import __main__ as program
from services.fix.wire import application, line, process
from services.fix.wire.intents import Intent, Intents

_point, _, _number = os.environ.get("PENSTOCK_TEST_CRASH", ":").partition(":")
_left = int(_number or 0)


def passed(point: str) -> None:
    """Die when this is the point and its turn has come."""
    global _left  # noqa: PLW0603  # counts over all threads' calls, which QuickFIX makes one by one
    if point == _point:
        _left -= 1
        if not _left:
            os.kill(os.getpid(), signal.SIGKILL)


class CrashingIntents(Intents):
    """Before a number is written down, after it, and after the message is known to be out."""

    def write(self, intent: Intent) -> None:
        if not intent.is_done:
            passed("before-intent")
        super().write(intent)
        passed("noted" if intent.is_done else "intent")


class CrashingLog(application.SessionLog):
    """Between QuickFIX's store and the socket."""

    def onOutgoing(self, text: str) -> None:
        if "\x0135=8\x01" in text and "\x0143=Y\x01" not in text:
            passed("persisted")


class CrashingLine(line.Line):
    """Before a message of the counterparty is given to the log's client."""

    def received(self, message: Any) -> None:
        passed("heard")
        super().received(message)
        passed("produced")  # given to the client, which has not sent it


class CrashingWire(process.Wire):
    """Between the socket and the note that it went out."""

    def carry(self, own: line.Line, message: Any) -> bool:
        is_done = super().carry(own, message)
        passed("sent")
        return is_done


if __name__ == "__main__":
    vars(process)["Intents"] = CrashingIntents
    vars(process)["Line"] = CrashingLine
    vars(process)["Wire"] = CrashingWire
    vars(application)["SessionLog"] = CrashingLog
    code = program.main()
    sys.stderr.flush()
    os._exit(code)
