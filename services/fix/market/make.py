"""Make the gateway of a file of kind "market"."""

from services.fix.market.application import MarketGateway
from services.fix.market.terms import read_sessions
from services.fix.settings import GatewayFile

__all__ = ["make_gateway"]


def make_gateway(file: GatewayFile) -> MarketGateway:
    """Return the application. Raises: pydantic.ValidationError, ValueError."""
    return MarketGateway(file.number, read_sessions(file))
