"""The scorecard as pictures: models with intervals, paired differences, slices, catalogue, calibration."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recloop.evaluation.intervals import Estimate
from recloop.evaluation.scorecard import MODEL, VIEWS, Scorecard

BLUE, GREY = "#1f5fa8", "#8a8f98"
MARKS = "sD^vPX*<>"
"""one a rival"""
METADATA = {"Software": None}
"""so that equal figures have equal bytes"""
OF_CATALOGUE = {
    "coverage": "share of the vocabulary that is shown",
    "gini": "Gini coefficient of what is shown",
    "novelty": "novelty, bits",
}


def plot(card: Scorecard, folder: Path, *, metric: str) -> list[Path]:
    """Write models.png, differences.png, slices.png, catalogue.png and, where it is known, calibration.png."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figures = {
            "models": _models(card, metric),
            "differences": _differences(card, metric),
            "slices": _slices(card, metric),
            "catalogue": _catalogue(card, metric),
        }
        if card.calibration:
            figures["calibration"] = _calibration(card)
        paths = [folder / f"{name}.png" for name in figures]
        for path, figure in zip(paths, figures.values(), strict=True):
            figure.savefig(path, dpi=110, metadata=METADATA, bbox_inches="tight")
    return paths


def _models(card: Scorecard, metric: str) -> Figure:
    figure = Figure(figsize=(9, 0.5 * len(card.models) + 1.2), layout="constrained")
    names = _order(card, metric)
    for ax, view in zip(figure.subplots(1, 2, sharey=True), VIEWS, strict=True):
        _points(ax, {n: card.models[n][view][metric] for n in names}, strong=MODEL)
        ax.set_xlabel(f"{metric}@{card.protocol.k}, {view} purchases")
    figure.suptitle(f"{card.users:,} users, protocol {card.protocol.hash}, {card.confidence:.0%} intervals")
    return figure


def _order(card: Scorecard, metric: str) -> list[str]:
    """Models from the worst to the best on all purchases: one order, since panels share their names."""
    return sorted(card.models, key=lambda name: card.models[name]["all"][metric].value)


def _differences(card: Scorecard, metric: str) -> Figure:
    """A panel a view: differences on new purchases are a tenth of those on all."""
    names = [name for name in _order(card, metric) if name in card.differences]
    figure = Figure(figsize=(9, 0.45 * len(names) + 1.2), layout="constrained")
    for ax, view in zip(figure.subplots(1, 2, sharey=True), VIEWS, strict=True):
        _points(ax, {n: card.differences[n][view] for n in names}, strong="", sign="+")
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_xlabel(f"model minus rival, {metric}@{card.protocol.k}, {view} purchases")
    figure.suptitle(f"Paired differences, {card.confidence:.0%} intervals; right of zero the model is better")
    return figure


def _slices(card: Scorecard, metric: str) -> Figure:
    """The model with its interval, and where each rival stands on the same users."""
    rows = {name: e for name, e in sorted(card.slices.items(), reverse=True) if np.isfinite(e[MODEL].value)}
    figure = Figure(figsize=(9, 0.36 * max(len(rows), 1) + 1.4), layout="constrained")
    ax = figure.subplots()
    _points(ax, {f"{name} ({e[MODEL].n:,} users)": e[MODEL] for name, e in rows.items()}, strong="")
    for rival, mark in zip(card.differences, MARKS, strict=False):
        levels = [e[MODEL].value - e[rival].value for e in rows.values()]
        ax.plot(levels, range(len(rows)), mark, color=GREY, markersize=5, fillstyle="none", label=rival)
    if rows and card.differences:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    ax.set_xlabel(f"{metric}@{card.protocol.k} of the model (blue) and its rivals on each slice")
    return figure


def _catalogue(card: Scorecard, metric: str) -> Figure:
    names = _order(card, metric)
    figure = Figure(figsize=(9, 0.4 * len(names) + 1.2), layout="constrained")
    for ax, (name, label) in zip(figure.subplots(1, 3, sharey=True), OF_CATALOGUE.items(), strict=True):
        _points(ax, {n: card.models[n]["all"][name] for n in names}, strong=MODEL)
        ax.set_xlabel(label, fontsize=8)
        ax.margins(x=0.15)
    return figure


def _calibration(card: Scorecard) -> Figure:
    """Well weighted probabilities lie on the diagonal."""
    predicted, observed = [b.predicted for b in card.calibration], [b.observed for b in card.calibration]
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    ax = figure.subplots()
    end = 1.05 * max(*predicted, *observed, 1e-3)
    ax.plot([0, end], [0, end], color=GREY, linewidth=0.8)
    ax.plot(predicted, observed, "o-", color=BLUE, markersize=5)
    ax.set(xlim=(0, end), ylim=(0, end), aspect="equal")
    ax.set_xlabel("probability given by the ranker to what it shows")
    ax.set_ylabel("share that was taken in the test window")
    ax.set_title(f"{sum(b.n for b in card.calibration):,} pairs in {len(predicted)} bins", fontsize=9)
    return figure


def _points(ax: Axes, rows: dict[str, Estimate], *, strong: str, sign: str = "") -> None:
    """One point with its interval a row, from bottom to top."""
    for y, (name, e) in enumerate(rows.items()):
        colour = BLUE if not strong or name == strong else GREY
        ax.plot([e.low, e.high], [y, y], color=colour, linewidth=2)
        ax.plot(e.value, y, "o", color=colour, markersize=5)
        ax.annotate(
            f"{e.value:{sign}.3f}", (e.value, y), textcoords="offset points", xytext=(0, 5), ha="center", fontsize=7
        )
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(-0.6, len(rows) - 0.3)
    ax.locator_params(axis="x", nbins=5)
