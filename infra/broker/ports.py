"""Free TCP ports on the loopback interface that stay free across a broker's restart."""

import secrets
import socket

from infra.broker.errors import BrokerError, PortTakenError

__all__ = ["HOST", "check_free", "pick_ports"]

HOST = "127.0.0.1"
# Below the kernel's ephemeral range (32768..): a client that reconnects to a dead broker's port in
# that range can be given the very same port as its own end, connect to itself, and hold it.
FIRST, LAST = 19_000, 32_000
ATTEMPTS = 200


def check_free(port: int) -> None:
    """Raise PortTakenError when somebody listens on the port."""
    with socket.socket() as probe:
        # As the JVM does: connections of the broker's former life may linger in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            raise PortTakenError(HOST, port) from error


def pick_ports(count: int) -> tuple[int, ...]:
    """Return `count` different ports that are free now."""
    found: list[int] = []
    for _ in range(ATTEMPTS):
        port = FIRST + secrets.randbelow(LAST - FIRST)
        if port in found:
            continue
        try:
            check_free(port)
        except PortTakenError:
            continue
        found.append(port)
        if len(found) == count:
            return tuple(found)
    raise BrokerError(
        f"ports {FIRST}..{LAST}: fewer than {count} found free in {ATTEMPTS} attempts"
    )
