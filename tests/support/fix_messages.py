"""Messages of every type and version, made by chance from the dictionaries, and spoiled ones."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from services.fix.dictionary import Dictionary, Item, Version, dictionary
from services.fix.fields import SOH, Fields

__all__ = ["WILD", "Maker", "spoiled"]

# What a counterparty's bug or ill will puts into a field.
WILD: Final = (
    "", " ", "0", "-0", "-1", "1e9", "1.5", "0.000000001", "99999999999999999999999", "-" * 40,
    "NaN", "Infinity", "1_000", "0x10", "\u00e9", "\x00", "A" * 5_000, "=", "|", "a=b", "1=1",
    "20250230-25:61:61", "20250616-13:30:00.123456789", "00000000", "Y", "N", "'; --", "%s", "{0}",
    "\u00b2", "\u0661".encode().decode("latin-1"), "+5", "5.", ".5", "005", "1 2 3", "\n",
)  # fmt: skip
HEADER: Final = (8, 9, 35, 34, 49, 52, 56)
OPTIONAL: Final = 0.008  # of fields that a version allows: most messages are short
GROUPS: Final = (957, 453, 78)  # parameters, parties, allocations
TAGS: Final = (*range(1, 120), 150, 151, 382, 453, 528, 555, 702, 711, 797, 847, 957, 5700, 9999)


class Maker:
    """Makes messages of one version; `values` knows what some tags mean to this gateway."""

    def __init__(
        self, version: Version, chance: Random, values: dict[int, Callable[[], str]]
    ) -> None:
        self.words: Dictionary = dictionary(version)
        self.chance = chance
        self.values = values

    def body(self, msg_type: str, usual: Sequence[int]) -> Fields | None:
        """Return fields after the header: required, `usual` mostly, others now and then.

        None when the version has no such message.
        """
        layout = self.words.layout(msg_type)
        return None if layout is None else Fields(self._pairs(layout.items, frozenset(usual), 0))

    def _pairs(
        self, items: Sequence[Item], usual: frozenset[int], depth: int
    ) -> list[tuple[int, str]]:
        pairs: list[tuple[int, str]] = []
        for item in items:
            odds = 1.0 if item.is_required else self._odds(item.tag, usual, depth)
            if self.chance.random() >= odds:
                continue
            if not item.group:
                pairs.append((item.tag, self._value(item.tag)))
                continue
            count = self.chance.randint(1, 3)
            pairs.append((item.tag, str(count)))
            for _ in range(count):
                first, *rest = item.group
                pairs.append((first.tag, self._value(first.tag)))
                pairs += self._pairs(rest, usual, depth + 1)
        return pairs

    def _odds(self, tag: int, usual: frozenset[int], depth: int) -> float:
        if tag in usual:
            return 0.98
        # What means something here comes more often than what only the dictionary knows.
        return (0.06 if tag in self.values or tag in GROUPS else OPTIONAL) / (1 + depth)

    def _value(self, tag: int) -> str:
        if known := self.values.get(tag):
            return known()
        kind = self.words.fields[tag]
        if kind.values:
            return self.chance.choice(tuple(kind.values))
        return self._by_type(kind.type)

    def _by_type(self, kind: str) -> str:
        low = self.chance.randint(10, 59)
        texts = {
            **dict.fromkeys(("PRICE", "AMT", "PRICEOFFSET", "FLOAT", "PERCENTAGE"), f"{low}.{low}"),
            **dict.fromkeys(("QTY", "INT", "SEQNUM", "LENGTH", "NUMINGROUP"), str(low * low)),
            **dict.fromkeys(
                ("UTCTIMESTAMP", "TZTIMESTAMP", "TIME"), f"20250615-15:{low}:{low}.{low}0"
            ),
            **dict.fromkeys(
                ("LOCALMKTDATE", "UTCDATEONLY", "UTCDATE", "DATE"), f"202506{low % 20 + 10}"
            ),
            "BOOLEAN": self.chance.choice("YN"),
            "CHAR": self.chance.choice("0123456789ABCDEF"),
            "CURRENCY": self.chance.choice(("USD", "EUR")),
        }
        return texts.get(kind, f"x{low}")


def spoiled(text: bytes, chance: Random) -> bytes:
    """Return the message with one to four things wrong: fields, groups, tags, or bare bytes."""
    for _ in range(chance.randint(1, 4)):
        if chance.random() < 0.2:
            text = _bytes_spoiled(text, chance)
            continue
        parts = text.decode("latin-1").split(SOH)[:-1]
        _field_spoiled(parts, chance)
        text = "".join(part + SOH for part in parts).encode("latin-1", "replace")
    return text


def _field_spoiled(parts: list[str], chance: Random) -> None:
    if not parts:
        parts.append("35=D")
    at = chance.randrange(len(parts))
    tag, _, value = parts[at].partition("=")
    match chance.randint(0, 8):
        case 0:
            del parts[at]
        case 1:
            parts.insert(chance.randint(0, len(parts)), parts[at])
        case 2:
            parts[at] = f"{tag}={chance.choice(WILD)}"
        case 3:
            parts[at] = f"{chance.choice(TAGS)}={value}"
        case 4:
            other = chance.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        case 5:
            parts.insert(at, f"{chance.choice(TAGS)}={chance.choice(WILD)}")
        case 6:  # a count that lies
            parts[at] = f"{tag}={chance.choice(('0', '-1', '2', '3', '1000000000'))}"
        case 7:
            parts[at] = f"{tag}={value}{chance.choice(('x', ' ', '.', '0', '-', chr(233)))}"
        case _:
            first = chance.randint(0, at)
            parts[at:at] = parts[first : first + chance.randint(1, 8)]


def _bytes_spoiled(text: bytes, chance: Random) -> bytes:
    made = bytearray(text)
    at = chance.randrange(len(made) + 1)
    match chance.randint(0, 3):
        case 0 if at < len(made):
            made[at] ^= 1 << chance.randint(0, 7)
        case 1:
            made[at : at + chance.randint(1, 20)] = b""
        case 2:
            made[at:at] = chance.randbytes(chance.randint(1, 6))
        case _:
            del made[at:]
    return bytes(made)
