"""`penstock engine`, `penstock simulator`: the long-running processes, by their own settings."""

import runpy
import sys

import typer

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def engine(context: typer.Context) -> None:
    """The engines of this host: one process a shard, assigned by a consumer group."""
    become("services.engine", context.args)


def simulator(context: typer.Context) -> None:
    """The market simulator: lit and dark venues, and the clients' orders of a scenario."""
    become("services.venues", context.args)


def become(module: str, arguments: list[str]) -> None:
    """Run a module in this process as if it had been started with these arguments."""
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
