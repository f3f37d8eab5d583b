"""Cash sums of any size in a snapshot: msgpack ends at 64 bits, a firm's credit does not."""

import msgspec

__all__ = ["Amount"]

BASE = 10**18  # one thousand million currency units


class Amount(msgspec.Struct, array_like=True, gc=False):
    """A sum in 1e-9 currency units, kept as two words of which the lower is 0..BASE-1."""

    high: int = 0
    low: int = 0

    @property
    def value(self) -> int:
        return self.high * BASE + self.low

    def add(self, value: int) -> None:
        low = self.low + value
        if 0 <= low < BASE:
            self.low = low
        else:
            carry, self.low = divmod(low, BASE)
            self.high += carry
