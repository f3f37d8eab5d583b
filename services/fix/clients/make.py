"""Make the gateway of clients from its file."""

from services.fix.clients.gateway import ClientsGateway
from services.fix.clients.terms import seats_of
from services.fix.settings import GatewayFile

__all__ = ["make_gateway"]


def make_gateway(file: GatewayFile) -> ClientsGateway:
    """Return the gateway. Raises: pydantic.ValidationError, ValueError for terms that are wrong."""
    return ClientsGateway(file.number, seats_of(file))
