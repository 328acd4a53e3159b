"""`recloop bench`: the benchmarks of the source checkout, by name."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from recloop.errors import BadConfig
from recloop_pipelines.commands.options import Json

FOLDER = Path(__file__).parents[3] / "benchmarks"
NAMES = {
    "experiments": "false positives, planted effects and off-policy intervals, over hundreds of simulated runs",
    "rollback": "what a harmful release costs until its canary is rolled back, before simulated shoppers",
    "abuse": "what six bots can push an item, with the service's flags and without",
    "training": "seconds an epoch and to the same quality, beside RecTools",
    "serving": "requests a second and latency, beside the bare framework",
    "scale": "an epoch over ten million events of a million items: seconds and memory",
    "data": "events to sequences, beside pandas, Polars and DuckDB",
    "faults": "planted faults found and false alarms, on real data",
    "cold": "recall of items with 0 to 5 events",
    "cross_domain": "users new to one catalogue, with and without their history in another",
}

Name = Annotated[str, typer.Argument(help="; ".join(f"{name}: {what}" for name, what in NAMES.items()) + ".")]


def bench(
    name: Name,
    json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, about a minute.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON object to this file.")] = None,
) -> None:
    """Measure this machine: every figure stands beside a peer or a bound of the same run.

    Examples:

        recloop bench serving --quick

        recloop bench faults --json > faults.json
    """
    if name not in NAMES:
        raise BadConfig(f"There is no benchmark {name!r}; there are {', '.join(NAMES)}.")
    script = FOLDER / f"{name}.py"
    if not script.is_file():
        raise BadConfig(f"{script} is not there. Benchmarks run from a source checkout, not from an installed wheel.")
    told = [*(["--json"] if json else []), *(["--quick"] if quick else []), *(["--out", str(out)] if out else [])]
    raise typer.Exit(subprocess.run([sys.executable, str(script), *told], check=False).returncode)


COMMANDS: tuple[Callable[..., None], ...] = (bench,)
