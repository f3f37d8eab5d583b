"""Avro's primitive encodings for the generated wire code; tables make short values one lookup.

Readers return (value, next position) and raise IndexError or ValueError; a read past the end by
slicing leaves a position that the caller refuses. `read_long` and `read_int` come behind a `first`
byte that the generated code has read: it handles the one-byte case itself.
"""

from typing import Final

__all__ = [
    "BOOLEANS",
    "SIZES",
    "TEXTS",
    "TIMES",
    "UNION_BRANCHES",
    "WIRE_INTS",
    "WIRE_LONGS",
    "WIRE_TEXTS",
    "bytes_from_cash",
    "cash_from_bytes",
    "encode_cash",
    "encode_fixed",
    "encode_int",
    "encode_long",
    "read_block",
    "read_cash",
    "read_int",
    "read_long",
    "read_size",
    "read_time",
]

CASH_BOUND: Final = 10**38  # decimal(38, 9)
LONG_BOUND: Final = 1 << 63
INT_BOUND: Final = 1 << 31
TABLE: Final = 1 << 14  # two bytes of seven bits
MEMO_MAX: Final = 8192
TEXT_MAX: Final = 64
BOOLEANS: Final = {0: False, 1: True}
UNION_BRANCHES: Final = {0: False, 2: True}  # ["null", X]: is there an X
TIMES: Final[dict[bytes, int]] = {}  # nine wire bytes -> ns; one batch shares its times
_SHORT: Final = tuple(
    bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7)) for n in range(TABLE)
)
_MARKS: Final = tuple(sum(128 << 7 * n for n in range(count)) for count in range(10))
_MORE: Final = tuple(bytes((n & 127 | 128, n >> 7 | 128)) for n in range(TABLE))
SIZES: Final = _SHORT[::2]  # length -> its zig-zag varint


def _varint(n: int) -> bytes:
    if n < TABLE:
        return _SHORT[n]
    if n < TABLE * TABLE:
        return _MORE[n & (TABLE - 1)] + _SHORT[n >> 14]
    parts = []
    while n >= TABLE:
        parts.append(_MORE[n & (TABLE - 1)])
        n >>= 14
    parts.append(_SHORT[n])
    return b"".join(parts)


def encode_long(value: int) -> bytes:
    """Return a long's bytes. Raises OverflowError beyond 64 bits."""
    if -LONG_BOUND <= value < LONG_BOUND:
        return _varint(value << 1 if value >= 0 else ~(value << 1))
    raise OverflowError(f"{value} does not fit a long")


def encode_int(value: int) -> bytes:
    """Return an int's bytes. Raises OverflowError beyond 32 bits."""
    if -INT_BOUND <= value < INT_BOUND:
        return _varint(value << 1 if value >= 0 else ~(value << 1))
    raise OverflowError(f"{value} does not fit an int")


class WireNumbers(dict[int, bytes]):
    """Bytes of longs that come back: prices, dates, and the times that a batch's events share."""

    def __missing__(self, value: int) -> bytes:
        if len(self) >= MEMO_MAX:
            self.clear()
        self[value] = known = encode_long(value)
        return known


class WireInts(WireNumbers):
    """The same for ints, which overflow earlier."""

    def __missing__(self, value: int) -> bytes:
        encode_int(value)
        return super().__missing__(value)


class WireTexts(dict[str, bytes]):
    """Lengths and bytes of strings that come back: names of tenants, accounts, instruments."""

    def __missing__(self, value: str) -> bytes:
        data = value.encode()
        known = encode_long(len(data)) + data
        if len(known) <= TEXT_MAX:  # a bound on the memory, with MEMO_MAX
            if len(self) >= MEMO_MAX:
                self.clear()
            self[value] = known
        return known


class Texts(dict[bytes, str]):
    """The way back: one string object for all records that hold it, which saves memory too."""

    def __missing__(self, data: bytes) -> str:
        value = data.decode()
        if len(data) <= TEXT_MAX:
            if len(self) >= MEMO_MAX:
                self.clear()
            self[data] = value
        return value


WIRE_LONGS: Final = WireNumbers()
WIRE_INTS: Final = WireInts()
WIRE_TEXTS: Final = WireTexts()
TEXTS: Final = Texts()


def encode_fixed(value: bytes, size: int) -> bytes:
    """Return `value`. Raises ValueError when its length is another."""
    if len(value) != size:
        raise ValueError(f"{len(value)} bytes where {size} are fixed")
    return value


