"""Make the gateway of a file of kind "drop-copy"."""

from services.fix.dropcopy.application import DropCopies
from services.fix.dropcopy.terms import subscribers_of
from services.fix.settings import GatewayFile

__all__ = ["make_gateway"]


def make_gateway(file: GatewayFile) -> DropCopies:
    """Return the gateway. Raises: pydantic.ValidationError, ValueError for terms that are wrong."""
    return DropCopies(file.number, subscribers_of(file))
