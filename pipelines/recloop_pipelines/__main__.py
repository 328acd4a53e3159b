"""The command line: `recloop --help`."""

import sys

import typer

from recloop.errors import Busy, Conflict, Permanent, Unavailable
from recloop_pipelines.commands import (
    bandit,
    bench,
    canary,
    data,
    experiment,
    init,
    keys,
    loop,
    models,
    platform,
    privacy,
    quarantine,
    simulate,
)
from recloop_pipelines.console import people

EPILOG = """Exit codes: 0 done; 1 a defect of ours; 2 wrong usage; 3 bad input (configuration, data, artefact) or a component
that stopped; 4 the gate refused; 5 another run holds the scenario, or was first; 6 a service or the disk is unavailable."""

app = typer.Typer(
    name="recloop",
    help="events -> checked -> dataset -> model -> scorecard -> release -> recommendations -> feedback -> events",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for command in (
    *platform.COMMANDS,
    *loop.COMMANDS,
    *models.COMMANDS,
    *bench.COMMANDS,
    *init.COMMANDS,
    *simulate.COMMANDS,
):
    app.command(name=command.__name__.rstrip("_"))(command)
app.add_typer(data.app)
app.add_typer(quarantine.app)
app.add_typer(privacy.app)
app.add_typer(bandit.app)
app.add_typer(experiment.app)
app.add_typer(canary.app)
app.add_typer(keys.app)

CODES: tuple[tuple[type[Exception], int], ...] = ((Busy, 5), (Conflict, 5), (Unavailable, 6), (Permanent, 3))


def main() -> None:
    """Run the command line; errors of ours become one message and an exit code."""
    try:
        app()
    except (Busy, Conflict, Unavailable, Permanent) as error:
        people().print(f"[bold red]{type(error).__name__}[/]: {error}", markup=True, soft_wrap=True)
        sys.exit(next(code for kind, code in CODES if isinstance(error, kind)))


if __name__ == "__main__":
    main()
