"""How a certification connects: as the client of a session of ours, or as we do to a venue."""

from pathlib import Path
from typing import Any, Final

from services.fix.settings import GatewayFile, Kind, SessionSettings
from services.fix.wire.configuration import dictionaries
from streams.core.errors import Error

__all__ = ["CertificationError", "peer_of"]

LISTENING: Final = ("SocketAcceptPort", "SocketAcceptHost", "ConnectionType")


class CertificationError(Error):
    """A session that cannot be certified so."""


def peer_of(
    file: GatewayFile, session: SessionSettings, *, folder: Path, heartbeat_s: int
) -> dict[str, Any]:
    """Return what the speaking process is told. Raises: CertificationError."""
    own = {**file.quickfix, **session.quickfix}
    settings = {name: value for name, value in own.items() if name not in LISTENING}
    is_client = file.kind is Kind.CLIENTS
    if is_client:
        # We stand where the client stands: its name is ours, and we call the gateway's port.
        if "SocketAcceptPort" not in own:
            raise CertificationError(f"session {session.session_id} has no SocketAcceptPort")
        settings["SenderCompID"], settings["TargetCompID"] = (
            own["TargetCompID"],
            own["SenderCompID"],
        )
        settings["SocketConnectHost"] = own.get("SocketAcceptHost", "127.0.0.1")
        settings["SocketConnectPort"] = own["SocketAcceptPort"]
    elif "SocketConnectPort" not in own:
        raise CertificationError(f"session {session.session_id} has no SocketConnectPort")
    settings = {**dictionaries(settings), **settings}
    settings |= {
        "ConnectionType": "initiator",
        "FileStorePath": str(folder),
        "StartTime": "00:00:00",
        "EndTime": "00:00:00",
        "HeartBtInt": str(heartbeat_s),
        "ReconnectInterval": "1",
        "ResetOnLogon": "N",
        "UseDataDictionary": "Y",
        "ValidateUserDefinedFields": "N",
    }
    return {
        "settings": settings,
        "folder": str(folder),
        "begin": settings["BeginString"],
        "sender": settings["SenderCompID"],
        "target": settings["TargetCompID"],
        "username": session.username,
        "password_env": session.password_env,
    }
