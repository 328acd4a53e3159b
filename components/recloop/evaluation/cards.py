"""The model card of a release (Mitchell et al. 2019): what it is of, how it was judged, where it is weak; Markdown and HTML."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

import numpy as np

from recloop.evaluation.comparison_table import estimate
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.scorecard import CHAMPION, MODEL, VIEWS, Scorecard

SHOWN = ("ndcg", "recall", "precision", "mrr", "hit_rate", "map", "spend_share")
OF_VIEW = {"all": "all items taken", "new": "items new to their user"}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.6em 0}td,th{border-bottom:1px solid #ddd;padding:.25em .8em .25em 0;text-align:left}"
    "h1{font-size:1.6em}h2{font-size:1.2em;margin-top:1.6em}code{font-size:.9em;word-break:break-all}"
)


@dataclass(frozen=True)
class Part:
    """A section: sentences, then a table whose first row is its head."""

    title: str
    text: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Card:
    """A title and its sections."""

    title: str
    parts: tuple[Part, ...]

    def markdown(self) -> str:
        """The card as Markdown."""
        lines = [f"# {self.title}", ""]
        for part in self.parts:
            lines += [f"## {part.title}", "", *(line for text in part.text for line in (text, ""))]
            if part.table:
                first, *rest = part.table
                lines += [_row(first), "|" + "---|" * len(first), *map(_row, rest), ""]
        return "\n".join(lines)

    def html(self) -> str:
        """The card as one page without scripts or anything to load."""
        body = "".join(_section(part) for part in self.parts)
        title = escape(self.title)
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
        )


@dataclass(frozen=True)
class Subject:
    """What a card is of; nothing of it names a place."""

    name: str
    """of the release or the model"""
    digest: str
    facts: Mapping[str, Any]
    """model.json"""
    config: Mapping[str, Any]
    """the scenario's configuration"""
    data: Mapping[str, int | str]
    """users, items, events, ... as people read them"""
    parents: Mapping[str, str]
    """name -> digest"""
    files: Mapping[str, tuple[str, int]]
    """path -> sha256, bytes"""
    scorecard: Scorecard | None


def card(subject: Subject) -> Card:
    """Subject -> its card; sections that need a scorecard say so where there is none."""
    kind = str(subject.facts.get("kind", "two_stage"))
    scenario = subject.config.get("title") or subject.config.get("scenario") or "a model"
    found = subject.scorecard
    judged = _judged(found) if found else (Part("How it was judged", ("No scorecard was given: nothing is known.",)),)
    parts = (
        _what(subject, kind),
        _training(subject, kind),
        _data(subject),
        *judged,
        _limits(subject),
        _hashes(subject),
    )
    return Card(f"{scenario}: {kind}, {subject.name}", parts)


def _what(subject: Subject, kind: str) -> Part:
    return Part(
        "What it is",
        (
            f"A recommender of the kind `{kind}`: it takes the events of one user and gives the k best items of the catalogue. "
            "It needs no account of a user beyond those events, so it serves people it never learnt from.",
            f"Digest `{subject.digest}`.",
        ),
    )


def _training(subject: Subject, kind: str) -> Part:
    config = subject.config.get("model", {})
    own = config.get(kind, config if "kind" not in config else {})
    rows = [("setting", "value"), *((name, str(value)) for name, value in sorted(_flat(own).items()))]
    if kind == "two_stage":
        parts = {name: config[name] for name in ("candidates", "sasrec", "ranker") if name in config}
        rows = [("setting", "value"), *((name, str(value)) for name, value in sorted(_flat(parts).items()))]
    until = subject.facts.get("learnt_until")
    text = [
        f"It learnt from events before {_moment(until)}."
        if until is not None
        else "It does not say what it learnt until."
    ]
    text += [f"Seed {subject.config['seed']}."] if "seed" in subject.config else []
    text += ["It was warm-started from the release that served before."] if "champion" in subject.parents else []
    return Part("How it was trained", tuple(text), tuple(rows) if len(rows) > 1 else ())


def _data(subject: Subject) -> Part:
    rows = (("", ""), *((name, f"{v:,}" if isinstance(v, int) else v) for name, v in subject.data.items()))
    split = subject.config.get("split", {})
    said = ", ".join(f"{name} {value}" for name, value in sorted(split.items()))
    return Part("Data", (f"Split: {said}.",) if said else (), rows)


def _judged(found: Scorecard) -> tuple[Part, ...]:
    protocol = tuple((name, str(value)) for name, value in asdict(found.protocol).items())
    head = f"{found.users:,} users, protocol `{found.protocol.hash}`; {found.confidence:.0%} intervals, by bootstrap over users."
    return (
        Part("Protocol", (head,), (("", ""), *protocol)),
        *(_metrics(found, view) for view in VIEWS),
        _differences(found),
        _slices(found),
        *_calibration(found),
    )


