"""`penstock fix ...`: read FIX, run gateways, certify counterparties, publish our rules."""

import typer

from services.cli.fix_atdl import atdl_command
from services.cli.fix_cert import cert_command
from services.cli.fix_decode import decode_command
from services.cli.fix_run import run_command
from services.cli.fix_spec import spec_command

app = typer.Typer(
    name="fix",
    help="FIX at both edges: decode messages, rules of engagement, certification, order tickets.",
    no_args_is_help=True,
)
app.command(name="decode")(decode_command)
app.command(name="atdl")(atdl_command)
app.command(name="run")(run_command)
app.command(name="spec")(spec_command)
app.command(name="cert")(cert_command)
