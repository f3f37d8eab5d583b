"""From a log and archives to an outcome: fit, judge, decide again."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas.messages.core import Envelope
from services.venuemodel.children import Observed, observe, read
from services.venuemodel.fit import fit
from services.venuemodel.judge import Judge, split
from services.venuemodel.report import Outcome
from streams.core.errors import Error
from streams.scorecard.model import VenueModel, parse

__all__ = ["NothingToFitError", "content_of", "gather", "work"]

CHILDREN_MIN = 20


class NothingToFitError(Error):
    """Too few children came to an end."""


def gather(entries: Iterable[tuple[Envelope, Any]], archives: Sequence[Path]) -> Observed:
    """Return what the log says with the children of the archives before it.

    Raises: OSError, msgspec.MsgspecError for an archive that cannot be read.
    """
    found = observe(entries)
    known = {child.child_id for child in found.children}
    for path in archives:
        for child in read(path):
            if child.child_id not in known:  # the archive of this very log
                known.add(child.child_id)
                found.children.append(child)
    return found


def work(observed: Observed, *, name: str, part: float, old: VenueModel | None = None) -> Outcome:
    """Fit on all; judge by a fit of the earlier part alone on what came after it.

    `old` is what the new model is held against; without it, the one in force.
    Raises: NothingToFitError.
    """
    children = [child for child in observed.children if not child.is_open]
    if len(children) < CHILDREN_MIN:
        raise NothingToFitError(f"{len(children)} children came to an end, {CHILDREN_MIN} needed")
    if old is None and observed.in_force is not None:
        old = parse(observed.in_force.content)
    judge = Judge(children, observed.venues, observed.prices)
    before, after = split(children, part)
    trial = fit(before, observed.venues, observed.prices, name=name)
    model = fit(children, observed.venues, observed.prices, name=name, log_id=observed.log_id)
    changed, weighed = judge.what_if(model, old, observed.decisions)
    return Outcome(
        model=model,
        content=content_of(model),
        old_name="" if old is None else old.name,
        part=part,
        verdict=judge.compare(trial, old, after),
        changed=changed,
        weighed=weighed,
    )


def content_of(model: VenueModel) -> str:
    """Return the model's canonical text: what is hashed, proposed and put in force."""
    return msgspec.json.encode(model, order="sorted").decode()
