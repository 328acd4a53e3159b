"""Rounds -> one table: every model with intervals over users, spread over seeds, costs, and proof against the best baseline."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

from recloop.errors import BadData
from recloop.evaluation import intervals
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.leaks import Finding
from recloop.evaluation.protocol import Benchmark, same

F64 = NDArray[np.float64]
USER = "user"
BASELINES = ("popularity", "frequency", "frequency_decayed", "item_knn", "item_to_item")
"""kinds that need no training worth the name: what a model must beat"""


@dataclass(frozen=True)
class Result:
    """What a round gave: one value a user and metric, figures of the catalogue, costs."""

    name: str
    kind: str
    seed: int
    fold: int
    protocol: str
    values: pl.DataFrame  # user: text id; one column a metric
    catalogue: dict[str, float]
    costs: dict[str, float]


@dataclass(frozen=True)
class Entry:
    """A model in the table. Metrics are means over seeds and folds for each user, with the interval over users."""

    kind: str
    seeds: tuple[int, ...]
    metrics: dict[str, Estimate]
    spread: dict[str, float]
    """standard deviation of a metric's mean over the seeds; nan with one seed"""
    by_fold: dict[str, tuple[float, ...]]
    """metric -> mean of each fold, oldest first"""
    catalogue: dict[str, float]
    costs: dict[str, float]
    """means over seeds and folds; peaks are the greatest"""


@dataclass(frozen=True)
class Difference:
    """A model minus the best baseline on the same users. p: two-sided paired t test, adjusted: by Holm over the table."""

    estimate: Estimate
    p: float
    adjusted: float


@dataclass(frozen=True)
class Comparison:
    """One table of one protocol."""

    title: str
    protocol: Benchmark
    metric: str
    """of the differences, and of the order of the rows"""
    users: int
    baseline: str
    entries: dict[str, Entry]
    differences: dict[str, Difference]
    findings: tuple[Finding, ...]
    confidence: float = 0.95
    config: dict[str, Any] = field(default_factory=dict)
    """settings of the models and of how they were trained"""

    def dumps(self) -> str:
        """Deterministic JSON; figures that are not known are null."""
        raw = asdict(self) | {"protocol_hash": self.protocol.hash}
        return json.dumps(_plain(raw), sort_keys=True, indent=1, allow_nan=False)

    @property
    def ranking(self) -> list[str]:
        """Names, best first."""
        return sorted(self.entries, key=lambda name: (-self.entries[name].metrics[self.metric].value, name))


def load(path: Path) -> Comparison:
    """Read what `dumps` gave. Raises BadData where the figures are not of the protocol that they name."""
    raw = json.loads(path.read_text())
    protocol = Benchmark(**raw["protocol"])
    same(protocol.hash, raw.pop("protocol_hash"))
    entries = {
        name: Entry(
            kind=e["kind"],
            seeds=tuple(e["seeds"]),
            metrics={m: _estimate(v) for m, v in e["metrics"].items()},
            spread=_known(e["spread"]),
            by_fold={m: tuple(_number(x) for x in v) for m, v in e["by_fold"].items()},
            catalogue=_known(e["catalogue"]),
            costs=_known(e["costs"]),
        )
        for name, e in raw["entries"].items()
    }
    differences = {
        name: Difference(_estimate(d["estimate"]), _number(d["p"]), _number(d["adjusted"]))
        for name, d in raw["differences"].items()
    }
    findings = tuple(Finding(**f) for f in raw["findings"])
    return Comparison(
        **(raw | {"protocol": protocol, "entries": entries, "differences": differences, "findings": findings})
    )


def compared(
    results: list[Result],
    protocol: Benchmark,
    *,
    title: str,
    metric: str = "ndcg",
    baseline: str = "",
    findings: tuple[Finding, ...] = (),
    bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 7,
    config: dict[str, Any] | None = None,
) -> Comparison:
    """Results of all rounds -> Comparison. `baseline` is what all are measured against; empty: the best of BASELINES.

    Raises BadData where a result is of another protocol, judged other users, or no user was judged.
    """
    for result in results:
        same(result.protocol, protocol.hash)
    by_user = _by_user(results)
    names, metrics = list(by_user), [c for c in next(iter(by_user.values())).columns if c != USER]
    if metric not in metrics:
        raise BadData(f"There is no metric {metric!r}; known are {', '.join(metrics)}.")
    values = {name: by_user[name].select(metrics).to_numpy() for name in names}
    rival = baseline or _best(names, values, metrics.index(metric), _kinds(results))
    if rival not in values:
        raise BadData(f"The baseline {rival!r} was not compared; there are {', '.join(names)}.")
    at = metrics.index(metric)
    gaps = {name: values[name][:, at] - values[rival][:, at] for name in names if name != rival}
    stacked = np.column_stack([*values.values(), *gaps.values()])
    found = iter(intervals.means(stacked, times=bootstrap, confidence=confidence, seed=seed))
    estimates = {name: {m: next(found) for m in metrics} for name in names}
    of_gaps = {name: next(found) for name in gaps}
    return Comparison(
        title=title,
        protocol=protocol,
        metric=metric,
        users=len(stacked),
        baseline=rival,
        entries={name: _entry([r for r in results if r.name == name], estimates[name]) for name in names},
        differences=_tested(gaps, of_gaps),
        findings=findings,
        confidence=confidence,
        config=config or {},
    )


