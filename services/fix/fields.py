"""FIX text as ordered fields: read, written, repeating groups; no dictionary and no QuickFIX."""

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["SOH", "Fields", "framed"]

SOH: Final = "\x01"
# Data fields may hold SOH: the field before each of them says how long it is.
LENGTHS: Final = {
    90: 91, 93: 89, 95: 96, 212: 213, 348: 349, 350: 351, 352: 353, 354: 355, 356: 357, 358: 359,
    360: 361, 362: 363, 364: 365, 445: 446, 618: 619, 621: 622, 1184: 1185, 1277: 1278, 1280: 1281,
    1282: 1283, 1397: 1398, 1468: 1469,
}  # fmt: skip


class Fields:
    """Tags with their values, in order; a tag may come again inside repeating groups.

    Text is Latin-1, so that every byte of a counterparty comes back as it was.
    """

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[int, str]] = ()) -> None:
        self.pairs = list(pairs)

    @classmethod
    def parse(cls, text: bytes) -> "Fields":
        """Return the fields of a whole message or of a body. Raises ValueError: not tag=value."""
        return cls(_read(text.decode("latin-1")))

    def get(self, tag: int, default: str = "") -> str:
        """Return the first value of a tag."""
        for each, value in self.pairs:
            if each == tag:
                return value
        return default

    def __contains__(self, tag: int) -> bool:
        return any(each == tag for each, _ in self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fields) and self.pairs == other.pairs

    def __repr__(self) -> str:
        return "|".join(f"{tag}={value}" for tag, value in self.pairs)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def add(self, tag: int, value: object) -> "Fields":
        """Append a field and return self; None and nothing are left out, a bool is Y or N."""
        if value is not None and value != "":
            text = ("Y" if value else "N") if isinstance(value, bool) else str(value)
            self.pairs.append((tag, text))
        return self

    def groups(self, count_tag: int) -> list["Fields"]:
        """Return the entries of a repeating group that is the last of its message or nests none.

        The tag after the count begins each entry. The last entry runs to the end, so the caller
        looks up only tags of the group there. Raises ValueError: the count is wrong.
        """
        tags = [tag for tag, _ in self.pairs]
        if count_tag not in tags:
            return []
        at = tags.index(count_tag)
        count = int(self.pairs[at][1])
        first = tags[at + 1] if at + 1 < len(tags) else 0
        starts = [n for n in range(at + 1, len(tags)) if tags[n] == first] if count else []
        if len(starts) != count:
            raise ValueError(f"{count_tag}={count} and {len(starts)} entries")
        ends = [*starts[1:], len(tags)]
        return [Fields(self.pairs[a:b]) for a, b in zip(starts, ends, strict=False)]

    def body(self) -> bytes:
        """Return `tag=value` with SOH after each. Raises ValueError: a value is empty or has SOH.

        An empty value is no FIX; SOH would begin another field.
        """
        for tag, value in self.pairs:
            if not value or (SOH in value and tag not in LENGTHS.values()):
                raise ValueError(f"tag {tag} cannot have the value {value!r}")
        return "".join(f"{tag}={value}{SOH}" for tag, value in self.pairs).encode("latin-1")


def framed(begin_string: str, header: Fields, body: bytes) -> bytes:
    """Return a whole message: BeginString, BodyLength, header (from 35 on), body, CheckSum."""
    inner = header.body() + body
    start = f"8={begin_string}{SOH}9={len(inner)}{SOH}".encode("latin-1") + inner
    return start + f"10={sum(start) % 256:03d}{SOH}".encode("latin-1")


def _read(text: str) -> Iterator[tuple[int, str]]:
    at, length, data_tag = 0, 0, 0
    while at < len(text):
        equals = text.find("=", at)
        if equals < 0 or not text[at:equals].isdigit():
            raise ValueError(f"no tag at {at}: {text[at : at + 20]!r}")
        tag = int(text[at:equals])
        end = equals + 1 + length if tag == data_tag else text.find(SOH, equals)
        if end < 0 or (end < len(text) and text[end] != SOH):
            raise ValueError(f"tag {tag} does not end")
        value = text[equals + 1 : end]
        if not value:
            raise ValueError(f"tag {tag} has no value")
        data_tag = LENGTHS.get(tag, 0)
        length = int(value) if data_tag and value.isdigit() else 0
        yield tag, value
        at = end + 1
