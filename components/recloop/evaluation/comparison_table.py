"""The comparison as rows of text: for a terminal, for Markdown, for anything that can show a table."""

from collections.abc import Callable

import numpy as np

from recloop.evaluation.comparison import Comparison, Difference, Entry
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.lists import PER_LIST
from recloop.evaluation.metrics import PER_USER

AT_K = ("ndcg", "recall", "precision", "mrr", "hit_rate", "map")
COSTS: dict[str, tuple[str, Callable[[float], str]]] = {
    "fit_seconds": ("fit, seconds", lambda v: f"{v:,.1f}"),
    "fit_cpu_seconds": ("fit, CPU seconds", lambda v: f"{v:,.1f}"),
    "fit_peak_megabytes": ("fit, peak memory MB", lambda v: f"{v:,.0f}"),
    "parameters": ("numbers in the model", lambda v: f"{v:,.0f}"),
    "megabytes": ("model folder MB", lambda v: f"{v:,.2f}"),
    "peak_megabytes": ("ranking, peak memory MB", lambda v: f"{v:,.0f}"),
    "milliseconds": ("one list alone, ms", lambda v: f"{v:,.2f}"),
    "cpu_seconds_a_million": ("a million lists, CPU seconds", lambda v: f"{v:,.0f}"),
}
UNKNOWN = "-"
ORDER = (*PER_USER, *PER_LIST)


def head(found: Comparison) -> str:
    """What the table is of, in one line."""
    folds = f", {found.protocol.folds} folds" if found.protocol.folds > 1 else ""
    seen = "repeats allowed" if found.protocol.repeats else "seen items removed"
    return (
        f"{found.title}: {found.protocol.kind}{folds}, {found.protocol.candidates}, {seen}, {found.users:,} users, "
        f"protocol {found.protocol.hash}"
    )


def note(found: Comparison) -> str:
    """How to read the cells."""
    return (
        f"Value [{found.confidence:.0%} bootstrap interval over users] sd over seeds. Gaps are model minus {found.baseline} in "
        f"{found.metric}@{found.protocol.k}, paired by user; p by t test, adjusted for the whole table (Holm)."
    )


def rows(found: Comparison) -> list[list[str]]:
    """First the head row: models, best first; then a row a metric, the gap to the baseline, a row a cost."""
    names = found.ranking
    entries = [found.entries[name] for name in names]
    metrics = [m for m in ORDER if m in entries[0].metrics]
    metrics += sorted(set(entries[0].metrics) - set(ORDER))
    table = [["", *names], ["seeds", *(str(len(e.seeds)) for e in entries)]]
    table += [
        [_label(m, found.protocol.k), *(_value(e, m, found.users) for e in entries)]
        for m in metrics
        if _any(entries, m)
    ]
    table += [[c, *(f"{e.catalogue[c]:.3f}" for e in entries)] for c in entries[0].catalogue]
    table += [[f"gap to {found.baseline}", *(_gap(found.differences.get(name)) for name in names)]]
    table += [["adjusted p", *(_p(found.differences.get(name)) for name in names)]]
    table += [[label, *(_cost(e, cost, show) for e in entries)] for cost, (label, show) in COSTS.items()]
    return table


def markdown(found: Comparison) -> str:
    """The table, what it is of, and what the leak detectors found."""
    first, *rest = rows(found)
    lines = ["| " + " | ".join(first) + " |", "|---" * len(first) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rest]
    found_lines = [f"- {f.level}: {f.name}: {f.text}" for f in found.findings]
    return "\n".join([head(found), "", *lines, "", note(found), "", *found_lines]).rstrip() + "\n"


def estimate(e: Estimate, digits: int = 4, sign: str = "") -> str:
    """0.0531 [0.0512, 0.0550]; only the value where there is no interval."""
    if not np.isfinite(e.value):
        return UNKNOWN
    value = f"{e.value:{sign}.{digits}f}"
    return f"{value} [{e.low:{sign}.{digits}f}, {e.high:{sign}.{digits}f}]" if e.low < e.high else value


def _label(metric: str, k: int) -> str:
    return f"{metric}@{k}" if metric in AT_K else metric.replace("_", " ")


def _any(entries: list[Entry], metric: str) -> bool:
    return any(np.isfinite(e.metrics[metric].value) for e in entries)


def _value(entry: Entry, metric: str, users: int) -> str:
    """With the spread over seeds where there is one, and its own n where it is not known of every user."""
    spread, value = entry.spread[metric], entry.metrics[metric]
    sd = f" sd {spread:.4f}" if np.isfinite(spread) and spread > 0 else ""
    return estimate(value) + sd + (f" n {value.n:,}" if 0 < value.n < users else "")


def _gap(difference: Difference | None) -> str:
    return UNKNOWN if difference is None else estimate(difference.estimate, sign="+")


def _p(difference: Difference | None) -> str:
    if difference is None:
        return UNKNOWN
    return "< 0.0001" if difference.adjusted < 1e-4 else f"{difference.adjusted:.4f}"


def _cost(entry: Entry, cost: str, show: Callable[[float], str]) -> str:
    return show(entry.costs[cost]) if np.isfinite(entry.costs.get(cost, np.nan)) else UNKNOWN