def _kinds(results: list[Result]) -> dict[str, str]:
    return {r.name: r.kind for r in results}


def _best(names: list[str], values: dict[str, F64], at: int, kinds: dict[str, str]) -> str:
    """The best baseline; where there is none, the first model that was named."""
    rivals = [name for name in names if kinds[name] in BASELINES]
    return max(rivals, key=lambda name: float(np.nanmean(values[name][:, at])), default=names[0])


def _by_user(results: list[Result]) -> dict[str, pl.DataFrame]:
    """Each model's values, one row a user: first the mean over its seeds and folds. Users are the same and in one order."""
    found: dict[str, pl.DataFrame] = {}
    for name in dict.fromkeys(r.name for r in results):
        own = pl.concat([r.values for r in results if r.name == name])
        metrics = [c for c in own.columns if c != USER]
        found[name] = (
            own.group_by(USER)
            .agg(pl.col(metrics).fill_nan(None).mean())
            .sort(USER)
            .with_columns(pl.col(metrics).fill_null(float("nan")))
        )
    first = next(iter(found.values()), pl.DataFrame({USER: []}))
    if first.is_empty():
        raise BadData("Nobody was judged: no user has both a history and an answer. Look at the split and its window.")
    for name, frame in found.items():
        if not frame[USER].equals(first[USER]):
            raise BadData(
                f"{name} was judged on {frame.height:,} users and others on {first.height:,} or on other ones: their figures "
                "cannot be paired. Run the comparison again with --fresh."
            )
    return found


def _entry(results: list[Result], metrics: dict[str, Estimate]) -> Entry:
    seeds, folds = sorted({r.seed for r in results}), sorted({r.fold for r in results})
    own = {
        (r.seed, r.fold): r.values.select(pl.exclude(USER).fill_nan(None).mean()).row(0, named=True) for r in results
    }

    def mean(metric: str, keys: list[tuple[int, int]]) -> float:
        known = [own[k][metric] for k in keys if own.get(k, {}).get(metric) is not None]
        return float(np.mean(known)) if known else float("nan")

    of_seed = {m: [mean(m, [(s, f) for f in folds]) for s in seeds] for m in metrics}
    return Entry(
        kind=results[0].kind,
        seeds=tuple(seeds),
        metrics=metrics,
        spread={m: float(np.std(v, ddof=1)) if len(v) > 1 else float("nan") for m, v in of_seed.items()},
        by_fold={m: tuple(mean(m, [(s, f) for s in seeds]) for f in folds) for m in metrics},
        catalogue={c: float(np.mean([r.catalogue[c] for r in results])) for c in results[0].catalogue},
        costs={c: float((np.max if "peak" in c else np.mean)([r.costs[c] for r in results])) for c in results[0].costs},
    )


def _tested(gaps: dict[str, F64], estimates: dict[str, Estimate]) -> dict[str, Difference]:
    raw = [_p_value(gap) for gap in gaps.values()]
    return {
        name: Difference(estimates[name], p, adjusted)
        for name, p, adjusted in zip(gaps, raw, holm(np.array(raw)), strict=True)
    }


def _p_value(gap: F64) -> float:
    """Two-sided paired t test; 1 where there is no difference at all."""
    known = gap[np.isfinite(gap)]
    if len(known) < 2 or not known.any():
        return 1.0
    error = float(known.std(ddof=1)) / np.sqrt(len(known))
    if error < np.finfo(np.float64).eps * abs(float(known.mean())):
        return 0.0
    return float(2 * student.sf(abs(float(known.mean())) / error, len(known) - 1))


def holm(p: F64) -> F64:
    """p values -> adjusted for all being asked at once (Holm 1979): each times the hypotheses left, never falling."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _known(values: dict[str, float | None]) -> dict[str, float]:
    return {k: _number(v) for k, v in values.items()}


def _estimate(raw: dict[str, Any]) -> Estimate:
    return Estimate(_number(raw["value"]), _number(raw["low"]), _number(raw["high"]), raw["n"])
