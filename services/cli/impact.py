"""`penstock impact show|fit`: what trading is believed to cost, and how sure that is."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.options import Bootstrap, Json, resolve_bootstrap

if TYPE_CHECKING:
    from schemas.messages.plans import ImpactFitted

app = typer.Typer(
    name="impact",
    help="The impact model: Almgren 2005 as a prior, updated on own parents; always with a band.",
    no_args_is_help=True,
)
E9 = 1_000_000_000
SIZES = (0.001, 0.01, 0.05, 0.1)  # of a day's volume, in the table of expectations
RATE = 0.1  # of others' volume


@app.command()
def show(bootstrap: Bootstrap = "", is_json: Json = False) -> None:
    """Print the fit in force on this log; the prior where none was published."""
    from schemas.messages.plans import ImpactFitted
    from services.cli.log import read_to_end
    from streams.core.topics import PLANS_EVENTS

    newest = None
    for entry in read_to_end(resolve_bootstrap(bootstrap), (PLANS_EVENTS,)):
        if isinstance(entry.message, ImpactFitted):
            newest = entry.message
    say(newest, is_json=is_json)


@app.command()
def fit(
    bootstrap: Bootstrap = "",
    half_life: Annotated[
        int, typer.Option(min=1, help="After so many parents, one counts half")
    ] = 200,
    is_json: Json = False,
) -> None:
    """Fit the log's closed parents anew and print it; only the planner publishes."""
    from services.planner.fitting import fit_log
    from streams.adapters.codec import AvroCodec
    from streams.adapters.kafka import KafkaLog, KafkaSettings

    log = KafkaLog(KafkaSettings(bootstrap=resolve_bootstrap(bootstrap)))
    say(fit_log(log, AvroCodec(), half_life), is_json=is_json)


def say(found: "ImpactFitted | None", *, is_json: bool) -> None:
    """Print a fit with its band and its second opinion."""
    told = as_json(found)
    if is_json:
        typer.echo(json.dumps(told))
        return
    console = Console()
    view = Table(title=f"impact {told['version']}, {told['parents']} parents", title_justify="left")
    for name in ("coefficient", "mean", "standard error", "prior"):
        view.add_column(name, justify="left" if name == "coefficient" else "right")
    for name in ("gamma", "eta"):
        mean, error, prior = (told[f"{name}{each}"] for each in ("", "_error", "_prior"))
        view.add_row(name, f"{mean:.4f}", f"{error:.4f}", f"{prior:.4f}")
    view.add_row("beta", f"{told['beta']:.2f}", "fixed", f"{told['beta']:.2f}")
    view.add_row("square root", f"{told['root']:.2f}", "", "1.00")
    console.print(view)
    view = Table(title="expected at 10 % of others' volume, 157 bp a day", title_justify="left")
    for name in ("size, of a day", "cost bp", "model +-", "market +-", "square root bp"):
        view.add_column(name, justify="right")
    for row in told["expected"]:
        flag = " DIFFERS" if row["is_flagged"] else ""
        view.add_row(
            f"{row['size']:.1%}",
            f"{row['cost']:.1f}",
            f"{row['model_error']:.1f}",
            f"{row['risk']:.1f}",
            f"{row['root']:.1f}{flag}",
        )
    console.print(view)
    if told["parents"]:
        ratio = told["root_ratio"]
        words = "they differ by more than a factor of two" if told["is_flagged"] else "they agree"
        console.print(
            f"own parents by the square-root law cost {ratio:.2f} of what this model says: {words};"
            f" residual {told['residual_bps']:.1f} bp a parent",
            highlight=False,
        )


def as_json(found: "ImpactFitted | None") -> dict[str, Any]:
    """Return the fit as plain numbers."""
    from streams.models.impact import ALMGREN_2005
    from streams.models.impact_fit import PRIOR, Observation, expected, fit_of, told
    from streams.models.outlook import INVERSE_TURNOVER

    message = found if found is not None else told(fit_of(None), 0, ())
    rows = []
    for size in SIZES:
        asked = Observation(0.0, 157.0, size, RATE, size / RATE, INVERSE_TURNOVER)
        one = expected(fit_of(found), asked)
        rows.append({"size": size, **one._asdict(), "band": one.band, "is_flagged": one.is_flagged})
    return {
        "version": PRIOR if found is None else message.version,
        "parents": message.parents,
        "effective_parents": message.effective_parents_e9 / E9,
        "half_life_parents": message.half_life_parents,
        "gamma": message.gamma_e9 / E9,
        "gamma_error": message.gamma_error_e9 / E9,
        "gamma_prior": ALMGREN_2005.gamma,
        "eta": message.eta_e9 / E9,
        "eta_error": message.eta_error_e9 / E9,
        "eta_prior": ALMGREN_2005.eta,
        "beta": message.beta_e9 / E9,
        "root": message.root_e9 / E9,
        "root_ratio": message.root_ratio_e9 / E9,
        "is_flagged": message.is_flagged,
        "residual_bps": message.residual_bps_e9 / E9,
        "expected": rows,
    }
