"""Pictures of the feedback: hit rate by week with release changes, and by age of the release."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recloop.columns import Columns
from recloop.feedback.online_metrics import Online

GREY = "#8a8a8a"
COLOURS = ("#1f5fa8", "#c2571a", "#2d7d46", "#7a4a9c")
SHOWN = (
    ("hit_rate", COLOURS[0], "hit rate"),
    ("control_hit_rate", GREY, "hit rate of habit"),
    ("ndcg", COLOURS[1], "NDCG"),
)


def draw(online: Online, outcomes: pl.DataFrame, folder: Path, *, k: int) -> tuple[Path, ...]:
    """Online metrics and outcomes -> weeks.png and decay.png in the folder; the same figures give the same bytes."""
    return (
        _save(_weeks(online, outcomes, k), folder / "weeks.png"),
        _save(_lives(online), folder / "decay.png"),
    )


def _weeks(online: Online, outcomes: pl.DataFrame, k: int) -> Figure:
    figure, axes = _axes("What shoppers took of the answers, by week", "week of the answer")
    for name, colour, label in SHOWN:
        rows = _rows(online, "week", name)
        middle = [_day(datetime.fromisoformat(week).replace(tzinfo=UTC)) + 3.5 for week in rows["group"]]
        _line(axes, middle, rows, colour=colour, label=f"{label}@{k}")
    first = outcomes.group_by(Columns.Release).agg(pl.col(Columns.Time).min()).sort(Columns.Time)
    for release, moment in first.iter_rows():
        axes.axvline(_day(moment), color=GREY, linewidth=1, linestyle="--")
        axes.annotate(
            f" {release[:12]}",
            (_day(moment), 1),
            xycoords=("data", "axes fraction"),
            va="top",
            fontsize=8,
            color="#444444",
        )
    axes.xaxis_date()
    figure.autofmt_xdate(rotation=30)
    figure.legend(loc="outside lower center", ncols=len(SHOWN), frameon=False)
    return figure


def _lives(online: Online) -> Figure:
    figure, axes = _axes("Hit rate over that of habit, by age of the release", "days since its last event learnt")
    axes.set_ylabel("hit rate / hit rate of habit")
    axes.axhline(1.0, color=GREY, linewidth=1, linestyle="--")
    rows = _rows(online, "life", "over_control").with_columns(
        pl.col("group").str.slice(0, pl.col("group").str.len_chars() - 4).alias("release")
    )
    for place, ((release,), life) in enumerate(rows.group_by("release", maintain_order=True)):
        colour = COLOURS[place % len(COLOURS)]
        _line(axes, life["age_days"].to_list(), life, colour=colour, label=str(release)[:12])
    if rows.height:
        figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure


def _axes(title: str, below: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(below)
    axes.set_ylabel("mean and interval over users")
    axes.grid(axis="y", color="#e5e5e5")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _rows(online: Online, by: str, metric: str) -> pl.DataFrame:
    rows = online.table.filter((pl.col("by") == by) & (pl.col("metric") == metric))
    return rows.filter(pl.col("value").is_finite()).sort("group")


def _line(axes: Axes, x: list[float], rows: pl.DataFrame, *, colour: str, label: str) -> None:
    axes.plot(x, rows["value"].to_list(), color=colour, marker="o", markersize=3, label=label)
    axes.fill_between(x, rows["low"].to_list(), rows["high"].to_list(), color=colour, alpha=0.15, linewidth=0)


def _day(moment: datetime) -> float:
    """Days since the epoch: what matplotlib's date axes count in."""
    return moment.timestamp() / 86_400


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Software": None})
    return path
