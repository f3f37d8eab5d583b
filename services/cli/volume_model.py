"""`penstock volume-model collect|fit`: volume curves from the prints of several days."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.options import Bootstrap, Json, resolve_bootstrap

if TYPE_CHECKING:
    from services.volumemodel.days import Day
    from services.volumemodel.fitting import Fitted
    from services.volumemodel.sessions import Sessions

app = typer.Typer(
    name="volume-model",
    help="Volume curves: days of prints collected, the model fitted to them, the result published.",
    no_args_is_help=True,
)
SECOND_NS = 1_000_000_000
NOTHING, REFUSED = 3, 4
Bin = Annotated[int, typer.Option("--bin-s", min=1, help="Length of a bin, seconds")]
Archive = Annotated[
    Path | None, typer.Option(help="Folder of collected days, one file per trade date")
]


@app.command()
def collect(
    archive: Annotated[Path, typer.Argument(help="Folder that the days are written to")],
    bin_s: Bin = 300,
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Count the log's prints into days and keep them: topics forget, the archive does not."""
    from services.volumemodel.archive import write

    days, _ = _days(resolve_bootstrap(bootstrap), None, bin_s)
    files = [str(path) for path in write(archive, days)]
    facts = {"days": len(days), "files": files}
    sentence = f"{len(days)} days of instruments in {len(files)} files"
    typer.echo(json.dumps(facts) if is_json else sentence)


@app.command()
def fit(
    *,
    archive: Archive = None,
    bin_s: Bin = 300,
    instrument: Annotated[
        list[str] | None, typer.Option("--instrument", help="Only this one; may be repeated")
    ] = None,
    facts: Annotated[
        Path | None, typer.Option(help="Measured curves, for days too few to tell their shape")
    ] = None,
    symbol: Annotated[str, typer.Option(help="Which of the measured curves")] = "",
    is_published: Annotated[
        bool, typer.Option("--publish", help="Write the curves to the log; default: show them")
    ] = False,
    actor: Annotated[str, typer.Option(envvar=["PENSTOCK_ACTOR", "USER"])] = "",
    bootstrap: Bootstrap = "",
    is_json: Json = False,
) -> None:
    """Fit the log-volume model by EM and show, or publish, the curve of the next session.

    Days come from the log, and from the archive where one is named; the log wins for a day that
    both have. Exits 3 when nothing could be fitted, 4 when publishing needs a name.
    """
    cluster = resolve_bootstrap(bootstrap)
    days, sessions = _days(cluster, archive, bin_s)
    wanted = [day for day in days if not instrument or day.instrument_id in instrument]
    fitted, refused = _fit_all(wanted, sessions, facts, symbol)
    if is_published and not actor:
        typer.echo("name who publishes with --actor or PENSTOCK_ACTOR", err=True)
        raise typer.Exit(REFUSED)
    if is_published and fitted:
        _publish(cluster, fitted, actor)
    if is_json:
        typer.echo(json.dumps(_as_json(fitted, refused, is_published=is_published)))
    else:
        _show(fitted, refused, is_published=is_published)
    if not fitted:
        raise typer.Exit(NOTHING)


def _days(bootstrap: str, archive: Path | None, bin_s: int) -> tuple[list["Day"], "Sessions"]:
    """Return the days of archive and log. Exits 1 with a sentence when either cannot be read."""
    from confluent_kafka import KafkaException

    from services.volumemodel.archive import ArchiveError, read
    from services.volumemodel.days import merged
    from services.volumemodel.history import read_days, read_sessions

    try:
        sessions = read_sessions(bootstrap)
        kept = [] if archive is None else read(archive)
        return merged([*kept, *read_days(bootstrap, sessions, bin_s * SECOND_NS)]), sessions
    except (LookupError, KafkaException, ArchiveError) as error:
        typer.echo(str(error.args[0]), err=True)
        raise typer.Exit(1) from error


def _fit_all(
    days: list["Day"], sessions: "Sessions", facts: Path | None, symbol: str
) -> tuple[list["Fitted"], dict[str, str]]:
    from services.volumemodel.fitting import FittingError, shape_of
    from services.volumemodel.fitting import fit as fitted_of

    found, refused = [], {}
    for instrument_id in sorted({day.instrument_id for day in days}):
        own = [day for day in days if day.instrument_id == instrument_id]
        session = sessions.after(instrument_id, own[-1].trade_date)
        if session is None:
            refused[instrument_id] = "no session is defined"
            continue
        bins = max(len(day.volumes) for day in own)
        try:
            shape = None if facts is None else shape_of(facts, symbol, bins)
            found.append(fitted_of(own, session, shape))
        except FittingError as error:
            refused[instrument_id] = str(error)
    return found, refused


def _publish(bootstrap: str, fitted: list["Fitted"], actor: str) -> None:
    from infra.topics import read_log_id
    from services.config.publish import publish

    curves = [each.curve for each in fitted]
    log_id = read_log_id(bootstrap)
    publish(bootstrap, curves, at_ns=time.time_ns(), actor=actor, log_id=log_id)


def _as_json(
    fitted: list["Fitted"], refused: dict[str, str], *, is_published: bool
) -> dict[str, Any]:
    from services.volumemodel.fitting import parameters

    return {
        "is_published": is_published and bool(fitted),
        "curves": [
            {
                "instrument_id": each.curve.instrument_id,
                "model": each.curve.model,
                "days": each.curve.days,
                "bins": len(each.curve.log_volume_e9),
                "first_bin_ns": each.curve.first_bin_ns,
                "cycles": len(each.fit.likelihoods) - 1,
                "is_converged": each.fit.is_converged,
                "log_likelihood": round(each.fit.likelihoods[-1], 6),
                "error": round(each.error, 6),
                "static_error": round(each.static_error, 6),
                **parameters(each.fit.model),
            }
            for each in fitted
        ],
        "refused": refused,
    }


def _show(fitted: list["Fitted"], refused: dict[str, str], *, is_published: bool) -> None:
    console = Console()
    table = Table(title="Volume model, error of log volume one bin ahead")
    names = ("instrument", "days", "bins", "cycles", "a_eta", "a_mu", "error", "average curve")
    for name in names:
        table.add_column(name, justify="left" if name == "instrument" else "right")
    for each in fitted:
        model = each.fit.model
        table.add_row(
            each.curve.instrument_id,
            str(each.curve.days),
            str(len(each.curve.log_volume_e9)),
            str(len(each.fit.likelihoods) - 1),
            f"{model.a_eta:.3f}",
            f"{model.a_mu:.3f}",
            f"{each.error:.4f}",
            f"{each.static_error:.4f}",
        )
    if fitted:
        console.print(table)
    for instrument_id, why in refused.items():
        console.print(f"{instrument_id}: not fitted, {why}", highlight=False, markup=False)
    ending = "published" if is_published and fitted else "nothing is published without --publish"
    console.print(ending, highlight=False, markup=False)
