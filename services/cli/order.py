"""`penstock order ...` and `penstock basket FILE.csv`: ask the engine, print what it answers."""

import json
import os
import time
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.options import Bootstrap, Json, resolve_bootstrap
from services.cli.parameters import with_parameters
from services.cli.sentences import errors_as_sentences
from services.cli.tail import plain

if TYPE_CHECKING:
    from services.orders.ask import Answer, Asked

app = typer.Typer(
    name="order",
    help="Enter, replace and cancel orders. Exits 0 when accepted, 3 when refused.",
    no_args_is_help=True,
)
REFUSED = 3
Name = Annotated[str, typer.Option("--id", help="Id of this command (FIX 11); default: own")]
Tenant = Annotated[str, typer.Option(help="Tenant", envvar="PENSTOCK_TENANT")]
Source = Annotated[str, typer.Option(help="Upstream system", envvar="PENSTOCK_SOURCE")]
Instrument = Annotated[str, typer.Option("--instrument", help="Instrument")]
TradeDate = Annotated[int, typer.Option(help="yyyymmdd; default: of the session now")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for the answer")]
Original = Annotated[str, typer.Argument(help="Newest id of the order (FIX 41)")]
Venues = Annotated[list[str] | None, typer.Option("--venue", help="Only there; repeat for more")]
Minimum = Annotated[str, typer.Option("--minimum", help="Smallest execution")]
Display = Annotated[str, typer.Option("--display", help="Largest quantity shown")]
Would = Annotated[str, typer.Option("--would", help="Price at which all may trade at once")]
NoVenues = Annotated[list[str] | None, typer.Option("--no-venue", help="Not there; repeat")]


@app.command()
@with_parameters
def new(
    side: Annotated[str, typer.Argument(help="buy or sell")],
    quantity: Annotated[str, typer.Argument(help="As people write it, e.g. 100 or 0.25")],
    instrument_id: Instrument,
    account_id: Annotated[str, typer.Option("--account", help="Account")],
    desk_id: Annotated[str, typer.Option("--desk", help="Desk")],
    *,
    limit_price: Annotated[str, typer.Option("--limit", help="None: at market")] = "",
    strategy: Annotated[
        str, typer.Option(help="See penstock strategies, e.g. vwap, implementation-shortfall")
    ] = "VWAP",
    time_in_force: Annotated[
        str, typer.Option("--tif", help="day, ioc, gtc, gtd, at-open, at-close")
    ] = "DAY",
    urgency: Annotated[str, typer.Option(help="passive, neutral, urgent")] = "NEUTRAL",
    start: Annotated[str, typer.Option(help="Earliest time to trade, ISO 8601")] = "",
    end: Annotated[str, typer.Option(help="When it must be done")] = "",
    expire: Annotated[str, typer.Option(help="When a GTD order ends")] = "",
    participation_cap_bps: Annotated[int, typer.Option("--cap-bps", help="Own share")] = 10_000,
    is_cross_allowed: Annotated[bool, typer.Option("--cross/--no-cross")] = True,
    is_dark_allowed: Annotated[bool, typer.Option("--dark/--no-dark")] = True,
    locate_id: Annotated[str, typer.Option("--locate", help="Makes it a short sale")] = "",
    minimum_quantity: Minimum = "",
    display_quantity: Display = "",
    would_price: Would = "",
    venue_ids: Venues = None,
    excluded_venue_ids: NoVenues = None,
    currency: Annotated[str, typer.Option(help="ISO 4217")] = "",
    name: Name = "",
    tenant: Tenant = "T1",
    source: Source = "cli",
    trade_date: TradeDate = 0,
    timeout: Timeout = 10.0,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
    **parameters: str,
) -> None:
    """Enter an order. What its strategy is not told follows from the urgency."""
    row = _texts(locals()) | parameters
    row |= {"client_order_id": name or _own_name(), "is_short_sale": _text(bool(locate_id))}
    from schemas.messages.intake import NewOrder
    from services.orders.rows import entry_of

    with errors_as_sentences():
        terminal = _Terminal(bootstrap, timeout)
        entry = entry_of(row, terminal.view, terminal.at_ns)
        message = NewOrder(
            tenant=tenant,
            source=source,
            trade_date=trade_date or terminal.trade_date(instrument_id),
            **{field: getattr(entry, field) for field in entry.__struct_fields__},
        )
        _tell(terminal.ask([terminal.to(instrument_id, message)]), is_json=is_json)


@app.command(name="replace")
@with_parameters
def replace_order(
    original: Original,
    quantity: Annotated[str, typer.Argument(help="New quantity in all, fills included")],
    instrument_id: Instrument,
    *,
    limit: Annotated[str, typer.Option(help="New limit; none: as it is")] = "",
    end: Annotated[str, typer.Option(help="New end, ISO 8601; none: as it is")] = "",
    minimum_quantity: Minimum = "",
    display_quantity: Display = "",
    would_price: Would = "",
    venue_ids: Venues = None,
    excluded_venue_ids: NoVenues = None,
    is_plain: Annotated[bool, typer.Option("--plain", help="Take every mandate back")] = False,
    is_preset: Annotated[
        bool, typer.Option("--presets", help="Take every parameter of the strategy back")
    ] = False,
    name: Name = "",
    tenant: Tenant = "T1",
    source: Source = "cli",
    trade_date: TradeDate = 0,
    timeout: Timeout = 10.0,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
    **parameters: str,
) -> None:
    """Change an order. Mandate and parameters are replaced whole: name all, or none to keep."""
    row = _texts(locals())
    from schemas.messages.core import Constraints, StrategyParameters
    from schemas.messages.intake import ReplaceOrder
    from services.orders.parameters import parameters_of
    from services.orders.rows import constraints_of
    from services.orders.terms import instant_ns, instrument_of, price_e9, units

    with errors_as_sentences():
        terminal = _Terminal(bootstrap, timeout)
        terms = instrument_of(terminal.view, instrument_id, terminal.at_ns)
        asked = constraints_of(row, terminal.view, terminal.at_ns)
        message = ReplaceOrder(
            tenant=tenant,
            source=source,
            client_order_id=name or _own_name(),
            original_client_order_id=original,
            instrument_id=instrument_id,
            trade_date=trade_date or terms.trade_date,
            quantity=units("quantity", quantity, terms),
            limit_price_e9=price_e9("limit", limit),
            constraints=Constraints() if is_plain else asked,
            end_ns=instant_ns("end", end),
            parameters=StrategyParameters() if is_preset else parameters_of(parameters),
        )
        _tell(terminal.ask([terminal.to(instrument_id, message)]), is_json=is_json)


@app.command()
def cancel(
    original: Original,
    instrument_id: Instrument,
    *,
    name: Name = "",
    tenant: Tenant = "T1",
    source: Source = "cli",
    trade_date: TradeDate = 0,
    timeout: Timeout = 10.0,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Cancel an order."""
    from schemas.messages.intake import CancelOrder

    with errors_as_sentences():
        terminal = _Terminal(bootstrap, timeout)
        message = CancelOrder(
            tenant=tenant,
            source=source,
            client_order_id=name or _own_name(),
            original_client_order_id=original,
            instrument_id=instrument_id,
            trade_date=trade_date or terminal.trade_date(instrument_id),
        )
        _tell(terminal.ask([terminal.to(instrument_id, message)]), is_json=is_json)


@app.command()
def mass_cancel(
    scope: Annotated[str, typer.Argument(help="all, instrument, side, account, client, …")],
    scope_id: Annotated[str, typer.Argument(help="Which one; nothing for all")] = "",
    *,
    every_source: Annotated[
        bool, typer.Option(help="For people of the desk: orders of every source")
    ] = False,
    trade_date: Annotated[int, typer.Option(help="yyyymmdd of today's session")],
    name: Name = "",
    tenant: Tenant = "T1",
    source: Source = "cli",
    timeout: Timeout = 10.0,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Cancel every open order of a scope, on every shard."""
    from schemas.messages.core import MassCancelScope
    from schemas.messages.intake import MassCancelOrder
    from services.orders.terms import TermsError

    word = scope.upper()
    with errors_as_sentences():
        if word not in MassCancelScope.__members__ or word == "UNKNOWN":
            known = ", ".join(each.value for each in MassCancelScope if each.value != "UNKNOWN")
            raise TermsError("scope", scope, f"one of {known}")
        terminal = _Terminal(bootstrap, timeout)
        message = MassCancelOrder(
            tenant=tenant,
            source=source,
            client_order_id=name or _own_name(),
            trade_date=trade_date,
            scope=MassCancelScope(word),
            scope_id=scope_id.upper() if word in ("SIDE", "STRATEGY") else scope_id,
            is_every_source=every_source,
        )
        if message.scope is MassCancelScope.INSTRUMENT:
            asked = [terminal.to(scope_id, message)]
        else:
            asked = [terminal.at(p, source, message) for p in range(terminal.partitions)]
        _tell(terminal.ask(asked), is_json=is_json)


def basket(
    file: Annotated[Path, typer.Argument(help="CSV file with a header", exists=True)],
    *,
    all_or_none: Annotated[
        bool, typer.Option("--all-or-none/--valid-ones", help="Whether one refusal refuses all")
    ] = True,
    name: Annotated[str, typer.Option("--id", help="Id of the basket (FIX 66)")] = "",
    tenant: Tenant = "T1",
    source: Source = "cli",
    trade_date: TradeDate = 0,
    timeout: Timeout = 10.0,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Enter the orders of a file. Exits 3 when none of them is accepted."""
    from schemas.messages.core import BasketMode
    from schemas.messages.intake import NewBasket
    from services.orders.rows import entries
    from services.orders.terms import TermsError

    with errors_as_sentences():
        terminal = _Terminal(bootstrap, timeout)
        rows = entries(file, terminal.view, terminal.at_ns)
        if not rows:
            raise TermsError("basket", str(file), "a file with an order")
        first = rows[0].instrument_id
        shared: dict[str, Any] = {
            "tenant": tenant,
            "source": source,
            "basket_id": name or _own_name(),
            "trade_date": trade_date or terminal.trade_date(first),
            "mode": BasketMode.ALL_OR_NONE if all_or_none else BasketMode.VALID_ONES,
        }
        # All or none on one shard: the engine refuses a basket that spans several.
        owners = [terminal.partition(first if all_or_none else r.instrument_id) for r in rows]
        asked = []
        for owner in sorted(set(owners)):
            mine = tuple(row for row, where in zip(rows, owners, strict=True) if where == owner)
            asked.append(terminal.at(owner, shared["basket_id"], NewBasket(**shared, entries=mine)))
        _tell(terminal.ask(asked), is_json=is_json)


class _Terminal:
    """Where a command goes, and what reference data say now."""

    def __init__(self, bootstrap: str, timeout_s: float) -> None:
        from services.orders.ask import partitions
        from services.orders.terms import definitions

        self.at_ns = time.time_ns()
        self._bootstrap = resolve_bootstrap(bootstrap)
        self._timeout_s = timeout_s
        self.partitions = partitions(self._bootstrap)
        self.view = definitions(self._bootstrap, self.at_ns)

    def trade_date(self, instrument_id: str) -> int:
        from services.orders.terms import instrument_of

        return instrument_of(self.view, instrument_id, self.at_ns).trade_date

    def partition(self, instrument_id: str) -> int:
        from streams.core.murmur import partition_of

        return partition_of(instrument_id, self.partitions)

    def to(self, instrument_id: str, message: Any) -> "Asked":
        return self.at(self.partition(instrument_id), instrument_id, message)

    def at(self, partition: int, key: str, message: Any) -> "Asked":
        from services.orders.ask import Asked

        return Asked(partition, key, message)

    def ask(self, asked: Sequence["Asked"]) -> "list[Answer]":
        from services.orders.ask import ask

        actor = os.environ.get("PENSTOCK_ACTOR") or getuser()
        return ask(self._bootstrap, asked, actor=actor, timeout_s=self._timeout_s)


def _texts(given: dict[str, Any]) -> dict[str, str]:
    """Return a command's parameters as the columns of a basket file."""
    return {name: _text(value) for name, value in given.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(value) if isinstance(value, list) else str(value or "")


def _own_name() -> str:
    return f"cli-{time.time_ns():x}"


def _tell(answers: "list[Answer]", *, is_json: bool) -> None:
    """Print the answers; exit 3 when every one is a refusal."""
    is_refused = all(answer.is_refused for answer in answers)
    events = [event for answer in answers for event in answer.events]
    shown = [{"type": type(event).__name__, **plain(event)} for event in events]
    if is_json:
        typer.echo(json.dumps({"is_accepted": not is_refused, "events": shown}))
    else:
        for each in shown:
            typer.echo(_sentence(each))
    if is_refused:
        raise typer.Exit(REFUSED)


def _sentence(event: dict[str, Any]) -> str:
    """Return one line: what happened, to which order, and why not."""
    names = ("client_order_id", "basket_id", "order_id", "status")
    said = [event["type"], *(str(event[n]) for n in names if event.get(n))]
    counts = [n for n in event if n.endswith("_count")]
    said += [f"{count.removesuffix('_count')} {event[count]}" for count in counts]
    if event.get("reason", "UNKNOWN") != "UNKNOWN":
        said.append(f"{event['reason']}: {event.get('text') or 'as answered before'}")
    return " ".join(said)
