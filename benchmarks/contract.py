"""What benchmarks have in common: one JSON object on standard output, or a table there; progress on standard error."""

import argparse
import json
import os
import platform
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

QUIET = Console(stderr=True)


def parser(description: str) -> argparse.ArgumentParser:
    """--json, --quick and --out; add to it what is a benchmark's own."""
    asked = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    asked.add_argument("--quick", action="store_true", help="small sizes, below a minute")
    asked.add_argument("--out", type=Path, help="also write the JSON object to this file")
    return asked


def say(text: str) -> None:
    """Tell progress."""
    QUIET.print(text, highlight=False, markup=False, soft_wrap=True)


def told(found: dict[str, Any], rows: list[tuple[str, ...]], heads: tuple[str, ...], asked: argparse.Namespace) -> None:
    """Give the result in the form asked for; it gains the machine and the date."""
    found |= {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "quick": asked.quick, "date": today()}
    table = Table(*heads)
    for row in rows:
        table.add_row(*row)
    given(found, asked, lambda: Console().print(table))


def given(found: dict[str, Any], asked: argparse.Namespace, show: Callable[[], None]) -> None:
    """Write the result where it was asked for; `show` is for people."""
    text = json.dumps(found, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text)
    if asked.json:
        sys.stdout.write(text)
    else:
        show()


def today() -> str:
    """YYYY-MM-DD, UTC."""
    return datetime.now(UTC).date().isoformat()


def peak_mb() -> float:
    """Greatest resident memory of this process so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
