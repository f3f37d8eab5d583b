"""A CSV file to the entries of a basket."""

import csv
from pathlib import Path
from typing import Any, Final

from schemas.messages.core import (
    BasketEntry,
    Constraints,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from services.orders.parameters import COLUMNS as PARAMETER_COLUMNS
from services.orders.parameters import parameters_of
from services.orders.terms import TermsError, instant_ns, instrument_of, price_e9, units
from streams.shard.reference import ReferenceView

__all__ = ["DEFAULTS", "constraints_of", "entries", "entry_of"]

DEFAULTS: Final = {
    "account_id": "",
    "desk_id": "",
    "side": "",
    "limit_price": "",
    "time_in_force": "DAY",
    "strategy": "VWAP",
    "urgency": "NEUTRAL",
    "start": "",
    "end": "",
    "expire": "",
    "participation_cap_bps": "10000",
    "is_cross_allowed": "true",
    "is_dark_allowed": "true",
    "currency": "",
    "is_short_sale": "false",
    "locate_id": "",
    "minimum_quantity": "",
    "display_quantity": "",
    "would_price": "",
    "venue_ids": "",
    "excluded_venue_ids": "",
}
COLUMNS: Final = (
    *("client_order_id", "instrument_id", "quantity"),
    *DEFAULTS,
    *PARAMETER_COLUMNS,
)


def entries(path: Path, view: ReferenceView, at_ns: int) -> tuple[BasketEntry, ...]:
    """Return the orders of the file. Raises: TermsError for what can not be told exactly."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = reader.fieldnames or ()
        for name in names:
            if name not in COLUMNS:
                raise TermsError("column", name, f"one of {', '.join(COLUMNS)}")
        for name in ("client_order_id", "instrument_id", "side", "quantity"):
            if name not in names:
                raise TermsError("header", ",".join(names), f"complete: {name} is missing")
        return tuple(entry_of(row, view, at_ns) for row in reader)


def entry_of(row: dict[str, Any], view: ReferenceView, at_ns: int) -> BasketEntry:
    """Return one order. `row` has texts by column; what it leaves out has its default."""
    texts = {**DEFAULTS, **{name: text for name, text in row.items() if text}}
    terms = instrument_of(view, texts["instrument_id"], at_ns)
    limit_price_e9 = price_e9("limit_price", texts["limit_price"])
    return BasketEntry(
        client_order_id=texts["client_order_id"],
        account_id=texts["account_id"],
        desk_id=texts["desk_id"],
        instrument_id=texts["instrument_id"],
        side=_one_of(Side, "side", texts["side"]),
        quantity=units("quantity", texts["quantity"], terms),
        order_type=OrderType.MARKET if limit_price_e9 is None else OrderType.LIMIT,
        limit_price_e9=limit_price_e9,
        time_in_force=_one_of(TimeInForce, "time_in_force", texts["time_in_force"]),
        strategy=_one_of(StrategyKind, "strategy", texts["strategy"]),
        urgency=_one_of(Urgency, "urgency", texts["urgency"]),
        start_ns=instant_ns("start", texts["start"]),
        end_ns=instant_ns("end", texts["end"]),
        participation_cap_bps=_whole("participation_cap_bps", texts["participation_cap_bps"]),
        is_cross_allowed=_is_true("is_cross_allowed", texts["is_cross_allowed"]),
        is_dark_allowed=_is_true("is_dark_allowed", texts["is_dark_allowed"]),
        currency=texts["currency"],
        expire_ns=instant_ns("expire", texts["expire"]),
        is_short_sale=_is_true("is_short_sale", texts["is_short_sale"]),
        locate_id=texts["locate_id"],
        constraints=constraints_of(texts, view, at_ns),
        parameters=parameters_of(texts),
    )


def constraints_of(texts: dict[str, Any], view: ReferenceView, at_ns: int) -> Constraints | None:
    """Return the mandate of a row; None when it asks nothing."""
    terms = instrument_of(view, texts["instrument_id"], at_ns)
    constraints = Constraints(
        minimum_quantity=units("minimum_quantity", texts["minimum_quantity"], terms),
        display_quantity=units("display_quantity", texts["display_quantity"], terms),
        would_price_e9=price_e9("would_price", texts["would_price"]),
        venue_ids=tuple(texts["venue_ids"].split()),
        excluded_venue_ids=tuple(texts["excluded_venue_ids"].split()),
    )
    return None if constraints == Constraints() else constraints


def _one_of(kind: Any, field: str, text: str) -> Any:
    known = [each.value for each in kind if each.value != "UNKNOWN"]
    name = text.upper().replace("-", "_")
    if name not in known:
        raise TermsError(field, text, f"one of {', '.join(known)}")
    return kind(name)


def _whole(field: str, text: str) -> int:
    if not text.isdecimal():
        raise TermsError(field, text, "a whole number")
    return int(text)


def _is_true(field: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise TermsError(field, text, "true or false")
    return text.lower() == "true"
