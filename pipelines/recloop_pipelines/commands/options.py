"""Arguments that several commands share."""

from datetime import UTC, datetime
from typing import Annotated

import typer

Scenario = Annotated[str, typer.Argument(help="A scenario's YAML, or the name of one in configs/.", show_default=True)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output; all else on standard error.")]
Run = Annotated[str, typer.Option("--run", help="Name of this run's artefacts; the default is the time.")]


def run_name(given: str) -> str:
    """The name given, or the time now."""
    return given or datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
