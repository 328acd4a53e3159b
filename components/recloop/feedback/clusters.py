"""Ratios of sums with intervals that know that one user's answers are alike (cluster bootstrap)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns

MOST = 4096
"""users beyond this many share clusters, which keeps the intervals and bounds the work"""
SIDES = ("top", "bottom")
CHUNK = 100
"""bootstrap draws at a time"""


@dataclass(frozen=True)
class Ratios:
    """sum(top) / sum(bottom) of g groups and its bootstrap draws; nan where the bottom is 0."""

    groups: tuple[str, ...]
    value: NDArray[np.float64]  # [g]
    draws: NDArray[np.float64]  # [draws, g]

    def interval(self, confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Percentile interval of every group. ([g], [g]) nan where it has no draw."""
        low, high = np.full(len(self.groups), np.nan), np.full(len(self.groups), np.nan)
        known = ~np.isnan(self.draws).all(axis=0)
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        if known.any():
            low[known], high[known] = np.nanquantile(self.draws[:, known], tails, axis=0)
        return low, high


def ratios(
    frame: pl.DataFrame, *, group: str, metrics: Mapping[str, tuple[pl.Expr, pl.Expr]], draws: int, seed: int
) -> dict[str, Ratios]:
    """One row an answer and (top, bottom) of each metric -> Ratios of each metric by `group`, groups in sorted order.

    Users, not answers, are drawn with replacement [Davison & Hinkley 1997, 2.4], each counted Poisson(1) times a draw
    [Chamandy et al. 2012, "Estimating uncertainty for massive data streams"]. A draw takes the same users for all
    groups and metrics, so that functions of several of them are paired.
    """
    sums, groups = _sums(frame, group=group, metrics=metrics)
    values = _divide(sums.sum(axis=0))
    rng = np.random.default_rng(seed)
    flat = sums.reshape(len(sums), sums[0].size if len(sums) else 0)
    drawn = np.full((draws, *values.shape), np.nan)
    for start in range(0, draws, CHUNK):
        weights = rng.poisson(1.0, size=(min(CHUNK, draws - start), len(sums))).astype(np.float64)  # [chunk, clusters]
        drawn[start : start + CHUNK] = _divide((weights @ flat).reshape(len(weights), *sums.shape[1:]))
    return {name: Ratios(groups, values[:, m], drawn[:, :, m]) for m, name in enumerate(metrics)}


def _sums(
    frame: pl.DataFrame, *, group: str, metrics: Mapping[str, tuple[pl.Expr, pl.Expr]]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Sums of top and bottom by cluster of users, group and metric. [clusters, g, metrics, 2]"""
    parts = {f"{n} {side}": pair[i].cast(pl.Float64) for n, pair in metrics.items() for i, side in enumerate(SIDES)}
    cells = (
        frame.select(
            (pl.col(Columns.User).rank("dense") % MOST).rank("dense").alias("cluster"),
            pl.col(group).cast(pl.String).alias("group"),
            **parts,
        )
        .group_by("cluster", "group")
        .agg(pl.col(*parts).sum())
        .sort("cluster", "group")
    )
    groups, column = np.unique(cells["group"].to_numpy().astype(str), return_inverse=True)
    row = cells["cluster"].to_numpy().astype(np.int64) - 1
    sums = np.zeros((int(row.max(initial=-1)) + 1, len(groups), len(metrics), 2))
    sums[row, column] = cells.select(*parts).to_numpy().reshape(-1, len(metrics), 2)
    return sums, tuple(groups.tolist())


def _divide(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """[..., 2] -> [...]"""
    out = np.full(sums.shape[:-1], np.nan)
    np.divide(sums[..., 0], sums[..., 1], out=out, where=sums[..., 1] > 0)
    return out
