"""Make the gateway of a file of kind "oms"."""

from services.fix.oms.application import OmsGateway
from services.fix.oms.terms import read_sessions
from services.fix.settings import GatewayFile

__all__ = ["make_gateway"]


def make_gateway(file: GatewayFile) -> OmsGateway:
    """Return the application. Raises: pydantic.ValidationError, ValueError."""
    return OmsGateway(file.number, read_sessions(file))
