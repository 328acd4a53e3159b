from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from frames import DAY, canonical, items
from recloop.config import SplitConfig
from recloop.errors import BadData
from recloop.evaluation.folds import answers, benchmark, exam, fingerprint, folds, part, rehearsal

CONFIG = SplitConfig(test_days=2, min_item_events=1)
ROWS = [(f"u{u}", f"i{(u + d) % 5}", d) for u in range(3) for d in range(8)] + [("u0", "late", 7)]
EVENTS, ITEMS = canonical(ROWS), items([f"i{n}" for n in range(5)] + ["late"])


def made(protocol, count=3, rows=EVENTS):
    return folds(rows, ITEMS, CONFIG, protocol=protocol, count=count)


def test_rolling_folds_end_one_window_after_another():
    ends = [d.split.end for d in made("rolling")]
    assert np.diff(ends).tolist() == [2 * DAY, 2 * DAY]
    assert [int(d.test.start.min()) for d in made("rolling")[1:]] == ends[:-1]


def test_an_earlier_fold_knows_nothing_of_what_comes_after_it():
    first = made("rolling")[0]
    assert int(first.events["time"].max()) < first.split.end
    late = canonical([*ROWS[:-1], ("u1", "later", 7), ("u0", "i1", 7)])
    again = made("rolling", rows=late)[0]
    assert again.events.drop("item_id").equals(first.events.drop("item_id"))
    assert again.items == first.items


def test_the_newest_rolling_fold_is_the_temporal_dataset():
    assert made("rolling")[-1].events.equals(made("temporal")[0].events)


def test_too_many_folds_are_refused_with_their_dates():
    with pytest.raises(BadData, match="Ask for fewer folds"):
        made("rolling", count=9)


def test_an_unknown_protocol_lists_the_known():
    with pytest.raises(BadData, match="temporal, leave_last_out, rolling"):
        made("random")


def test_leaving_the_last_out_is_learnt_before_the_visit_that_is_watched():
    data = made("leave_last_out")[0]
    taken = exam(data)
    assert taken.cut is taken.watch
    assert (taken.cut.end == taken.test.start).all()


def test_a_temporal_exam_watches_nothing():
    taken = exam(made("temporal")[0])
    assert taken.watch is None
    assert taken.cut.as_of == taken.test.as_of


@pytest.mark.parametrize("protocol", ["temporal", "leave_last_out"])
def test_a_rehearsal_never_reaches_into_the_test(protocol):
    data = made(protocol)[0]
    assert (rehearsal(data).test.end <= exam(data).test.start).all()


def test_a_part_of_the_users_keeps_codes_and_catalogue():
    data = made("temporal")[0]
    some = part(data, 0.5, seed=1)
    assert 0 < some.events.height < data.events.height
    assert some.users == data.users
    assert some.events["user"].is_in(data.events["user"].unique().implode()).all()
    assert part(data, 1.0, seed=1) is data


def test_without_repeats_only_new_answers_count_and_users_with_none_drop_out():
    rows = canonical([("a", "x", 0), ("a", "x", 7), ("b", "x", 0), ("b", "x", 7), ("b", "y", 7), ("c", "y", 0)])
    data = folds(rows, items(["x", "y"]), CONFIG, protocol="temporal")[0]
    every, new = (answers(data, data.test, repeats=r) for r in (True, False))
    assert (len(every), len(every.items)) == (2, 3)
    assert [data.users.ids[u - 1] for u in new.users] == ["b"]
    assert [data.items.ids[i - 1] for i in new.items] == ["y"]
    assert new.new.all()


def test_the_benchmark_changes_with_any_event_and_any_choice():
    first = benchmark(made("temporal"), CONFIG, k=10, repeats=False)
    assert benchmark(made("temporal"), CONFIG, k=10, repeats=False).hash == first.hash
    others = [
        benchmark(made("temporal"), CONFIG, k=5, repeats=False),
        benchmark(made("temporal"), CONFIG, k=10, repeats=True),
        benchmark(made("rolling"), CONFIG, k=10, repeats=False),
        benchmark(made("leave_last_out"), CONFIG, k=10, repeats=False),
        benchmark(made("temporal", rows=canonical([*ROWS, ("u2", "i0", 6)])), CONFIG, k=10, repeats=False),
    ]
    assert len({first.hash, *(o.hash for o in others)}) == 6


def test_a_rehearsal_watches_a_visit_before_the_one_that_it_is_judged_on():
    data = made("leave_last_out")[0]
    taken = rehearsal(data)
    assert taken.cut is taken.watch
    assert (taken.watch.end == taken.test.start).all()
    assert (taken.watch.start < taken.test.start)[1:].all()


def test_where_nobody_can_be_judged_the_figures_say_so():
    rows = canonical([(user, "x", day) for user in "ab" for day in (0, 7)])
    data = folds(rows, items(["x"]), CONFIG, protocol="temporal")[0]
    assert len(answers(data, data.test, repeats=True)) == 2
    with pytest.raises(BadData, match=r"Nobody can be judged: of 2 users 2 .* starts 2024-01-07 00:00"):
        answers(data, data.test, repeats=False)


def test_the_fingerprint_changes_with_discounts_and_every_text_of_the_catalogue():
    data = made("temporal")[0]
    dearer = replace(data, events=data.events.with_columns(discount=pl.lit(0.5, pl.Float32)))
    texts = [data.catalogue.with_columns(pl.lit("other").alias(name)) for name in ("title", "brand", "category")]
    others = [replace(data, catalogue=catalogue) for catalogue in texts]
    assert len({fingerprint((d,)) for d in (data, dearer, *others)}) == 5


def test_the_fingerprint_tells_where_a_text_ends():
    data = made("temporal")[0]
    titles = [["a\nb", "c", "d", "e", "f"], ["a", "b\nc", "d", "e", "f"]]
    found = [replace(data, catalogue=data.catalogue.with_columns(title=pl.Series(t))) for t in titles]
    assert fingerprint((found[0],)) != fingerprint((found[1],))


def test_the_fingerprint_tells_items_without_a_code_apart():
    data = made("temporal")[0]
    assert (data.events["item"] == 0).any()
    renamed = data.events.with_columns(pl.col("item_id").replace({"late": "later"}))
    assert fingerprint((replace(data, events=renamed),)) != fingerprint((data,))
