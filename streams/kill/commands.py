"""What the kill switch is asked. The shard adds what it finds in scope at this instant."""

import msgspec

from schemas.messages.core import LiveChild
from schemas.messages.kill import ApproveRelease, EngageKill, ProposeRelease
from streams.kill.flags import Flag

MESSAGES = (EngageKill, ProposeRelease, ApproveRelease)  # of kill.commands


class InScope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a kill of the command's scope meets on this shard."""

    orders: int = 0  # open source orders
    orders_quantity: int = 0  # that they still want
    children: tuple[LiveChild, ...] = ()  # which venues may have


class SubmitKill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: EngageKill
    actor: str
    in_scope: InScope


class RaiseFlag(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file or a signal on this host says stop."""

    flag: Flag
    in_scope: InScope


class LowerFlag(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The file is gone. That releases nothing; it only no longer forbids the release."""

    flag: str


class SubmitProposal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: ProposeRelease
    actor: str


class SubmitApproval(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: ApproveRelease
    actor: str


class ConfirmKills(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Say of which kills nothing is unconfirmed any more."""


KillCommand = SubmitKill | RaiseFlag | LowerFlag | SubmitProposal | SubmitApproval | ConfirmKills
