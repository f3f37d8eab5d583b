"""A client of few lines, so that what is measured is the other side: frames by hand, one socket."""

import select
import socket
import time
from typing import NamedTuple

from services.fix.fields import SOH

__all__ = ["Client", "Latencies"]

LOGON_S = 60.0
STALL_S = 60.0
CHUNK = 1 << 18
ACK = b"\x01150=0\x01"


class Latencies(NamedTuple):
    """Milliseconds from the instant an order was due to its acknowledgment's arrival."""

    p50: float
    p99: float
    worst: float


class Client:
    """One session, logged on with numbers that begin again."""

    def __init__(self, port: int) -> None:
        self._number = 0
        self._buffer = b""
        self._orders = 0
        self.sent_s: dict[bytes, float] = {}
        self.acked_s: dict[bytes, float] = {}
        self._socket = self._connected(port)

    def close(self) -> None:
        self._socket.sendall(self._frame("5", ""))
        self._socket.close()

    def flood(self, orders: int, window: int) -> float:
        """Send so many, at most `window` of them unanswered; return acknowledgments a second."""
        self.sent_s, self.acked_s = {}, {}
        started = moved = time.perf_counter()
        while len(self.acked_s) < orders:
            free = min(window - len(self.sent_s) + len(self.acked_s), orders - len(self.sent_s))
            if free > 0:
                now = time.perf_counter()
                self._socket.sendall(b"".join(self._order(now) for _ in range(min(free, 100))))
            if self._read(0.0 if free > 0 else 0.05):
                moved = time.perf_counter()
            if time.perf_counter() - moved > STALL_S:
                raise TimeoutError(f"{len(self.acked_s)} of {orders} orders acknowledged")
        return orders / (time.perf_counter() - started)

    def pace(self, per_second: int, seconds: int) -> Latencies:
        """Send on schedule, which never waits for an answer; an order's clock starts when due."""
        self.sent_s, self.acked_s = {}, {}
        started, count = time.perf_counter(), per_second * seconds
        for number in range(count):
            due = started + number / per_second
            while (wait := due - time.perf_counter()) > 0:
                self._read(wait)
            self._socket.sendall(self._order(due))
            self._read(0.0)
        deadline = time.perf_counter() + STALL_S
        while len(self.acked_s) < count:
            self._read(0.05)
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{len(self.acked_s)} of {count} orders acknowledged")
        took = sorted((self.acked_s[name] - self.sent_s[name]) * 1_000 for name in self.acked_s)
        p50, p99, worst = (took[(len(took) - 1) * q // 1_000] for q in (500, 990, 1_000))
        return Latencies(p50, p99, worst)

    def wall(self, stamps_s: dict[bytes, float]) -> dict[bytes, float]:
        """Return stamps of the newest run by the wall clock, which the log's are by."""
        offset_s = time.time() - time.perf_counter()
        return {name: at_s + offset_s for name, at_s in stamps_s.items()}

    def _order(self, due_s: float) -> bytes:
        self._orders += 1
        name = f"B{self._orders}"
        self.sent_s[name.encode()] = due_s
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        later = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(time.time() + 3_600))
        side = 1 + self._orders % 2
        return self._frame(
            "D",
            f"11={name}|1=A{self._orders % 40}|55=BENCH|54={side}|60={now}"
            f"|38={100 + self._orders % 700}|40=1|59=0|168={later}|847=1002|",
        )

    def _frame(self, kind: str, body: str) -> bytes:
        self._number += 1
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        inner = f"35={kind}|34={self._number}|49=BENCH|52={now}|56=PENSTOCK|{body}"
        text = f"8=FIX.4.4|9={len(inner)}|{inner}".replace("|", SOH).encode()
        return text + b"10=%03d\x01" % (sum(text) % 256)

    def _read(self, wait_s: float) -> int:
        """Take what has arrived; return how many acknowledgments were in it."""
        if not select.select([self._socket], [], [], max(0.0, wait_s))[0]:
            return 0
        data = self._socket.recv(CHUNK)
        if not data:
            raise EOFError("the other side hung up")
        now = time.perf_counter()
        *whole, self._buffer = (self._buffer + data).split(b"\x018=FIX")
        count = 0
        # The newest message is whole when its checksum is there; it waits for nobody.
        at = self._buffer.rfind(b"\x0110=")
        if at >= 0 and at + 8 == len(self._buffer):
            whole.append(self._buffer)
            self._buffer = b"\x01"
        for text in whole:
            if b"\x0135=8\x01" in text and ACK in text:
                start = text.index(b"\x0111=") + 4
                self.acked_s.setdefault(text[start : text.index(b"\x01", start)], now)
                count += 1
            elif b"\x01150=8\x01" in text or b"\x0135=j\x01" in text or b"\x0135=3\x01" in text:
                raise RuntimeError(f"refused: {text!r}")
            elif b"\x0135=1\x01" in text:
                start = text.index(b"\x01112=") + 5
                value = text[start : text.index(b"\x01", start)].decode()
                self._socket.sendall(self._frame("0", f"112={value}|"))
        return count

    def _connected(self, port: int) -> socket.socket:
        deadline = time.monotonic() + LOGON_S
        while True:
            try:
                made = socket.create_connection(("127.0.0.1", port), timeout=LOGON_S)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._number = 0
                made.sendall(self._frame("A", "98=0|108=60|141=Y|"))
                if b"\x0135=A\x01" in made.recv(CHUNK):
                    return made
                made.close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise TimeoutError(f"no logon at port {port}")
            time.sleep(0.2)
