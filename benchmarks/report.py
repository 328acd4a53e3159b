"""Logged runs -> docs/benchmarks.md: `python benchmarks/report.py`, or `make bench`.

benchmarks/runs holds a file a section: the comparison.json of `recloop compare --out`, the JSON object of `recloop bench
--out`, or a table as logged.py says.
"""

import json
from pathlib import Path

import logged
import measured

from recloop.errors import BadData
from recloop.evaluation.comparison import Comparison, load
from recloop.evaluation.comparison_table import head, markdown

ROOT = Path(__file__).parents[1]
RUNS, PAGE = ROOT / "benchmarks" / "runs", ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Each section is one protocol: one data set, one split, one way of ranking. Figures of two sections are not to be compared.
Written by `benchmarks/report.py` from `benchmarks/runs/`: add what `recloop compare ... --out DIR` left in
`comparison.json`, or what `recloop bench NAME --out FILE` wrote. Seconds and memory are of the machine that ran it.
Published figures were not made here.
"""


def page(found):
    """Runs (a Comparison, or a JSON object) by the names of their files -> the page, in the order of the names.

    Raises BadData where one comparison is there twice.
    """
    _once({name: run for name, run in found.items() if isinstance(run, Comparison)})
    contents = [f"- [{_title(name, run)}](#{name})" for name, run in sorted(found.items())]
    sections = [f"## {name}\n\n{_body(run)}" for name, run in sorted(found.items())]
    return "\n".join([INTRODUCTION, *contents, "", *sections])


def read(path):
    """A logged run."""
    run = json.loads(path.read_text())
    return load(path) if "entries" in run else run


def _once(found):
    seen = {}
    for name, comparison in found.items():
        key = f"{comparison.protocol.hash} {sorted(comparison.entries)}"
        if key in seen:
            raise BadData(
                f"{name} and {seen[key]} are the same models on protocol {comparison.protocol.hash}. Keep one."
            )
        seen[key] = name


def _title(name, run):
    if isinstance(run, Comparison):
        return f"{run.title}: best is {run.ranking[0]}"
    return run.get("title", f"recloop bench {run.get('benchmark', name)}")


def _body(run):
    if isinstance(run, Comparison):
        body = markdown(run).removeprefix(head(run)).strip()
        return f"{head(run)}\n\n{body}\n"
    return logged.markdown(run) if "rows" in run else measured.markdown(run)


def main():
    """Write docs/benchmarks.md anew."""
    PAGE.write_text(page({path.stem: read(path) for path in sorted(RUNS.glob("*.json"))}))


if __name__ == "__main__":
    main()
