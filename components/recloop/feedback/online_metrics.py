"""Outcomes of answers -> what the releases were worth: by release, by week, by age and by kind of request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.config import FeedbackConfig
from recloop.feedback.clusters import Ratios, ratios
from recloop.feedback.segments import ASKED, USUAL
from recloop.privacy.groups import large_enough

Time, Release = Columns.Time, Columns.Release
Hit = pl.col("hits") > 0
Habit = pl.col("control_hits") > 0
Asked = pl.col("bought") > 0

METRICS: dict[str, tuple[pl.Expr, pl.Expr]] = {
    "hit_rate": (Hit, pl.lit(1.0)),
    "control_hit_rate": (Habit, pl.lit(1.0)),
    "over_control": (Hit, Habit),
    "precision": (pl.col("hits"), pl.col("shown")),
    "ndcg": (pl.when(Asked).then(pl.col("gain") / pl.col("ideal")).otherwise(0.0), Asked),
    "purchase_share": (pl.col("hits"), pl.col("bought")),
    "revenue_share": (pl.col("hit_revenue"), pl.col("revenue")),
}
"""name -> (summed on top, summed below).

The hit rates and precision count every answer; over_control is the hit rate as a multiple of the control's; ndcg counts
answers followed by a purchase; the shares are of all purchases (distinct items) and all money that belong to an answer.
"""


@dataclass(frozen=True)
class Decay:
    """Hit rates of one release in its first days and in its last, and those of the control on the same answers.

    `change` is relative and net of the control's: -0.05 is a loss of a twentieth that the season does not explain.
    """

    release: str
    young: float
    old: float
    control_young: float
    control_old: float
    young_answers: int
    old_answers: int
    change: float
    low: float
    high: float


@dataclass(frozen=True)
class Online:
    """table: by (release, week, life, asked), group, metric, value, low, high, answers, users, age_days (their mean)."""

    table: pl.DataFrame
    decay: tuple[Decay, ...]
    answers: int

    def of_groups(self, k: int) -> "Online":
        """The same without groups of fewer than k users, and without the decay of releases of fewer."""
        sizes = {(by, group): users for by, group, users in self.table.select("by", "group", "users").iter_rows()}
        shown = large_enough(sizes, k)
        kept = [pair in shown for pair in self.table.select("by", "group").iter_rows()]
        decay = tuple(d for d in self.decay if ("release", d.release) in shown)
        return replace(self, table=self.table.filter(pl.Series(kept, dtype=pl.Boolean)), decay=decay)

    def save(self, path: Path) -> None:
        """Write online.json."""
        rows = [{k: _plain(v) for k, v in row.items()} for row in self.table.iter_rows(named=True)]
        decay = [{k: _plain(v) for k, v in d.__dict__.items()} for d in self.decay]
        body = {"answers": self.answers, "decay": decay, "table": rows}
        path.write_text(json.dumps(body, sort_keys=True, indent=1, allow_nan=False))


def measure(outcomes: pl.DataFrame, learnt: Mapping[str, datetime], config: FeedbackConfig, *, seed: int) -> Online:
    """Outcomes, with the control's hits as control_hits, and until when each release had learnt -> Online.

    A life is a release and its age in whole weeks from that moment; releases that `learnt` does not name have none. Lives
    and decay are those of the usual kind of request: that others are asked for more often ages nothing.
    """
    aged = _aged(outcomes, learnt)
    parts = [_by(aged, by, config, seed) for by in ("release", "week", "life", ASKED)]
    releases = aged[Release].unique().sort().to_list()
    usual = aged.filter(pl.col(ASKED) == USUAL)
    decays = [d for name in releases if (d := decay(usual.filter(pl.col(Release) == name), config, seed=seed))]
    return Online(table=pl.concat(parts), decay=tuple(decays), answers=aged.height)


def decay(answers: pl.DataFrame, config: FeedbackConfig, *, seed: int) -> Decay | None:
    """Outcomes of one release -> its Decay of hit rate, or None where its life is too short to compare."""
    if answers.is_empty():
        return None
    days = timedelta(days=config.compare_days)
    first, last = answers[Time].min(), answers[Time].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    if last - first < 2 * days:
        return None
    sides = answers.with_columns(
        pl.when(pl.col(Time) < first + days)
        .then(pl.lit("young"))
        .when(pl.col(Time) > last - days)
        .then(pl.lit("old"))
        .alias("side")
    ).filter(pl.col("side").is_not_null())
    pair = {name: METRICS[name] for name in ("hit_rate", "control_hit_rate", "over_control")}
    found = ratios(sides, group="side", metrics=pair, draws=config.bootstrap, seed=seed)
    counts = dict(sides.group_by("side").len().iter_rows())
    return _decay(str(answers[Release][0]), found, counts, config.confidence)


def _decay(release: str, found: Mapping[str, Ratios], counts: Mapping[str, int], confidence: float) -> Decay:
    hit, habit, over = (found[name].value for name in ("hit_rate", "control_hit_rate", "over_control"))
    draws = _change(found["over_control"].draws)
    low, high = Ratios(("",), np.empty(1), draws[:, None]).interval(confidence)
    return Decay(
        release=release,
        young=float(hit[1]),
        old=float(hit[0]),
        control_young=float(habit[1]),
        control_old=float(habit[0]),
        young_answers=counts["young"],
        old_answers=counts["old"],
        change=float(_change(over[None])[0]),
        low=float(low[0]),
        high=float(high[0]),
    )


def _change(sides: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values in the order of the groups, old before young -> relative change. [n, 2] -> [n]"""
    out = np.full(len(sides), np.nan)
    np.divide(sides[:, 0], sides[:, 1], out=out, where=sides[:, 1] > 0)
    return out - 1


