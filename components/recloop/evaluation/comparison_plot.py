"""Quality against cost: what a better list takes to make."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from recloop.evaluation.comparison import Comparison
from recloop.evaluation.plots import BLUE, GREY, METADATA

SIDES = {
    "fit_cpu_seconds": "fit, CPU seconds",
    "cpu_seconds_a_million": "a million lists, CPU seconds",
}


def plot(found: Comparison, path: Path) -> None:
    """Write one PNG: a point a model with its interval, costs on logarithmic axes; equal figures give equal bytes."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        for ax, (cost, label) in zip(figure.subplots(1, 2, sharey=True), SIDES.items(), strict=True):
            for name, entry in found.entries.items():
                e, x = entry.metrics[found.metric], max(entry.costs[cost], 1e-3)
                colour = GREY if name == found.baseline else BLUE
                ax.plot([x, x], [e.low, e.high], color=colour, linewidth=1.5)
                ax.plot(x, e.value, "o", color=colour, markersize=5)
                ax.annotate(name, (x, e.value), textcoords="offset points", xytext=(6, 4), fontsize=8)
            ax.set_xscale("log")
            ax.margins(x=0.2)
            ax.set_xlabel(label)
        figure.axes[0].set_ylabel(f"{found.metric}@{found.protocol.k}, {found.confidence:.0%} intervals")
        figure.suptitle(f"{found.title}: {found.users:,} users, protocol {found.protocol.hash}; grey is the baseline")
        figure.savefig(path, dpi=110, metadata=METADATA, bbox_inches="tight")
