from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.errors import BadData
from recloop.evaluation.comparison import Result, compared, holm, load
from recloop.evaluation.comparison_plot import plot
from recloop.evaluation.comparison_table import head, markdown, rows
from recloop.evaluation.leaks import Finding
from recloop.evaluation.protocol import Benchmark

PROTOCOL = Benchmark(kind="temporal", start=0, end=9, k=10, min_item_events=1, data="d", learnt="past", repeats=False)
COSTS = dict.fromkeys(
    ("fit_seconds", "fit_cpu_seconds", "fit_peak_megabytes", "peak_megabytes", "cpu_seconds_a_million"), 1.0
)
USERS = [f"u{n:02}" for n in range(40)]


def result(name, values, *, kind="ease", seed=7, fold=0, users=USERS, **costs):
    frame = pl.DataFrame({"ndcg": values, "diversity": np.full(len(values), np.nan), "user": users})
    return Result(name, kind, seed, fold, PROTOCOL.hash, frame, {"coverage": 0.5}, COSTS | costs)


def steady(level, seed=0):
    return np.clip(level + np.random.default_rng(seed).normal(0, 0.02, len(USERS)), 0, 1)


def table(*results, **given_):
    return compared(list(results), PROTOCOL, title="shop", bootstrap=200, **given_)


def test_the_best_baseline_is_what_all_are_measured_against():
    found = table(
        result("weak", steady(0.1), kind="popularity"),
        result("strong", steady(0.3, 1), kind="item_knn"),
        result("ease", steady(0.5, 2)),
    )
    assert found.baseline == "strong"
    assert found.ranking == ["ease", "strong", "weak"]
    assert set(found.differences) == {"weak", "ease"}
    assert found.differences["ease"].estimate.value == pytest.approx(0.2, abs=0.02)
    assert found.differences["ease"].adjusted < 0.001


def test_a_baseline_can_be_named_and_must_be_there():
    parts = [result("a", steady(0.1)), result("b", steady(0.3))]
    assert table(*parts, baseline="b").baseline == "b"
    assert table(*parts).baseline == "a"
    with pytest.raises(BadData, match="'c' was not compared; there are a, b"):
        table(*parts, baseline="c")


def test_seeds_are_averaged_for_each_user_and_their_spread_is_of_the_means():
    found = table(result("a", np.full(40, 0.2)), result("a", np.full(40, 0.4), seed=8)).entries["a"]
    assert found.seeds == (7, 8)
    assert found.metrics["ndcg"].value == pytest.approx(0.3)
    assert found.spread["ndcg"] == pytest.approx(np.std([0.2, 0.4], ddof=1))
    assert found.metrics["ndcg"].n == 40


def test_a_user_of_several_folds_is_one_user():
    found = table(result("a", np.full(40, 0.2)), result("a", np.full(20, 0.8), fold=1, users=USERS[:20]))
    assert found.users == 40
    assert found.entries["a"].metrics["ndcg"].value == pytest.approx((20 * 0.5 + 20 * 0.2) / 40)
    assert found.entries["a"].by_fold["ndcg"] == pytest.approx((0.2, 0.8))


def test_peaks_are_the_greatest_and_other_costs_the_mean():
    found = table(result("a", steady(0.1), fit_peak_megabytes=5.0, fit_seconds=2.0), result("a", steady(0.1), seed=8))
    assert (found.entries["a"].costs["fit_peak_megabytes"], found.entries["a"].costs["fit_seconds"]) == (5.0, 1.5)


def test_figures_of_another_protocol_are_refused():
    other = replace(result("a", steady(0.1)), protocol="abc")
    with pytest.raises(BadData, match="cannot stand in one table"):
        table(result("b", steady(0.1)), other)


def test_models_judged_on_other_users_are_refused():
    with pytest.raises(BadData, match="cannot be paired"):
        table(result("a", steady(0.1)), result("b", steady(0.1)[:39], users=USERS[:39]))


def test_nobody_judged_is_refused():
    with pytest.raises(BadData, match="Nobody was judged"):
        table(result("a", np.zeros(0), users=[]))


def test_an_unknown_metric_lists_the_known():
    with pytest.raises(BadData, match="known are ndcg, diversity"):
        table(result("a", steady(0.1)), metric="speed")


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_value_nor_changes_their_order(p):
    adjusted = holm(np.array(p))
    assert (adjusted >= np.array(p)).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_equal_lists_are_no_difference():
    same = steady(0.2)
    assert table(result("a", same), result("b", same)).differences["b"].p == 1


def test_what_is_written_can_be_read_again(tmp_path):
    finding = Finding("canary", "note", 0.1, 5, "Text.")
    found = table(result("a", steady(0.1)), result("b", steady(0.3)), findings=(finding,))
    (tmp_path / "c.json").write_text(found.dumps())
    assert load(tmp_path / "c.json").dumps() == found.dumps()
    assert rows(load(tmp_path / "c.json")) == rows(found)


def test_a_file_whose_protocol_was_changed_is_refused(tmp_path):
    found = table(result("a", steady(0.1)))
    (tmp_path / "c.json").write_text(found.dumps().replace('"k": 10', '"k": 5'))
    with pytest.raises(BadData, match="cannot stand in one table"):
        load(tmp_path / "c.json")


def test_the_table_has_a_column_a_model_and_no_row_that_nobody_has():
    found = table(result("a", steady(0.1)), result("b", steady(0.3)))
    shown = rows(found)
    assert shown[0] == ["", "b", "a"]
    assert {len(row) for row in shown} == {3}
    labels = [row[0] for row in shown]
    assert "ndcg@10" in labels
    assert "diversity" not in labels
    assert "fit, peak memory MB" in labels


def test_a_metric_that_is_not_known_of_every_user_has_its_own_n():
    some = np.where(np.arange(40) < 30, 0.5, np.nan)
    part = result("a", steady(0.1))
    part = replace(part, values=part.values.with_columns(diversity=pl.Series(some)))
    (row,) = [row for row in rows(table(part)) if row[0] == "diversity"]
    assert row[1] == "0.5000 n 30"


def test_markdown_names_protocol_baseline_and_findings():
    text = markdown(table(result("a", steady(0.1)), findings=(Finding("canary", "leak", 0.1, 5, "Look."),)))
    assert PROTOCOL.hash in head(table(result("a", steady(0.1))))
    assert "model minus a in ndcg@10" in text
    assert "- leak: canary: Look." in text


def test_equal_comparisons_have_equal_pictures(tmp_path):
    found = table(result("a", steady(0.1)), result("b", steady(0.3)))
    for name in ("1.png", "2.png"):
        plot(found, tmp_path / name)
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
