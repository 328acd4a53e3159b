"""Leak detectors: what in a dataset lets a model know its answers, and what makes its figures look better than they are."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.data.dataset import Dataset
from recloop.data.truth import Truth
from recloop.evaluation.folds import Exam
from recloop.models.task import past_of

USER, ITEM, TIME = Columns.UserCode, Columns.ItemCode, Columns.Time
COPIES = 5
"""events from which on two users with one and the same sequence are taken for one"""
MANY_COPIES = 0.01
STEP = 3
"""ids that follow the last one this closely ..."""
SUSPECT = 10
"""... this many times as often as chance are given in the order of what happened"""


@dataclass(frozen=True)
class Finding:
    """What a detector found. ok: nothing; note: known limits that a reader must know; leak: the figures cannot be trusted."""

    name: str
    level: Literal["ok", "note", "leak"]
    share: float
    n: int
    """of how many the share is"""
    text: str


def leaks(dataset: Dataset, exam: Exam) -> tuple[Finding, ...]:
    """Dataset and what is asked of it -> a finding of every detector."""
    truth = dataset.truth(exam.test)
    return (
        _canary(dataset, exam),
        _answer_in_history(dataset, exam, truth),
        _repeated_answers(truth),
        _baskets(dataset, exam),
        _copies(dataset, exam, truth),
        _unseen(dataset, exam, truth),
        _later(dataset, exam, truth),
        _order_of_ids(dataset, exam, truth),
    )


def planted(dataset: Dataset, exam: Exam) -> Dataset:
    """The dataset with canaries: every event that a fit may not see is item 1 at the price -1."""
    hidden = exam.cut if exam.watch is None else exam.test
    start = hidden.start[dataset.events[USER].to_numpy()]
    future = pl.Series(dataset.events[TIME].to_numpy() >= start)
    other = dataset.events.with_columns(
        pl.when(future).then(pl.lit(1, pl.Int32)).otherwise(pl.col(ITEM)).alias(ITEM),
        pl.when(future).then(pl.lit(-1.0, pl.Float32)).otherwise(pl.col(Columns.Price)).alias(Columns.Price),
    )
    return replace(dataset, events=other)


def sang(name: str, own: str, other: str) -> Finding:
    """Digests of a model fitted on the data and on `planted` data -> whether what it may not see changed it."""
    return Finding(
        f"canary of {name}",
        "ok" if own == other else "leak",
        float(own != other),
        1,
        f"{name} is the same to the byte when every event that it may not see is another."
        if own == other
        else f"{name} changes when events that it may not see change: it sees them, or its fit is not deterministic.",
    )


def _canary(dataset: Dataset, exam: Exam) -> Finding:
    """What is learnt must not change by a byte when the future does."""
    own, other = past_of(dataset, exam.cut), past_of(planted(dataset, exam), exam.cut)
    if len(own.items) == len(other.items):
        wrong = int(((own.items != other.items) | (own.prices != other.prices)).sum())
    else:
        wrong = abs(len(own.items) - len(other.items))
    n = len(own.items)
    return Finding(
        "future canary",
        "leak" if wrong else "ok",
        wrong / max(n, 1),
        n,
        f"{wrong:,} of {n:,} events that are learnt change when the future does." + (" None may." if wrong else ""),
    )


def _answer_in_history(dataset: Dataset, exam: Exam, truth: Truth) -> Finding:
    """Events at or after the moment that a list is made, in the history that it is made from."""
    past = past_of(dataset, exam.test, truth.users)
    wrong = int((past.times >= np.repeat(past.now, past.lengths)).sum())
    return Finding(
        "target in the input",
        "leak" if wrong else "ok",
        wrong / max(len(past.times), 1),
        len(past.times),
        f"{wrong:,} of {len(past.times):,} events of the histories are not older than the list that is made from them.",
    )


def _repeated_answers(truth: Truth) -> Finding:
    old = int((~truth.new).sum())
    n = len(truth.new)
    return Finding(
        "answers already taken",
        "note" if old else "ok",
        old / max(n, 1),
        n,
        f"{old / max(n, 1):.1%} of {n:,} answers were taken by their user before: with repeats a model of habits is enough for "
        "them, without they are left out.",
    )


def _baskets(dataset: Dataset, exam: Exam) -> Finding:
    """Baskets that begin before the test's start and go on after it: their other half is an answer."""
    events = dataset.events.filter(pl.col(Columns.Basket).is_not_null() & (pl.col(USER) > 0))
    codes = events[USER].to_numpy()
    sides = events.select(USER, Columns.Basket, after=pl.Series(events[TIME].to_numpy() >= exam.test.start[codes]))
    halves = sides.group_by(USER, Columns.Basket).agg(pl.col("after").mean())
    split = int(((halves["after"] > 0) & (halves["after"] < 1)).sum())
    n = halves.height
    return Finding(
        "baskets across the split",
        "leak" if split > MANY_COPIES * max(n, 1) else "note" if split else "ok",
        split / max(n, 1),
        n,
        f"{split:,} of {n:,} baskets lie on both sides of the test's start." if n else "The events name no baskets.",
    )


