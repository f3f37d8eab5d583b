"""What allocation is asked."""

import msgspec

from schemas.messages.netting import CrossExecuted
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from streams.core.market import Instrument


class AllocateFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Give the fill's quantity (error part excluded) to its epoch, or to that epoch's tail."""

    fill: FillBooked


class AllocateCross(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    cross: CrossExecuted
    instrument: Instrument


class RestateFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    change: FillBusted | FillCorrected


class FinishCash(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Divide the cash of every finished epoch of the parent where it is not yet right."""

    parent_id: str


AllocationCommand = AllocateFill | AllocateCross | RestateFill | FinishCash
