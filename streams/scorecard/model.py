"""The fitted venue model: what a day begins with, as people approved it. Integers only."""

from typing import Final

import msgspec

from schemas.messages.core import OrderKind, Side
from streams.core.bucket import cell_key
from streams.scorecard.curve import BINS
from streams.scorecard.estimate import E9, VALUE_MAX, Known
from streams.scorecard.tails import SIZES

__all__ = ["WEIGHT_MAX", "CellModel", "VenueModel", "parse"]

WEIGHT_MAX: Final = 32 * E9  # children: a model is drawn from as much as a third of a day's memory
CELLS_MAX: Final = 2_000
TEXT_MAX: Final = 64
DAY_NS: Final = 86_400 * E9


class CellModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One venue, kind of order, bucket and side: a prior of the scorecard's cell.

    `price` is what a filled unit costs against the midpoint, the fee apart: the realized half
    spread of what rests, of what takes the effective one with the drift until the fill.
    Units:  hazards and rates 1e-9; costs 1e-9 basis points; weights 1e-9 children.
    """

    venue_id: str
    kind: OrderKind
    bucket: str
    side: Side
    weight: int
    fill_hazards: tuple[int, ...]
    away_hazards: tuple[int, ...]
    rejects: Known
    price: Known
    fee: Known
    leakage: Known
    missed: Known
    ack_p50_ns: int = 0
    ack_p99_ns: int = 0
    tail_ends: tuple[int, ...] = ()  # chance at each size that no more is there
    tail_weight: int = 0

    @property
    def key(self) -> str:
        """The cell that it is the prior of."""
        return cell_key(self.venue_id, self.kind, self.bucket, self.side)


class VenueModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All cells, and what they were fitted on."""

    name: str
    log_id: str = ""
    first_ns: int = 0
    last_ns: int = 0
    children: int = 0
    cells: tuple[CellModel, ...] = ()


def parse(content: str) -> VenueModel:
    """Return the model. Raises msgspec.MsgspecError when the text is none that can be used."""
    model = msgspec.json.decode(content, type=VenueModel)
    if not 0 < len(model.name) <= TEXT_MAX:
        raise msgspec.ValidationError("name is not of 1 to 64 characters")
    if len(model.cells) > CELLS_MAX:
        raise msgspec.ValidationError(f"{len(model.cells)} cells, at most {CELLS_MAX}")
    seen: dict[str, CellModel] = {}
    for cell in model.cells:
        problem = "stands twice" if cell.key in seen else _problem(cell)
        if problem:
            raise msgspec.ValidationError(f"cell {cell.key}: {problem}")
        seen[cell.key] = cell
    return model


def _problem(cell: CellModel) -> str:
    """Return what is wrong with a cell; empty when it can be used."""
    hazards = (*cell.fill_hazards, *cell.away_hazards, *cell.tail_ends)
    pairs = zip(cell.fill_hazards, cell.away_hazards, strict=False)
    means = (cell.rejects, cell.price, cell.fee, cell.leakage, cell.missed)
    weights = (cell.weight, cell.tail_weight, *(known.weight for known in means))
    rules = {
        f"hazards are not of {BINS} bins": len(cell.fill_hazards) == len(cell.away_hazards) == BINS,
        f"tail_ends is not of {SIZES} sizes": len(cell.tail_ends) in (0, SIZES),
        "a hazard is not in 0..1e9": all(0 <= hazard <= E9 for hazard in hazards),
        "hazards of a bin exceed 1e9 together": all(fill + away <= E9 for fill, away in pairs),
        f"a weight is not in 0..{WEIGHT_MAX}": all(0 <= each <= WEIGHT_MAX for each in weights),
        f"a mean is beyond {VALUE_MAX}": all(abs(known.mean) <= VALUE_MAX for known in means),
        f"an error is not in 1..{VALUE_MAX}": all(0 < known.error <= VALUE_MAX for known in means),
        "ack_p50_ns and ack_p99_ns do not ascend within a day": 0
        <= cell.ack_p50_ns
        <= cell.ack_p99_ns
        <= DAY_NS,
        "kind or side is UNKNOWN": cell.kind is not OrderKind.UNKNOWN
        and cell.side is not Side.UNKNOWN,
    }
    return next((problem for problem, is_kept in rules.items() if not is_kept), "")
