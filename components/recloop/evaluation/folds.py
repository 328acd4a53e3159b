"""Folds of a comparison: one dataset each, with what may be learnt there and what is answered."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.config import SplitConfig
from recloop.data import split
from recloop.data.dataset import Dataset
from recloop.data.truth import Truth
from recloop.data.windows import DAY, Window
from recloop.errors import BadData
from recloop.evaluation.protocol import Benchmark

PROTOCOLS = ("temporal", "leave_last_out", "rolling")
LEARNT = {
    "temporal": "every event before the test window",
    "leave_last_out": "every event before each user's last visit but one, which may be watched",
}

NUMBERS = (Columns.UserCode, Columns.ItemCode, Columns.Time, Columns.Price, Columns.Quantity, Columns.Discount)
"""columns of the events that a figure depends on"""


@dataclass(frozen=True)
class Exam:
    """cut: only what lies before it is learnt. watch: what may be looked at to stop or choose. test: what is answered."""

    cut: Window
    watch: Window | None
    test: Window


def exam(dataset: Dataset) -> Exam:
    """Dataset -> the exam of its split: on the last window of time, or on last visits after watching those before."""
    if dataset.split.kind == "leave_last_out":
        test, watch = dataset.windows(1)
        return Exam(watch, watch, test)
    return Exam(dataset.test, None, dataset.test)


def rehearsal(dataset: Dataset) -> Exam:
    """Dataset -> an exam that never looks at the test: all one window, or one visit, earlier. Settings are chosen there."""
    if dataset.split.kind == "leave_last_out":
        test, watch = dataset.windows(2)[1:]
        return Exam(watch, watch, test)
    before = dataset.windows(1)[1]
    return Exam(before, None, before)


def folds(
    events: pl.DataFrame, items: pl.DataFrame, config: SplitConfig, *, protocol: str, count: int = 3
) -> tuple[Dataset, ...]:
    """Canonical events and items -> one dataset a fold, oldest first; `count` of them where the protocol is rolling.

    A fold knows nothing of what comes after its own test window, its vocabulary included. Raises BadData where the history is
    too short for so many folds.
    """
    if protocol not in PROTOCOLS:
        raise BadData(f"There is no protocol {protocol!r}; known are {', '.join(PROTOCOLS)}.")
    if protocol == "leave_last_out":
        return (split.build(events, items, config.model_copy(update={"kind": "leave_last_out"})),)
    timed = config.model_copy(update={"kind": "temporal"})
    newest = split.build(events, items, timed)
    if protocol == "temporal":
        return (newest,)
    return (*(_earlier(events, items, timed, newest.split.end, back) for back in range(count - 1, 0, -1)), newest)


def _earlier(events: pl.DataFrame, items: pl.DataFrame, config: SplitConfig, end: int, back: int) -> Dataset:
    edge = datetime.fromtimestamp(end - back * config.test_days * DAY, tz=UTC)
    known = events.filter(pl.col(Columns.Time) < edge)
    if known.is_empty():
        raise BadData(
            f"Fold {back} windows of {config.test_days} days before the newest ends on {edge.date()}, and no event lies before "
            "it. Ask for fewer folds or set split.test_days lower."
        )
    return split.build(known, items, config, end=edge)


def part(dataset: Dataset, share: float, *, seed: int) -> Dataset:
    """A share of the users, drawn by the seed; codes, catalogue and split stay as they are."""
    if share >= 1:
        return dataset
    drawn = np.random.default_rng(seed).random(len(dataset.users) + 1) < share
    return replace(dataset, events=dataset.events.filter(pl.Series(drawn[dataset.events[Columns.UserCode].to_numpy()])))


def fingerprint(datasets: tuple[Dataset, ...]) -> str:
    """Twelve hex digits of all that a figure depends on in the data."""
    digest = hashlib.sha256()
    for dataset in datasets:
        for name in NUMBERS:
            digest.update(np.ascontiguousarray(dataset.events[name].to_numpy()).tobytes())
        # an answer without a code is told from others by its id
        unknown = dataset.events.filter(pl.col(Columns.ItemCode) == 0)[Columns.Item].to_list()
        texts = [dataset.catalogue[name].to_list() for name in (Columns.Title, Columns.Brand, Columns.Category)]
        for text in (dataset.users.ids, dataset.items.ids, unknown, *texts):
            digest.update(json.dumps(text).encode())
        digest.update(repr(dataset.split).encode())
    return digest.hexdigest()[:12]


def benchmark(datasets: tuple[Dataset, ...], config: SplitConfig, *, k: int, repeats: bool) -> Benchmark:
    """The protocol of a comparison on these folds."""
    newest = datasets[-1]
    return Benchmark(
        kind=newest.split.kind if len(datasets) == 1 else "rolling",
        start=int(newest.test.start.min()),
        end=newest.split.end,
        k=k,
        min_item_events=config.min_item_events,
        data=fingerprint(datasets),
        folds=len(datasets),
        learnt=LEARNT[newest.split.kind],
        repeats=repeats,
    )


def answers(dataset: Dataset, window: Window, *, repeats: bool) -> Truth:
    """What users took in the window; without repeats only what was new to them, and users with nothing new drop out.

    Raises BadData where nobody is left.
    """
    found = dataset.truth(window)
    kept = found if repeats else found.fresh()
    if not len(kept):
        raise BadData(
            f"Nobody can be judged: of {len(dataset.users):,} users {len(found):,} have both an event before the window that "
            f"starts {datetime.fromtimestamp(window.as_of, tz=UTC):%Y-%m-%d %H:%M} and one in it, and none of them took "
            "anything new there. Set split.test_days otherwise, bring more history, or let repeats count (--repeats)."
        )
    return kept
