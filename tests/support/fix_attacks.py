"""What a hostile or broken counterparty does to a FIX port, by chance from a seed."""

import contextlib
import socket
import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from services.fix.fields import SOH, Fields, framed
from tests.support.fix_messages import spoiled
from tests.support.fix_peer import RawPeer
from tests.support.fix_wire import order

__all__ = ["ATTACKS", "Attack", "Target"]

FLOOD = 600
LORIS = 12
PATIENCE_S = 60.0


class Target:
    """The port, a session that lets the attacker log on, and sockets that stay open."""

    def __init__(self, port: int, sender: str, target: str) -> None:
        self.port, self.sender, self.target = port, sender, target
        self.open: list[socket.socket] = []

    def connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.open.append(made)
        return made

    def logged_on(self) -> RawPeer:
        """Log on with numbers that begin again; the session before may not be gone yet."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            peer = RawPeer(self.port, sender=self.sender, target=self.target)
            try:
                if peer.logon("141=Y|").get(35) == "A":
                    return peer
            except OSError:
                if time.monotonic() > deadline_s:
                    raise
            except EOFError:
                assert time.monotonic() < deadline_s, "nobody is let in any more"
            peer.__exit__()
            time.sleep(0.1)

    def close(self) -> None:
        for each in self.open:
            each.close()
        self.open.clear()


Attack = Callable[[Target, Random], None]


def _garbage(target: Target, chance: Random) -> None:
    _send(target.connect(), chance.randbytes(chance.randint(1, 5_000)))


def _half_a_logon(target: Target, chance: Random) -> None:
    text = _logon(target)
    made = target.connect()
    _send(made, text[: chance.randint(1, len(text) - 1)])
    made.close()


def _slow_loris(target: Target, chance: Random) -> None:
    """Many connections that each say the beginning of a Logon and go on hanging."""
    for _ in range(LORIS):
        _send(target.connect(), _logon(target)[: chance.randint(0, 20)])


def _stranger(target: Target, chance: Random) -> None:
    name = f"NOBODY{chance.randint(0, 99)}"
    with RawPeer(target.port, sender=name, target=target.target) as peer:
        peer.send("A", "98=0|108=30")
        assert peer.is_closed(), "a stranger was let in"


def _wrong_frames(target: Target, chance: Random) -> None:
    """Wrong lengths and checksums within a session: nothing of it counts."""
    with target.logged_on() as peer:
        for length in ("-1", "0", "99999999999999999999", "2147483647", "x", "1e3", ""):
            text = peer.message("D", order("frame"))
            said = text.split(SOH.encode())[1]
            peer.send_bytes(text.replace(said, b"9=" + length.encode(), 1))
        _quietly(lambda: peer.send_bytes(peer.message("D", order("sum"))[:-4] + b"999\x01"))


def _spoiled_messages(target: Target, chance: Random) -> None:
    """Well framed messages with anything wrong inside."""
    with target.logged_on() as peer:
        for number in range(40):
            whole = peer.message(chance.choice("DFG8H3j0124"), order(f"s{number}"))
            inner = spoiled(SOH.join(whole.decode("latin-1").split(SOH)[2:-2]).encode(), chance)
            if not _quietly(partial(peer.send_bytes, _framed(inner))):
                return


def _spoiled_bytes(target: Target, chance: Random) -> None:
    with target.logged_on() as peer:
        for number in range(40):
            text = spoiled(peer.message("D", order(f"b{number}")), chance)
            if not _quietly(partial(peer.send_bytes, text)):
                return


def _giant(target: Target, chance: Random) -> None:
    """One field of a megabyte or five, then the end of the line."""
    with target.logged_on() as peer:
        size = chance.choice((1, 5)) << 20
        _quietly(lambda: peer.send("D", order("giant") + "|58=" + "A" * size))
        with contextlib.suppress(EOFError, OSError):
            peer.send("1", "112=still-there")
            assert peer.read_until("0").get(112) == "still-there"


def _flood(target: Target, chance: Random) -> None:
    """More messages at once than the session may send."""
    with target.logged_on() as peer:
        text = b"".join(peer.message("D", order(f"flood{n}")) for n in range(FLOOD))
        _quietly(lambda: peer.send_bytes(text))


def _second_logon(target: Target, chance: Random) -> None:
    """The same session from two places, and a Logon within a session."""
    with (
        target.logged_on() as first,
        RawPeer(target.port, sender=target.sender, target=target.target) as second,
    ):
        second.send("A", "98=0|108=30|141=Y")
        _quietly(lambda: first.send("A", "98=0|108=30"))


def _numbers(target: Target, chance: Random) -> None:
    """Numbers out of turn, resets to anywhere, requests for everything that never was."""
    with target.logged_on() as peer:
        for _ in range(20):
            number = chance.choice((0, 1, 2, 5, 10**6, 2**31, 2**63, -1))
            kind, body = chance.choice(
                (
                    ("D", order("n")),
                    ("4", f"123={chance.choice('YN')}|36={number}"),
                    ("2", f"7={number}|16={chance.choice((0, number, 10**9))}"),
                    ("0", ""),
                    ("1", f"112={number}"),
                )
            )
            header = chance.choice(("", "43=Y|122=20200101-00:00:00|", "97=Y|", "43=Y|"))
            sent = chance.choice((number, peer.next_number))
            if not _quietly(partial(peer.send, kind, body, number=sent, header=header)):
                return


ATTACKS: dict[str, Attack] = {
    "garbage": _garbage,
    "half a logon": _half_a_logon,
    "slow loris": _slow_loris,
    "stranger": _stranger,
    "wrong frames": _wrong_frames,
    "spoiled messages": _spoiled_messages,
    "spoiled bytes": _spoiled_bytes,
    "giant": _giant,
    "flood": _flood,
    "second logon": _second_logon,
    "numbers": _numbers,
}


def _logon(target: Target) -> bytes:
    header = [(35, "A"), (34, "1"), (49, target.sender), (52, "20260101-00:00:00")]
    fields = Fields([*header, (56, target.target), (98, "0"), (108, "30")])
    return framed("FIX.4.4", fields, b"")


def _framed(inner: bytes) -> bytes:
    start = b"8=FIX.4.4\x019=%d\x01" % len(inner) + inner
    return start + b"10=%03d\x01" % (sum(start) % 256)


def _send(to: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        to.sendall(data)


def _quietly(send: Callable[[], Any]) -> bool:
    """Send, and return whether anybody still listens."""
    try:
        send()
    except OSError:
        return False
    return True
