"""A message that is being read: who sent it, when, and how a value of it is refused."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from schemas.messages.core import RejectReason
from services.fix.clients.reference import Listed, Reference
from services.fix.clients.terms import Seat
from services.fix.fields import Fields
from services.fix.values import FixValueError, utc_text

__all__ = ["Asked", "Indexed", "MissingTagError", "content_digest"]

# What may differ in a second sending: header, trailer, and the instant at which it was made.
_NOT_CONTENT: Final = frozenset(
    {8, 9, 10, 34, 43, 49, 50, 52, 56, 57, 60, 89, 90, 91, 93, 97, 115, 116, 122, 128, 129, 142}
    | {143, 144, 145, 212, 213, 347, 369, 627, 628, 629, 630, 1128, 1129, 1156}
)


class MissingTagError(FixValueError):
    """A tag that the message needs here is not there: j with 380=5, not an order's refusal."""

    def __init__(self, reason: RejectReason, tag: int, name: str, bound: str) -> None:
        super().__init__(reason, name, "", bound)
        self.tag = tag


class Indexed(Fields):
    """Fields of which many are looked up: an order asks for some forty tags."""

    __slots__ = ("_first",)

    def __init__(self, pairs: Iterable[tuple[int, str]]) -> None:
        super().__init__(pairs)
        self._first = dict(reversed(self.pairs))

    def get(self, tag: int, default: str = "") -> str:
        """Return the first value of a tag."""
        return self._first.get(tag, default)

    def __contains__(self, tag: int) -> bool:
        return tag in self._first


class Asked(NamedTuple):
    """A client's message or an order of its list, with what it is read by."""

    seat: Seat
    reference: Reference
    at_ns: int  # when it was received
    fields: Fields

    def need(self, tag: int, name: str, bound: str = "a value") -> str:
        """Return a tag's value. Raises: MissingTagError."""
        value = self.fields.get(tag)
        if not value:
            raise MissingTagError(RejectReason.FIELD_EMPTY, tag, name, f"{bound} in tag {tag}")
        return value

    @property
    def day(self) -> str:
        """Return the day of its receipt, UTC, as yyyymmdd."""
        return utc_text(self.at_ns, 0)[:8]

    @property
    def symbol(self) -> str:
        """Return the client's name of the instrument. Raises: MissingTagError."""
        return self.need(self.seat.terms.symbol_tag, "symbol")

    def instrument(self) -> tuple[str, Listed]:
        """Return our name of the instrument and its terms. Raises: FixValueError."""
        symbol = self.symbol
        instrument_id = self.seat.terms.instrument_id(symbol)
        listed = self.reference.listed(instrument_id, self.at_ns)
        if listed is None:
            bound = "defined instruments"
            raise FixValueError(RejectReason.UNKNOWN_INSTRUMENT, "symbol", symbol, bound)
        return instrument_id, listed

    def account_id(self) -> str:
        """Return the account, which the session may trade. Raises: FixValueError."""
        terms = self.seat.terms
        account_id = self.fields.get(1) or terms.default_account or self.need(1, "account")
        if not terms.may_trade(account_id):
            bound = f"accounts of {terms.source}"
            raise FixValueError(RejectReason.NOT_ENTITLED, "account", account_id, bound)
        return account_id


def content_digest(fields: Fields) -> bytes:
    """Return a digest of what a message asks; a second sending has the same."""
    kept = [(tag, value) for tag, value in fields.pairs if tag not in _NOT_CONTENT]
    text = "\1".join(f"{tag}={value}" for tag, value in kept)
    return blake2b(text.encode("latin-1"), digest_size=16).digest()
