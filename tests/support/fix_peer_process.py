"""The process of a FixPeer: QuickFIX, told by JSON lines what to do, telling what happens."""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import quickfix

from services.fix.dictionaries import dictionary_path
from services.fix.fields import Fields, framed

SAY = threading.Lock()


def say(event: str, **more: object) -> None:
    """Tell the test."""
    with SAY:
        sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
        sys.stdout.flush()


class Peer(quickfix.Application):  # type: ignore[misc]  # of a library without types
    """Tells of every message; answers nothing itself."""

    def __init__(self, password: str) -> None:
        super().__init__()
        self._password = password

    def onCreate(self, session_id: Any) -> None:
        """Nothing to tell."""

    def onLogon(self, session_id: Any) -> None:
        say("logon")

    def onLogout(self, session_id: Any) -> None:
        say("logout")

    def toAdmin(self, message: Any, session_id: Any) -> None:
        if self._password and message.getHeader().getField(35) == "A":
            message.setField(quickfix.StringField(554, self._password))

    def fromAdmin(self, message: Any, session_id: Any) -> None:
        say("message", text=message.toString())

    def toApp(self, message: Any, session_id: Any) -> None:
        say("sent", number=int(message.getHeader().getField(34)))

    def fromApp(self, message: Any, session_id: Any) -> None:
        say("message", text=message.toString())


class Words(quickfix.LogFactory):  # type: ignore[misc]  # of a library without types
    """QuickFIX's events, to see why a test waits."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[Any] = []

    def create(self, *_: Any) -> Any:
        made = Word()
        made.thisown = False  # the binding's hand-over of ownership uses a freed lock
        self._made.append(made)
        return made

    def destroy(self, _: Any) -> None:
        """Nothing: logs live as long as the process."""


class Word(quickfix.Log):  # type: ignore[misc]  # of a library without types
    """One log."""

    def onIncoming(self, text: str) -> None:
        """Told by the application."""

    def onOutgoing(self, text: str) -> None:
        """Told by the application."""

    def onEvent(self, text: str) -> None:
        say("log", text=text)

    def clear(self) -> None:
        """Nothing is kept."""

    def backup(self) -> None:
        """Nothing is kept."""


def settings_text(given: dict[str, Any]) -> str:
    """Return QuickFIX's settings of the one session."""
    names = {
        "BeginString": given["begin"],
        "SenderCompID": given["sender"],
        "TargetCompID": given["target"],
        "ConnectionType": "acceptor" if given["acceptor"] else "initiator",
        "StartTime": "00:00:00",
        "EndTime": "00:00:00",
        "HeartBtInt": "30",
        "ReconnectInterval": "1",
        "FileStorePath": given["folder"],
        "ValidateUserDefinedFields": "N",
        "SocketNodelay": "Y",
    }
    if given["acceptor"]:
        names["SocketAcceptPort"] = str(given["port"])
    else:
        names |= {"SocketConnectHost": "127.0.0.1", "SocketConnectPort": str(given["port"])}
    if given["begin"] == "FIXT.1.1":
        names["DefaultApplVerID"] = "FIX.5.0SP2"
        names["TransportDataDictionary"] = str(dictionary_path("FIXT11"))
        names["AppDataDictionary"] = str(dictionary_path("FIX50SP2"))
    else:
        names["DataDictionary"] = str(dictionary_path(given["begin"].replace(".", "")))
    names |= given["settings"]
    rows = [f"{name}={value}" for name, value in names.items()]
    return "\n".join(["[DEFAULT]", "[SESSION]", *rows, ""])


def run(given: dict[str, Any]) -> None:
    """Do what standard input says until it ends."""
    folder = Path(given["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "peer.cfg"
    path.write_text(settings_text(given))
    settings = quickfix.SessionSettings(str(path))
    application, stores, words = (
        Peer(given["password"]),
        quickfix.FileStoreFactory(settings),
        Words(),
    )
    make = quickfix.SocketAcceptor if given["acceptor"] else quickfix.SocketInitiator
    engine = make(application, stores, settings, words)
    session_id = quickfix.SessionID(given["begin"], given["sender"], given["target"])
    session = quickfix.Session.lookupSession(session_id)
    names = ("TransportDataDictionary", "AppDataDictionary", "DataDictionary")
    dictionaries = [
        quickfix.DataDictionary(row.partition("=")[2])
        for row in path.read_text().splitlines()
        if row.partition("=")[0] in names
    ]
    engine.start()
    say("ready")
    for row in sys.stdin:
        told = json.loads(row)
        match told["do"]:
            case "send":
                body = told["body"].encode("latin-1")
                text = framed(given["begin"], Fields([(35, told["type"])]), body)
                message = quickfix.Message(text.decode("latin-1"), *dictionaries, False)
                if not quickfix.Session.sendToTarget(message, session_id):
                    say("log", text="not sent")
            case "logout":
                session.logout(told["text"])
            case "logon":
                session.logon()
            case "disconnect":
                session.disconnect()
            case "numbers":
                if told["sender"] is not None:
                    session.setNextSenderMsgSeqNum(told["sender"])
                if told["target"] is not None:
                    session.setNextTargetMsgSeqNum(told["target"])
                say(
                    "numbers",
                    sender=session.getExpectedSenderNum(),
                    target=session.getExpectedTargetNum(),
                )
            case "close":
                leave(session)
    os._exit(0)


def leave(session: Any) -> None:
    """Log out, then end without taking the interpreter apart."""
    session.logout()
    deadline_s = time.monotonic() + 5.0
    while session.isLoggedOn() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    os._exit(0)


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
