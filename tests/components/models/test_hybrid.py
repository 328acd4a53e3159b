import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import shop_datasets
from contracts import check_recommender
from frames import histories
from recloop.config import HybridConfig, ItemToItemConfig, SASRecConfig, SplitConfig, TrainerConfig
from recloop.errors import BadData
from recloop.models import family
from recloop.models.hybrid import BLEND, counted_of, sequence_part
from recloop.models.task import Task

N = 7
SASREC = SASRecConfig(dim=8, blocks=1, heads=1, length=12, horizon=2, negatives=16, batch=64, epochs=1)
CHEAP = (
    "after",
    "next",
    "before",
    "cosine",
    "two_hop",
    "popularity",
    "taken",
    "content",
    "ease",
    "als",
    "trending",
    "fresh",
)


def job(place, *, kind="windows", **settings):
    """A fit of the hybrid over the shop."""
    out, work = place / "out", place / "work"
    out.mkdir(parents=True)
    work.mkdir()
    split = SplitConfig(kind="leave_last_out", min_item_events=1) if kind == "visits" else shop_datasets.SPLIT
    data = shop_datasets.dataset(shop_datasets.canonical(), split)
    hybrid = HybridConfig(**({"parts": CHEAP, "candidates": 10, "users": 60} | settings))
    config = shop_datasets.MODEL.model_copy(update={"kind": "hybrid", "hybrid": hybrid, "sasrec": SASREC})
    cut, watch = (data.windows(1)[1],) * 2 if kind == "visits" else (data.test, None)
    return Task(data, cut=cut, watch=watch, config=config, trainer=TrainerConfig(threads=1), seed=3, out=out, work=work)


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_meets_the_contract_with_every_part(tmp_path):
    task = job(tmp_path, parts=("sasrec", *CHEAP), sequences=2)
    metrics = family.fit("hybrid", task)
    assert {f"blend_{name}" for name in ("sasrec", *CHEAP)} <= set(metrics)
    assert {p.name for p in task.out.iterdir() if p.is_dir()} == {"sequence_1", "sequence_2"}
    past = task.past.part(0, 5)
    check_recommender(family.load(task.out), past, task.n_codes)


def test_the_same_task_gives_the_same_bytes(tmp_path):
    first, second = job(tmp_path / "a"), job(tmp_path / "b")
    family.fit("hybrid", first)
    family.fit("hybrid", second)
    assert files(first.out) == files(second.out)


def test_nothing_after_the_cut_is_learnt(tmp_path):
    first, second = job(tmp_path / "a"), job(tmp_path / "b")
    events = second.dataset.events
    late = pl.Series(events["time"].to_numpy() >= second.cut.start[events["user"].to_numpy()])
    changed = events.with_columns(item=pl.when(late).then(1).otherwise(pl.col("item")).cast(events["item"].dtype))
    family.fit("hybrid", first)
    family.fit("hybrid", replace(second, dataset=replace(second.dataset, events=changed)))
    assert files(first.out) == files(second.out)


def test_counts_reach_up_to_the_cut_and_weights_are_learnt_before(tmp_path):
    task = job(tmp_path)
    family.fit("hybrid", task)
    assert np.load(task.out / "hybrid_taken.npy").sum() == len(task.past.items)


def test_what_is_watched_is_not_counted(tmp_path):
    task = job(tmp_path, kind="visits", parts=("after", "popularity"))
    family.fit("hybrid", task)
    assert np.load(task.out / "hybrid_taken.npy").sum() == len(task.past.items)
    assert len(json.loads((task.out / BLEND).read_text())["weights"]) == 3


def test_a_window_without_anybody_is_refused(tmp_path):
    task = job(tmp_path)
    start = task.tuning.start
    events = task.dataset.events
    kept = pl.Series(~((events["time"].to_numpy() >= start[0]) & (events["time"].to_numpy() < task.cut.start[0])))
    with pytest.raises(BadData, match="no window to learn its weights in"):
        family.fit("hybrid", replace(task, dataset=replace(task.dataset, events=events.filter(kept))))


def test_cosines_are_pairs_over_the_root_of_both_counts():
    counted = counted_of(histories([(1, 3), (2, 2)], [(1, 3), (2, 2)]), n_codes=N, config=ItemToItemConfig())
    assert counted.cosine[1, 2] == pytest.approx(2 / (2 + 2))
    assert counted.cosine[2, 1] == pytest.approx(0.5 * 2 / (2 + 2))
    assert counted.steps[1, 2] == pytest.approx(2 / (2 + 2))


def test_two_hops_reach_what_was_never_taken_together():
    past = histories([(1, 3), (2, 2)], [(2, 3), (3, 2)])
    parts = counted_of(past, n_codes=N, config=ItemToItemConfig()).parts(60)
    asked = histories([(1, 1)])
    assert parts["after"](asked)[0, 3] == 0 < parts["two_hop"](asked)[0, 3]


def test_own_items_count_by_their_age():
    parts = counted_of(histories([(1, 3), (2, 2)]), n_codes=N, config=ItemToItemConfig()).parts(60)
    found = parts["taken"](histories([(3, 60), (1, 60), (1, 0)]))[0]
    assert found.tolist() == pytest.approx([0, np.log(2.5), 0, np.log(1.5), 0, 0, 0], abs=1e-5)


class Logits:
    """Stands in for an encoder."""

    def __init__(self, logits, known):
        self.logits, self.known = np.array(logits, dtype=np.float32), np.array(known)

    def scores(self, histories):
        return self.logits.copy()


def test_an_item_that_a_model_never_saw_gets_the_rows_least_logit():
    one = Logits([[9, 1, 2, -3], [9, 4, 5, 6]], [False, True, True, True])
    two = Logits([[9, 1, 2, 7], [9, 4, 5, 6]], [False, True, True, False])
    found = sequence_part([one, two])(histories([(1, 1)], [(2, 1)]))
    assert found[0, 1:].tolist() == [1, 2, (-3 + 1) / 2]