def _metrics(found: Scorecard, view: str) -> Part:
    names = sorted(found.models, key=lambda name: (name != MODEL, -found.models[name][view]["ndcg"].value))
    rows = [("", *(f"{metric}@{found.protocol.k}" for metric in SHOWN))]
    rows += [
        (name, *(_cell(found.models[name][view].get(metric), n == 0) for metric in SHOWN))
        for n, name in enumerate(names)
    ]
    return Part(f"Quality on {OF_VIEW[view]}", (), tuple(rows))


def _cell(value: Estimate | None, whole: bool) -> str:
    if value is None:
        return "-"
    return estimate(value) if whole else f"{value.value:.4f}"


def _differences(found: Scorecard) -> Part:
    rows = [("model minus", *(OF_VIEW[view] for view in VIEWS))]
    rows += [(name, *(estimate(views[v], sign="+") for v in VIEWS)) for name, views in found.differences.items()]
    return Part("Paired differences", (f"In {found.metric or 'the metric of the gate'}.",), tuple(rows))


def _slices(found: Scorecard) -> Part:
    rivals = list(found.differences)
    rows = [("slice", "users", "model", *(f"minus {r}" for r in rivals))]
    for name, by in sorted(found.slices.items()):
        own = by[MODEL]
        rows.append((name, f"{own.n:,}", estimate(own), *(_cell(by.get(r), True) for r in rivals)))
    text = (f"Withheld, because too few users are in them: {', '.join(found.withheld)}.",) if found.withheld else ()
    return Part("Slices", text, tuple(rows))


def _calibration(found: Scorecard) -> tuple[Part, ...]:
    if not found.calibration:
        return ()
    rows = [("said", "happened", "pairs")]
    rows += [(f"{b.predicted:.3f}", f"{b.observed:.3f}", f"{b.n:,}") for b in found.calibration]
    return (Part("Calibration", ("What it said of the items it shows, against what was taken.",), tuple(rows)),)


def _limits(subject: Subject) -> Part:
    """What the figures themselves say against the model, then what no figure of ours says."""
    found = subject.scorecard
    text = [] if found is None else [*_unproved(found), *_weak(found), *_narrow(found)]
    text += [
        "It was judged on what people took of what was put before them then: it may be better or worse on items that they were "
        "never shown. Only an experiment on the service tells.",
        "No attribute of a person is known to it, and none was looked at: whether it serves groups of people alike is not known "
        "beyond the slices above.",
        "It cannot show an item without an event before the cut, nor explain a taste that changed since then.",
    ]
    return Part("Limits", tuple(text))


def _unproved(found: Scorecard) -> list[str]:
    return [
        f"It is not proved better than {name} on {OF_VIEW[view]}: {estimate(e, sign='+')}."
        for name, views in found.differences.items()
        for view, e in views.items()
        if not e.low > 0
    ]


def _weak(found: Scorecard) -> list[str]:
    return [
        f"On the slice {name} it is below {rival}: {estimate(e, sign='+')} ({e.n:,} users)."
        for name, by in sorted(found.slices.items())
        for rival, e in by.items()
        if rival != MODEL and e.high < 0 and (name not in found.item_slices or rival == CHAMPION)
    ]


def _narrow(found: Scorecard) -> list[str]:
    own = found.models[MODEL]["all"]
    text = []
    if "coverage" in own and np.isfinite(own["coverage"].value):
        text.append(f"It shows {own['coverage'].value:.1%} of its catalogue to anybody (Gini {own['gini'].value:.2f}).")
    if found.protocol.kind == "leave_last_out":
        text.append(
            "Each user's last visit was held out: others' later events were learnt, so the figures are above a service's."
        )
    return text


def _hashes(subject: Subject) -> Part:
    rows = [("what", "sha256", "bytes"), *((f"from: {n}", f"`{d}`", "") for n, d in sorted(subject.parents.items()))]
    rows += [(path, f"`{digest}`", f"{size:,}") for path, (digest, size) in sorted(subject.files.items())]
    return Part("Hashes", (), tuple(rows))


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, item in value.items():
        out |= _flat(item, f"{prefix}{name}.") if isinstance(item, Mapping) else {f"{prefix}{name}": item}
    return out


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _section(part: Part) -> str:
    text = "".join(f"<p>{_inline(t)}</p>" for t in part.text)
    if not part.table:
        return f"<h2>{escape(part.title)}</h2>{text}"
    first, *rest = part.table
    head = "".join(f"<th>{_inline(c)}</th>" for c in first)
    body = "".join("<tr>" + "".join(f"<td>{_inline(c)}</td>" for c in row) + "</tr>" for row in rest)
    return f"<h2>{escape(part.title)}</h2>{text}<table><tr>{head}</tr>{body}</table>"


def _inline(text: str) -> str:
    """Escaped text; what stands between back quotes is code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(pieces))
