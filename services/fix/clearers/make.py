"""Make the gateway of a file of kind "clearers"."""

from services.fix.clearers.application import Clearers
from services.fix.clearers.terms import read_sessions
from services.fix.settings import GatewayFile

__all__ = ["make_gateway"]


def make_gateway(file: GatewayFile) -> Clearers:
    """Return the gateway. Raises: pydantic.ValidationError for a session's terms."""
    return Clearers(file.number, read_sessions(file))
