"""An experiment as a page that somebody reads who has to decide."""

import base64
from html import escape

import numpy as np

from recloop.evaluation.experiments.course import Course
from recloop.evaluation.experiments.design import Design
from recloop.evaluation.experiments.pictures import lifts, way
from recloop.evaluation.experiments.results import Comparison
from recloop.evaluation.experiments.sample_ratio import TRUST

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}img{max-width:100%}
.verdict{font-size:1.2rem;padding:.8rem 1rem;background:#f3f6fa;border-left:5px solid #1f5fa8}
.broken{border-color:#b3261e;background:#fbeeed}small{color:#555}"""
WORDS = {
    "better": "is better than",
    "worse": "is worse than",
    "same": "makes no difference that matters against",
    "open": "cannot be told apart yet from",
}
ADVICE = {
    "better": "Release it.",
    "worse": "Stop the experiment and keep what serves.",
    "same": "Keep whichever is simpler to run.",
    "open": "Let it run on: looking now costs nothing, the intervals hold at every look.",
}


def page(course: Course, design: Design) -> str:
    """Course -> HTML in one file, pictures inside."""
    found = course.results
    rows = "".join(_row(one) for one in found.comparisons)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(design.name)}</title>'
        f"<style>{STYLE}</style></head><body><h1>Experiment {escape(design.name)}</h1>{_verdicts(course, design)}"
        f"<h2>What was compared</h2>{_arms(course, design)}{_picture(way(course.looks, smallest=design.effect))}"
        "<h2>All metrics</h2><table><tr><th>variant</th><th>metric</th><th>control</th><th>variant</th><th>change</th>"
        f"<th>interval</th><th>p</th><th>noise removed</th></tr>{rows}</table>{_picture(lifts(found.comparisons))}"
        f"{_notes(design)}</body></html>\n"
    )


def headline(course: Course, design: Design) -> list[str]:
    """One sentence a variant on the deciding metric; only that the split is broken, where it is."""
    found = course.results
    if found.sample_ratio < TRUST:
        users = ", ".join(f"{name} {n:,}" for name, n in found.users.items())
        return [
            f"Do not use this experiment: its users are not split as planned ({users}; p = {found.sample_ratio:.2g}). "
            "Find what loses users of one variant, mend it, and start again under another name."
        ]
    control = design.variants[0].name
    return [
        f"{one.variant} {WORDS[one.verdict]} {control} in {one.metric}: {_change(one)}. {ADVICE[one.verdict]}"
        for one in found.comparisons
        if one.metric == design.metric
    ]


def _verdicts(course: Course, design: Design) -> str:
    broken = " broken" if course.results.sample_ratio < TRUST else ""
    return "".join(f'<p class="verdict{broken}">{escape(text)}</p>' for text in headline(course, design))


def _arms(course: Course, design: Design) -> str:
    found = course.results
    rows = "".join(
        f"<tr><td>{escape(v.name)}</td><td>{escape(v.release or v.policy or 'what serves anyway')}</td>"
        f"<td>{v.share:g}</td><td>{found.users[v.name]:,}</td></tr>"
        for v in design.variants
    )
    return (
        "<table><tr><th>variant</th><th>what its users get</th><th>share</th><th>users</th></tr>"
        f"{rows}</table><p>{course.answers:,} answers. The split is as planned with p = {found.sample_ratio:.2g} (below "
        f"{TRUST:g} nothing here may be trusted).</p>"
    )


def _row(one: Comparison) -> str:
    cells = [one.variant, one.metric]
    if np.isfinite(one.low):
        cells += [f"{one.control:.4g}", f"{one.value:.4g}", f"{one.lift:+.1%}", _bounds(one), f"{one.p_value:.2g}"]
        cells += [f"{one.explained:.0%}"]
    else:
        cells += [f"{one.control:.4g}", f"{one.value:.4g}", "too few users or no events", "", "", ""]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _change(one: Comparison) -> str:
    return f"{one.lift:+.1%} ({_bounds(one)})" if np.isfinite(one.low) else "too few users or no events"


def _bounds(one: Comparison) -> str:
    return f"{one.low:+.1%} to {one.high:+.1%}"


def _picture(png: bytes) -> str:
    return f'<p><img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}"></p>'


def _notes(design: Design) -> str:
    return (
        f"<h2>How to read it</h2><p><small>Decided on {design.metric}, to find a change of {design.effect:.0%} or more; "
        f"error rate {design.alpha:.0%}. hits: purchases of shown items an answer; clicks: clicks on shown items an "
        "answer; purchases and revenue: a user, whatever was shown; preference: of the hits in interleaved lists, those of "
        "the other release less those of what serves. Intervals are always valid (mixture sequential test): "
        "they hold however often one looks, and with several variants each is wide enough for all. p-values are corrected "
        "(Holm): those of the metric that decides for its variants, the others for all comparisons. Noise removed: "
        "the share of the variance that users' purchases before the experiment explain (CUPED).</small></p>"
    )
