"""Which records are worth decoding: told by the schema id of their frame."""

from schemas.avro import registry
from schemas.messages.index import MESSAGE_TYPES

__all__ = ["Frames"]


class Frames:
    """The frames of some messages, in every version; a day has a hundred times as many others."""

    def __init__(self, kinds: tuple[type[object], ...]) -> None:
        names = tuple(
            each.name.rpartition(".")[0] + "." for each in MESSAGE_TYPES if each.struct in kinds
        )
        self._prefixes = tuple(
            b"\x00" + schema_id.to_bytes(4, "big")
            for name, schema_id in registry().items()
            if name.startswith(names)
        )

    def is_one(self, value: bytes) -> bool:
        return value.startswith(self._prefixes)
