"""Arguments that several commands share."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from recloop.errors import BadConfig

Scenario = Annotated[str, typer.Argument(help="A scenario's YAML, or the name of one in configs/.", show_default=True)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output; all else on standard error.")]
Run = Annotated[str, typer.Option("--run", help="Name of this run's artefacts; the default is the time.")]


def share(given: str, option: str) -> float:
    """`5%` or `0.05` -> 0.05; nothing -> 0. Raises BadConfig."""
    text = given.strip()
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1) if text else 0.0
    except ValueError:
        raise BadConfig(f"{option} {given} is no share; write {option} 5%.") from None
    if text and not 0 < found <= 1:
        raise BadConfig(f"{option} {given} is not a share in (0, 1]; write {option} 5%.")
    return found


def run_name(given: str) -> str:
    """The name given, or the time now."""
    return given or datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
