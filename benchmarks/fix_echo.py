"""QuickFIX's own echo: an acceptor that answers D with 8 and does nothing else.

`python -m benchmarks.fix_echo PORT FOLDER`, what a gateway of this library can come to at most.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import quickfix

from services.fix.dictionaries import dictionary_path

ANSWER = (
    (37, "O"), (17, "E"), (150, "0"), (39, "0"), (55, "BENCH"), (54, "1"), (38, "100"),
    (151, "100"), (14, "0"), (6, "0"),
)  # fmt: skip
SETTINGS = """[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
SocketNodelay=Y
FileStorePath={folder}
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=Y
ValidateUserDefinedFields=N
DataDictionary={dictionary}
[SESSION]
BeginString=FIX.4.4
SenderCompID=PENSTOCK
TargetCompID=BENCH
"""


class Echo(quickfix.Application):  # type: ignore[misc]  # of a library without types
    """Answers."""

    def onCreate(self, session_id: Any) -> None: ...
    def onLogon(self, session_id: Any) -> None: ...
    def onLogout(self, session_id: Any) -> None: ...
    def toAdmin(self, message: Any, session_id: Any) -> None: ...
    def fromAdmin(self, message: Any, session_id: Any) -> None: ...
    def toApp(self, message: Any, session_id: Any) -> None: ...

    def fromApp(self, message: Any, session_id: Any) -> None:
        answer = quickfix.Message()
        answer.getHeader().setField(quickfix.StringField(35, "8"))
        answer.setField(quickfix.StringField(11, message.getField(11)))
        for tag, value in ANSWER:
            answer.setField(quickfix.StringField(tag, value))
        quickfix.Session.sendToTarget(answer, session_id)


def main() -> None:
    port, folder = sys.argv[1], Path(sys.argv[2])
    path = folder / "echo.cfg"
    dictionary = dictionary_path("FIX44")
    path.write_text(SETTINGS.format(port=port, folder=folder, dictionary=dictionary))
    settings = quickfix.SessionSettings(str(path))
    application = Echo()
    # As the gateway's wire: every message stands in a file before it goes out.
    stores = quickfix.FileStoreFactory(settings)
    acceptor = quickfix.ThreadedSocketAcceptor(application, stores, settings)
    acceptor.start()
    while os.getppid() != 1:  # until the benchmark ends it, or ends
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    main()