def _aged(outcomes: pl.DataFrame, learnt: Mapping[str, datetime]) -> pl.DataFrame:
    kind = pl.Datetime("us", "UTC")
    since = pl.col(Release).replace_strict(dict(learnt), default=None, return_dtype=kind)
    days = (pl.col(Time) - since).dt.total_seconds() / 86_400
    week = pl.col(Time).dt.truncate("1w").dt.strftime("%Y-%m-%d")
    age = (pl.col("age_days") / 7).floor().cast(pl.Int64).cast(pl.String).str.zfill(3)
    life = pl.when(pl.col(ASKED) == USUAL).then(pl.concat_str(Release, age, separator=" "))
    return outcomes.with_columns(days.alias("age_days"), week.alias("week")).with_columns(life.alias("life"))


def _by(aged: pl.DataFrame, by: str, config: FeedbackConfig, seed: int) -> pl.DataFrame:
    known = aged.filter(pl.col(by).is_not_null())
    facts = known.group_by(by).agg(
        pl.len().cast(pl.Int64).alias("answers"),
        pl.col(Columns.User).n_unique().cast(pl.Int64).alias("users"),
        pl.col("age_days").mean(),
    )
    found = ratios(known, group=by, metrics=METRICS, draws=config.bootstrap, seed=seed)
    rows = [_rows(name, ratio, config.confidence) for name, ratio in found.items()]
    return (
        pl.concat(rows)
        .join(facts.rename({by: "group"}), on="group", how="left", maintain_order="left")
        .select(pl.lit(by).alias("by"), "group", "metric", "value", "low", "high", "answers", "users", "age_days")
    )


def _rows(metric: str, found: Ratios, confidence: float) -> pl.DataFrame:
    low, high = found.interval(confidence)
    groups = pl.Series(found.groups, dtype=pl.String)
    values = {"group": groups, "value": found.value, "low": low, "high": high}
    return pl.DataFrame(values).with_columns(pl.lit(metric).alias("metric"))


def _plain(value: object) -> object:
    """JSON has no nan, and the last digits of sums depend on the machine's threads."""
    if not isinstance(value, float):
        return value
    return round(value, 9) if np.isfinite(value) else None
