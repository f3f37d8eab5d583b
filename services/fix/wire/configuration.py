"""A gateway's file as QuickFIX's settings, one section a session."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.fix.dictionaries import dictionary_path
from services.fix.settings import GatewayFile, SessionSettings
from streams.core.errors import Error

__all__ = ["HOST_KEY", "ConfigurationError", "configuration", "dictionaries", "is_acceptor"]

# QuickFIX/J's name: QuickFIX itself always listens on all addresses, see listening.py.
HOST_KEY: Final = "SocketAcceptHost"
DEFAULTS: Final = {
    "StartTime": "00:00:00",
    "EndTime": "00:00:00",
    "HeartBtInt": "30",
    "ReconnectInterval": "5",
    "SocketNodelay": "Y",
    "UseDataDictionary": "Y",
    "ValidateUserDefinedFields": "N",  # tags from 5000 on are the parties' own
    "MaxLatency": "120",
}
# What the wire's bookkeeping rests on.
FIXED: Final = {"PersistMessages": "Y", "RefreshOnLogon": "N", "UseDataDictionary": "Y"}
OWN: Final = (HOST_KEY,)


class ConfigurationError(Error):
    """A setting that the wire cannot work with."""

    def __init__(self, subject: str, value: str, bound: str) -> None:
        super().__init__(f"{subject} {value!r} is not {bound}")


def is_acceptor(file: GatewayFile, session: SessionSettings) -> bool:
    """Return whether the counterparty connects to us. Raises ConfigurationError."""
    kind = {**file.quickfix, **session.quickfix}.get("ConnectionType", "")
    if kind not in ("acceptor", "initiator"):
        raise ConfigurationError(f"{session.session_id} ConnectionType", kind, "acceptor/initiator")
    return kind == "acceptor"


def dictionaries(settings: dict[str, str]) -> dict[str, str]:
    """Return the settings that name our data dictionaries, as the session's version asks."""
    begin = settings["BeginString"]
    if begin == "FIXT.1.1":
        return {
            "DefaultApplVerID": "FIX.5.0SP2",
            "TransportDataDictionary": str(dictionary_path("FIXT11")),
            "AppDataDictionary": str(dictionary_path("FIX50SP2")),
        }
    return {"DataDictionary": str(dictionary_path(begin.replace(".", "")))}


def configuration(
    file: GatewayFile, sessions: Iterable[SessionSettings], folder: Path, port: int | None = None
) -> str:
    """Return the text of QuickFIX's settings. `port`: where QuickFIX itself listens.

    A session's own settings go over the gateway's, those over our defaults. Raises:
    ConfigurationError, FileNotFoundError (no dictionary of that version).
    """
    rows: list[str] = []
    for session in sessions:
        settings = {**DEFAULTS, **file.quickfix, **session.quickfix}
        settings = {**dictionaries(settings), **settings, **FIXED}
        settings["FileStorePath"] = str(folder)
        if settings.get("NonStopSession") == "Y":
            settings.pop("StartTime"), settings.pop("EndTime")
        if port is not None:
            settings["SocketAcceptPort"] = str(port)
        for name, value in settings.items():
            if "\n" in value or "\n" in name:
                raise ConfigurationError(f"{session.session_id} {name}", value, "one line")
        rows.append("[SESSION]")
        rows += [f"{name}={value}" for name, value in settings.items() if name not in OWN]
    return "\n".join(["[DEFAULT]", *rows, ""])
