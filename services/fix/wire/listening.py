"""Where QuickFIX listens: it knows no address to bind to, so its socket is replaced by ours."""

import contextlib
import os
import socket
from pathlib import Path
from typing import Final

__all__ = ["bound_listener", "limit_unread", "open_descriptors", "replace_listener"]

BACKLOG: Final = 64
# A counterparty that takes nothing for so long is cut off: a send to it waits, and with it the
# thread that sends, and QuickFIX's heartbeats.
UNREAD_MAX_MS: Final = 30_000


def bound_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; accepted ones inherit its options. Raises: OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MAX_MS)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


def replace_listener(listener: socket.socket, before: set[int]) -> None:
    """Put our listener in the place of the one that QuickFIX opened since `before` (descriptors).

    QuickFIX was told port 0, so it listens on a port of no consequence on all addresses. Its
    descriptor becomes ours; a last connection to the old port lets the thread that waits there go
    on, to our socket, and then nothing listens there any more.
    """
    (descriptor,) = [each for each in open_descriptors() - before if _listens(each)]
    old = socket.socket(fileno=os.dup(descriptor))
    port = old.getsockname()[1]
    os.dup2(listener.fileno(), descriptor)
    old.close()
    listener.close()
    # Refused when the thread was not waiting yet: then it waits at ours from the beginning.
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5.0).close()


def limit_unread(ports: frozenset[int]) -> None:
    """Bound for how long the connections to these ports of others may take nothing."""
    for descriptor in open_descriptors():
        probe = _socket_of(descriptor)
        if probe is None:
            continue
        with probe, contextlib.suppress(OSError):  # not connected
            if (
                probe.family in (socket.AF_INET, socket.AF_INET6)
                and probe.getpeername()[1] in ports
            ):
                probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MAX_MS)


def open_descriptors() -> set[int]:
    """Return the descriptors of this process."""
    names = [each.name for each in Path("/proc/self/fd").iterdir()]
    # One of them was that of the listing itself, and whatever is opened next is given its number.
    return {int(name) for name in names if Path("/proc/self/fd", name).exists()}


def _socket_of(descriptor: int) -> socket.socket | None:
    """Return a socket of its own for a descriptor; None where that is none, with nothing left open.

    A duplicate that nobody closes is found at the next look and doubled again.
    """
    try:
        duplicate = os.dup(descriptor)
    except OSError:  # gone by now
        return None
    try:
        return socket.socket(fileno=duplicate)
    except OSError:
        os.close(duplicate)
        return None


def _listens(descriptor: int) -> bool:
    probe = _socket_of(descriptor)
    if probe is None:
        return False
    with probe:
        try:
            return bool(probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        except OSError:
            return False
