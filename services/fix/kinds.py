"""Which application works the sessions of a gateway's kind."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from services.fix.gateway.application import Gateway
from services.fix.settings import GatewayFile, Kind
from streams.core.errors import Error

__all__ = ["MODULES", "KindMissingError", "make_gateway"]

# Each has `make_gateway(file: GatewayFile) -> Gateway`, which validates the sessions' terms too.
MODULES: Final = {
    Kind.CLIENTS: "services.fix.clients.make",
    Kind.VENUES: "services.fix.venues.make",
    Kind.CLEARERS: "services.fix.clearers.make",
    Kind.DROP_COPY: "services.fix.dropcopy.make",
    Kind.MARKET: "services.fix.market.make",
    Kind.OMS: "services.fix.oms.make",
}


class KindMissingError(Error):
    """A gateway is of a kind that this installation has no application for."""

    def __init__(self, kind: Kind, module: str) -> None:
        super().__init__(f"gateways of kind {kind}: {module} is not installed")
        self.kind = kind
        self.module = module


def make_gateway(file: GatewayFile) -> Gateway:
    """Return the application of a gateway's file.

    A kind's module is imported when it is asked for, so that a gateway loads no other kind.
    Raises: KindMissingError; pydantic.ValidationError when a session's terms are wrong.
    """
    name = MODULES[file.kind]
    if not _is_there(name):
        raise KindMissingError(file.kind, name)
    make: Callable[[GatewayFile], Gateway] = import_module(name).make_gateway
    gateway = make(file)
    gateway.messages_per_s = {each.session_id: each.messages_per_s for each in file.session}
    return gateway


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
