"""Logged comparisons (each a comparison.json of `recloop compare`) -> docs/benchmarks.md: `python benchmarks/report.py`."""

from pathlib import Path

from recloop.errors import BadData
from recloop.evaluation.comparison import Comparison, load
from recloop.evaluation.comparison_table import head, markdown

ROOT = Path(__file__).parents[1]
RUNS, PAGE = ROOT / "benchmarks" / "runs", ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Each table is one protocol: one data set, one split, one way of ranking, and its hash. Figures of two tables are not to be
compared. Written by `benchmarks/report.py` from `benchmarks/runs/`; add a table with
`recloop compare ... --out DIR` and copy its `comparison.json` there. Seconds and memory are of the machine that ran it.
"""


def page(found: dict[str, Comparison]) -> str:
    """Comparisons by the names of their files -> the page, in the order of the names. Raises BadData where one is there twice."""
    seen: dict[str, str] = {}
    for name, comparison in found.items():
        key = f"{comparison.protocol.hash} {sorted(comparison.entries)}"
        if key in seen:
            raise BadData(
                f"{name} and {seen[key]} are the same models on protocol {comparison.protocol.hash}. Keep one."
            )
        seen[key] = name
    contents = [f"- [{c.title}](#{name}): best is {c.ranking[0]}" for name, c in sorted(found.items())]
    tables = [_section(name, c) for name, c in sorted(found.items())]
    return "\n".join([INTRODUCTION, *contents, "", *tables])


def _section(name: str, comparison: Comparison) -> str:
    body = markdown(comparison).removeprefix(head(comparison)).strip()
    return f"## {name}\n\n{head(comparison)}\n\n{body}\n"


def main() -> None:
    """Write docs/benchmarks.md anew."""
    PAGE.write_text(page({path.stem: load(path) for path in sorted(RUNS.glob("*.json"))}))


if __name__ == "__main__":
    main()
