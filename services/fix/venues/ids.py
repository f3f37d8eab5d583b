"""ClOrdIDs: the child's id for its D, then the child's id with a number for each F, G and H."""

from typing import Final, NamedTuple

__all__ = ["MARK", "ClientId", "cancel_id", "read_id", "replace_id", "status_id"]

MARK: Final = "/"
# The engine counts cancels and replaces apart, a venue takes each ClOrdID once.
KINDS: Final = 2
CANCEL, REPLACE = 0, 1
DIGITS_MAX: Final = 9


class ClientId(NamedTuple):
    """What a ClOrdID says. Requests are those of the engine; 0 for none."""

    child_id: str
    cancel: int = 0
    replace: int = 0

    @property
    def is_new_order(self) -> bool:
        return not self.cancel and not self.replace


def cancel_id(child_id: str, request: int) -> str:
    """Return FIX 11 of the n-th cancel request: even numbers."""
    return f"{child_id}{MARK}{KINDS * request + CANCEL}"


def replace_id(child_id: str, request: int) -> str:
    """Return FIX 11 of the n-th replace request: odd numbers."""
    return f"{child_id}{MARK}{KINDS * request + REPLACE}"


def status_id(child_id: str, request: int) -> str:
    """Return FIX 790 of a question."""
    return f"{child_id}{MARK}S{request}"


def read_id(text: str) -> ClientId:
    """Return what a ClOrdID of ours says; for another text it is the child's id as it stands."""
    child_id, mark, number = text.rpartition(MARK)
    if not mark or not (number.isascii() and number.isdecimal()) or len(number) > DIGITS_MAX:
        return ClientId(text)
    request, kind = divmod(int(number), KINDS)
    if kind == CANCEL:
        return ClientId(child_id, cancel=request)
    return ClientId(child_id, replace=request)
