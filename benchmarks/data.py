"""Events to sequences and item windows: ours with checks and artefacts, beside pandas, Polars and DuckDB, and the bound.

Each tool runs in a process of its own on the same Parquet of made-up events (benchmarks/data_events.py), as its users would
write it (benchmarks/data_peers.py). Ours alone also checks every row, writes three hashed artefacts and Data Docs. `bound`
reads, sorts and writes. Growth is the exponent of seconds over rows between the first and the last size: 1 is linear.
Wall-clock seconds depend on what else the machine does: processor seconds of the same runs stand beside them.
"""

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from contract import given, parser
from data_events import write_events
from rich.console import Console
from rich.table import Table

TOOLS = ("recloop", "polars", "duckdb", "pandas", "bound")
PEERS = ("polars", "duckdb", "pandas")
QUICK = (100_000, 1_000_000)
FULL = (1_000_000, 10_000_000)
LARGE = 50_000_000
PATIENCE = 1_800
"""seconds after which a tool is stopped"""
SHOWN = ("seconds", "cpu_seconds", "peak_mb", "bytes_written")
PEOPLE = Console(stderr=True)


def measure(rows: int, tools: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Every tool once on `rows` events -> its figures by name."""
    source = folder / "events.parquet"
    PEOPLE.print(f"writing {rows:,} events")
    write_events(source, rows)
    found: dict[str, Any] = {"rows": rows, "source_bytes": source.stat().st_size}
    for tool in tools:
        found[tool] = _run(tool, source)
        PEOPLE.print(f"{rows:>12,} {tool:<8} {_said(found[tool])}")
    return found | _beside(found)


def _run(tool: str, source: Path) -> dict[str, Any]:
    """One tool in its own process; {"failed": why} where it did not end well."""
    script = Path(__file__).with_name("data_peers.py")
    with tempfile.TemporaryDirectory(dir=source.parent) as out:
        command = [sys.executable, str(script), tool, str(source), out]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"not done after {PATIENCE} s"}
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return {"failed": f"exit {done.returncode}: {said[-1][:200] if said else 'killed'}"}
    return dict(json.loads(done.stdout))


def _beside(found: dict[str, Any]) -> dict[str, Any]:
    """Ours against the best peer, and whether the tables agree."""
    peers = {name: found[name] for name in PEERS if "seconds" in found.get(name, {})}
    ours = found.get("recloop", {})
    if not peers or "seconds" not in ours:
        return {}
    compared = {f"{key}_ratio": ours[key] / min(p[key] for p in peers.values()) for key in ("seconds", "cpu_seconds")}
    same = all(p[key] == ours[key] for p in peers.values() for key in ("sequences", "events"))
    return {**{key: round(value, 2) for key, value in compared.items()}, "tables_agree": same}


def growth(sizes: list[dict[str, Any]]) -> dict[str, float]:
    """Exponent of processor seconds over rows, first to last size, of each tool that did both."""
    first, last = sizes[0], sizes[-1]
    if len(sizes) < 2:
        return {}
    both = [tool for tool in TOOLS if "cpu_seconds" in first.get(tool, {}) and "cpu_seconds" in last.get(tool, {})]
    rows = math.log(last["rows"] / first["rows"])
    return {t: round(math.log(last[t]["cpu_seconds"] / first[t]["cpu_seconds"]) / rows, 2) for t in both}


def _said(figures: dict[str, Any]) -> str:
    if "failed" in figures:
        return f"failed: {figures['failed']}"
    return (
        f"{figures['seconds']:8.2f} s {figures['cpu_seconds']:8.2f} s of processor {figures['peak_mb']:8,.0f} MB "
        f"{figures['bytes_written'] / 1e6:8,.0f} MB written"
    )


def show(found: dict[str, Any]) -> None:
    """A table for people."""
    table = Table("events", "tool", *SHOWN, "growth", title="Events to sequences and item windows")
    for size in found["sizes"]:
        for tool in TOOLS:
            figures = size.get(tool, {})
            shown = [f"{figures[key]:,.2f}" if key in figures else figures.get("failed", "") for key in SHOWN]
            table.add_row(f"{size['rows']:,}", tool, *shown, str(found["growth"].get(tool, "")))
    PEOPLE.print(table)


def main() -> None:
    """Sizes and tools from the command line."""
    options = parser(__doc__ or "")
    options.add_argument("--large", action="store_true", help=f"also {LARGE:,} events")
    options.add_argument("--tools", default=",".join(TOOLS), help="only these")
    told = options.parse_args()
    sizes = QUICK if told.quick else (*FULL, LARGE) if told.large else FULL
    with tempfile.TemporaryDirectory() as folder:
        measured = [measure(rows, tuple(told.tools.split(",")), Path(folder)) for rows in sizes]
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    found = {"benchmark": "data", "sizes": measured, "growth": growth(measured), "machine": machine}
    given(found, told, lambda: show(found))


if __name__ == "__main__":
    main()
