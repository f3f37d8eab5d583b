"""The process that speaks for us: QuickFIX, told by JSON lines what to do, telling what happens.

`python -m services.fix.cert.peer JSON`. A process of its own, for QuickFIX may crash an interpreter
that takes itself apart, and one busy Python thread slows it a hundredfold.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import quickfix

from services.fix.fields import Fields, framed

LEAVE_S: Final = 5.0
_SAY = threading.Lock()


def _say(event: str, **more: object) -> None:
    with _SAY:
        sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
        sys.stdout.flush()


class _Application(quickfix.Application):  # type: ignore[misc]  # of a library without types
    """Tells of everything; answers nothing itself."""

    def __init__(self, username: str, password: str) -> None:
        super().__init__()
        self._logon = [(553, username), (554, password)]

    def onCreate(self, session_id: Any) -> None:
        """Nothing to tell."""

    def onLogon(self, session_id: Any) -> None:
        _say("logon")

    def onLogout(self, session_id: Any) -> None:
        _say("logout")

    def toAdmin(self, message: Any, session_id: Any) -> None:
        if message.getHeader().getField(35) == "A":
            for tag, value in self._logon:
                if value:
                    message.setField(quickfix.StringField(tag, value))

    def fromAdmin(self, message: Any, session_id: Any) -> None:
        _say("message", text=message.toString())

    def toApp(self, message: Any, session_id: Any) -> None:
        """Nothing to tell."""

    def fromApp(self, message: Any, session_id: Any) -> None:
        _say("message", text=message.toString())


def _run(given: dict[str, Any]) -> None:
    """Do what standard input says until it ends. `given`: settings, begin, sender, target, ..."""
    folder = Path(given["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cert.cfg"
    rows = [f"{name}={value}" for name, value in given["settings"].items()]
    path.write_text("\n".join(["[DEFAULT]", "[SESSION]", *rows, ""]))
    settings = quickfix.SessionSettings(str(path))
    # The password comes by the environment: a command line can be read by others.
    password = os.environ.get(given["password_env"], "") if given["password_env"] else ""
    application = _Application(given["username"], password)
    stores = quickfix.FileStoreFactory(settings)
    engine = quickfix.SocketInitiator(application, stores, settings)
    session_id = quickfix.SessionID(given["begin"], given["sender"], given["target"])
    session = quickfix.Session.lookupSession(session_id)
    names = ("TransportDataDictionary", "AppDataDictionary", "DataDictionary")
    words = [quickfix.DataDictionary(given["settings"][n]) for n in names if n in given["settings"]]
    engine.start()
    _say("ready")
    for row in sys.stdin:
        _act(json.loads(row), session, session_id, given["begin"], words)
    os._exit(0)


def _act(told: dict[str, Any], session: Any, session_id: Any, begin: str, words: list[Any]) -> None:
    match told["do"]:
        case "send":
            fields = Fields([(35, told["type"])])
            text = framed(begin, fields, told["body"].encode("latin-1")).decode("latin-1")
            quickfix.Session.sendToTarget(quickfix.Message(text, *words, False), session_id)
        case "disconnect":
            session.disconnect()
        case "logout":
            session.logout("end of the certification")
        case "logon":
            session.logon()
        case "forget":
            session.setNextTargetMsgSeqNum(max(1, session.getExpectedTargetNum() - told["count"]))
        case "skip":
            session.setNextSenderMsgSeqNum(session.getExpectedSenderNum() + told["count"])
        case "close":
            session.logout()
            deadline_s = time.monotonic() + LEAVE_S
            while session.isLoggedOn() and time.monotonic() < deadline_s:
                time.sleep(0.02)
            os._exit(0)


if __name__ == "__main__":
    _run(json.loads(sys.argv[1]))