def _copies(dataset: Dataset, exam: Exam, truth: Truth) -> Finding:
    """Judged users whose history and answers are those of another user, event by event."""
    codes = dataset.events[USER].to_numpy()
    inside = dataset.events.filter(pl.Series((codes > 0) & (dataset.events[TIME].to_numpy() < exam.test.end[codes])))
    whole = (
        inside.group_by(USER, maintain_order=True)
        .agg(pl.col(Columns.Item).str.join("\n"), pl.len())
        .filter((pl.col("len") >= COPIES) & pl.col(USER).is_in(truth.users.tolist()))
    )
    copies = int(whole[Columns.Item].is_duplicated().sum())
    n = len(truth)
    return Finding(
        "duplicates across the split",
        "leak" if copies > MANY_COPIES * max(n, 1) else "note" if copies else "ok",
        copies / max(n, 1),
        n,
        f"{copies:,} of {n:,} judged users have the very sequence of another one, answers included ({COPIES} events or more).",
    )


def _unseen(dataset: Dataset, exam: Exam, truth: Truth) -> Finding:
    """Answers that no model can have learnt: a bound of every recall."""
    learnt = np.zeros(len(dataset.items) + 1, dtype=bool)
    learnt[dataset.before(exam.cut)[ITEM].to_numpy()] = True
    unknown = int((~learnt[truth.items]).sum())
    n = len(truth.items)
    return Finding(
        "items first seen after the cut",
        "note" if unknown else "ok",
        unknown / max(n, 1),
        n,
        f"{unknown / max(n, 1):.1%} of {n:,} answers are items that occur in no event before the cut, or too seldom: no model "
        "that learns from events can find them.",
    )


def _later(dataset: Dataset, exam: Exam, truth: Truth) -> Finding:
    """Learnt events of others that lie after the moment at which a user is asked: the price of leaving the last visit out."""
    first = dataset.events.filter(pl.col(USER) > 0).group_by(USER).agg(pl.col(TIME).min())[TIME]
    if first.n_unique() == 1:
        return Finding(
            "learnt later than asked", "note", 0.0, 0, "Times are an order only, so it cannot be told; see the split."
        )
    learnt = np.sort(dataset.before(exam.cut)[TIME].to_numpy())
    asked = exam.test.start[truth.users]
    share = float((1 - np.searchsorted(learnt, asked) / max(len(learnt), 1)).mean()) if len(truth) else 0.0
    return Finding(
        "learnt later than asked",
        "note" if share > 0 else "ok",
        share,
        len(truth),
        f"For the mean user {share:.1%} of what is learnt happens after the moment of the question."
        + (" Figures of this split are above what a service would see." if share > 0 else ""),
    )


def _order_of_ids(dataset: Dataset, exam: Exam, truth: Truth) -> Finding:
    """Numbers given as items appear betray what comes next: an id a little above the last one is an answer too often."""
    numbers = pl.Series(list(dataset.items.ids), dtype=pl.String).cast(pl.Int64, strict=False)
    if not len(numbers) or numbers.null_count():
        return Finding("order of ids", "ok", 0.0, 0, "Ids are not numbers.")
    values = np.concatenate([[np.iinfo(np.int32).min], numbers.to_numpy()])
    past = past_of(dataset, exam.test, truth.users)
    # a row without a history has no last item, and the one before its offset is another user's
    known = (past.lengths > 0)[truth.rows]
    ends = past.offsets[1:][truth.rows[known]] - 1
    return _stepped(values[truth.items[known]] - values[past.items[ends]], len(numbers))


def _stepped(steps: NDArray[np.int64], n_items: int) -> Finding:
    share = float(((steps > 0) & (steps <= STEP)).mean()) if len(steps) else 0.0
    chance = STEP / n_items
    suspect = share > SUSPECT * chance and share > 0.002
    return Finding(
        "order of ids",
        "note" if suspect else "ok",
        share,
        len(steps),
        f"{share:.2%} of answers have an id 1 to {STEP} above the last item's; {chance:.2%} would by chance."
        + (" No model may use the order of ids." if suspect else ""),
    )