def bytes_from_cash(cash_e9: int) -> bytes:
    """Return the unscaled number of a decimal(38, 9), as long as fastavro writes it.

    Units:  1e-9 currency units.
    Raises: OverflowError beyond 38 digits.
    """
    if -CASH_BOUND < cash_e9 < CASH_BOUND:
        return cash_e9.to_bytes((cash_e9.bit_length() + 8) >> 3, "big", signed=True)
    raise OverflowError(f"{cash_e9} has more than 38 digits")


def cash_from_bytes(data: bytes) -> int:
    """Return 1e-9 currency units; ValueError beyond 38 digits."""
    cash_e9 = int.from_bytes(data, "big", signed=True)
    if -CASH_BOUND < cash_e9 < CASH_BOUND:
        return cash_e9
    raise ValueError("cash of more than 38 digits")


def encode_cash(cash_e9: int) -> bytes:
    """Return cash after its length. Raises OverflowError beyond 38 digits."""
    data = bytes_from_cash(cash_e9)
    return SIZES[len(data)] + data


def read_long(  # noqa: PLR0911 one return per length
    data: bytes, at: int, first: int
) -> tuple[int, int]:
    """Return a long of two bytes or more; ValueError when it needs more than 64 bits.

    The loop is unrolled because it is most of the time of a decode. Bytes are added with their
    continuation bits, which one subtraction of _MARKS takes off at the end.
    """
    value = first + (data[at] << 7)
    if data[at] < 128:
        value -= 128
        return value >> 1 ^ -(value & 1), at + 1
    byte = data[at + 1]
    value += byte << 14
    if byte < 128:
        value -= _MARKS[2]
        return value >> 1 ^ -(value & 1), at + 2
    byte = data[at + 2]
    value += byte << 21
    if byte < 128:
        value -= _MARKS[3]
        return value >> 1 ^ -(value & 1), at + 3
    byte = data[at + 3]
    value += byte << 28
    if byte < 128:
        value -= _MARKS[4]
        return value >> 1 ^ -(value & 1), at + 4
    byte = data[at + 4]
    value += byte << 35
    if byte < 128:
        value -= _MARKS[5]
        return value >> 1 ^ -(value & 1), at + 5
    byte = data[at + 5]
    value += byte << 42
    if byte < 128:
        value -= _MARKS[6]
        return value >> 1 ^ -(value & 1), at + 6
    return _read_rest(data, at + 6, value)


def _read_rest(data: bytes, at: int, value: int) -> tuple[int, int]:
    for taken in (7, 8, 9):
        byte = data[at]
        at += 1
        value += byte << 7 * taken
        if byte < 128:
            value -= _MARKS[taken]
            if value >> 64:
                break
            return value >> 1 ^ -(value & 1), at
    raise ValueError("varint of more than 64 bits")


def _read_any(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    return read_long(data, at + 1, first) if first > 127 else (first >> 1 ^ -(first & 1), at + 1)


def read_int(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Return an int; ValueError when it needs more than 32 bits."""
    value, at = read_long(data, at, first)
    if -INT_BOUND <= value < INT_BOUND:
        return value, at
    raise ValueError("int of more than 32 bits")


def read_time(data: bytes, at: int) -> tuple[int, int]:
    """Return the long at `at`, remembering it when it has nine bytes, as every present time has."""
    value, end = _read_any(data, at)
    if end - at == 9:
        if len(TIMES) >= MEMO_MAX:
            TIMES.clear()
        TIMES[data[at:end]] = value
    return value, end


def read_size(data: bytes, at: int) -> tuple[int, int]:
    """Return a length; ValueError when negative or beyond the data."""
    size, at = _read_any(data, at)
    if not 0 <= size <= len(data) - at:
        raise ValueError(f"length {size} beyond the data")
    return size, at


def read_block(data: bytes, at: int) -> tuple[int, int]:
    """Return an array block's count, 0 at the end.

    Every item takes a byte at least, so a count beyond the bytes left is refused before it is used.
    """
    count, at = _read_any(data, at)
    if count < 0:
        count = -count
        _, at = _read_any(data, at)
    if count > len(data) - at:
        raise ValueError(f"{count} items in {len(data) - at} bytes")
    return count, at


def read_cash(data: bytes, at: int) -> tuple[int, int]:
    """Return 1e-9 currency units; ValueError beyond 38 digits."""
    size, at = read_size(data, at)
    return cash_from_bytes(data[at : at + size]), at + size
