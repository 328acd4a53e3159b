"""Pictures of an experiment as PNG bytes; the same figures give the same bytes."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recloop.evaluation.experiments.course import Look
from recloop.evaluation.experiments.results import Comparison

COLOURS = {"better": "#2d7d46", "worse": "#b3261e", "same": "#1f5fa8", "open": "#8a8a8a"}
LINES = ("#1f5fa8", "#c2571a", "#2d7d46", "#7a4a9c")
WIDEST = 1.0
"""lift beyond which an interval is cut off"""


def lifts(comparisons: Sequence[Comparison]) -> bytes:
    """Every metric of every variant as a lift with its interval."""
    known = [one for one in comparisons if np.isfinite(one.low)]
    figure, axes = _axes("Change against the control, with always-valid intervals", height=1.2 + 0.4 * len(known))
    for place, one in enumerate(reversed(known)):
        colour = COLOURS[one.verdict]
        axes.plot([one.low, one.high], [place, place], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([one.lift], [place], "o", color=colour)
    axes.set_yticks(range(len(known)), [f"{one.variant}: {one.metric}" for one in reversed(known)])
    axes.axvline(0, color="#444444", linewidth=1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0%}")
    return _png(figure)


def way(looks: Sequence[Look], *, smallest: float) -> bytes:
    """The deciding metric's interval as users came; the band is what would be too small to matter."""
    figure, axes = _axes("The deciding metric, as users came", height=3.4)
    axes.axhspan(-smallest, smallest, color="#eeeeee")
    axes.axhline(0, color="#444444", linewidth=1)
    variants = [one.variant for one in looks[-1].comparisons] if looks else []
    for n, variant in enumerate(variants):
        rows = [(look.users, one) for look in looks for one in look.comparisons if one.variant == variant]
        told = [(users, one) for users, one in rows if np.isfinite(one.low)]
        users = [users for users, _ in told]
        axes.plot(users, [one.lift for _, one in told], color=LINES[n % len(LINES)], label=variant)
        low, high = ([getattr(one, side) for _, one in told] for side in ("low", "high"))
        axes.fill_between(users, low, high, color=LINES[n % len(LINES)], alpha=0.15, linewidth=0)
    axes.set_xlabel("users in the experiment")
    axes.set_ylim(-WIDEST, WIDEST)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:+.0%}")
    if variants:
        axes.legend(frameon=False)
    return _png(figure)


def _axes(title: str, *, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, height), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(axis="x", color="#e5e5e5")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, format="png", metadata={"Software": None})
    return held.getvalue()
