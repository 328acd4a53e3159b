import json
from pathlib import Path

import polars as pl
import pytest

from recloop.errors import BadConfig, BadData, Busy
from recloop.evaluation.comparison import load
from recloop_pipelines import apart as apart_module
from recloop_pipelines import comparing, tracked
from recloop_pipelines.console import steps
from recloop_pipelines.keeping import alone


@pytest.fixture
def here(monkeypatch):
    """Rounds run in this process; those that ran."""
    ran = []

    def apart(step, item, *, dataset, folder, threads, report):
        job = folder / "job.json"
        told = []
        monkeypatch.setattr(apart_module, "_say", told.append)
        job.write_text(
            json.dumps({"step": step, "round": comparing.asdict(item), "dataset": str(dataset), "folder": str(folder)})
        )
        ran.append((step, item.slug))
        apart_module.main(job)
        return told[-1]["figures"]

    monkeypatch.setattr(comparing, "apart", apart)
    return ran


def asked(shop, out, **words):
    given = {"models": ("popularity", "item_knn"), "seeds": 1, "mlflow": False}
    return comparing.Asked(data=str(shop), out=out, **{**given, **words})


def compare(shop, out, **words):
    with steps() as progress:
        return comparing.compare(asked(shop, out, **words), progress)[0]


def test_a_comparison_is_written_and_not_done_twice(shop, tmp_path, here):
    first = compare(shop, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.is_file()) == [
        ".lock",
        "comparison.json",
        "comparison.md",
        "comparison.png",
    ]
    assert len(here) == 4
    before = (tmp_path / "out" / "comparison.json").read_bytes()
    assert compare(shop, tmp_path / "out").dumps() == first.dumps()
    assert len(here) == 4
    assert (tmp_path / "out" / "comparison.json").read_bytes() == before
    assert load(tmp_path / "out" / "comparison.json").ranking == first.ranking


def test_other_settings_or_another_model_do_only_what_is_missing(shop, tmp_path, here):
    compare(shop, tmp_path / "out", models=("popularity",))
    compare(shop, tmp_path / "out")
    assert [slug for step, slug in here if step == "fit"] == ["popularity-seed7-fold0", "item_knn-seed7-fold0"]
    compare(shop, tmp_path / "out", models=("popularity",), sets=("model.candidates.half_life_days=9",))
    assert len(here) == 6
    compare(shop, tmp_path / "out", models=("popularity",), sets=("model.candidates.half_life_days=9",), fresh=True)
    assert len(here) == 8


def test_one_name_can_have_settings_of_its_own(shop, tmp_path, here):
    found = compare(shop, tmp_path / "out", models=("ease", "loose=ease"), sets=("loose:model.ease.l2=1", "seed=4"))
    assert [found.config[name]["model"]["ease"]["l2"] for name in ("ease", "loose")] == [200, 1]
    assert found.entries["loose"].seeds == (4,)
    assert found.differences["loose"].estimate.value != 0


def test_a_canary_sings_where_a_fit_sees_what_it_may_not(shop, tmp_path, here, monkeypatch):
    honest = {f.name: f.level for f in compare(shop, tmp_path / "out", canary=True).findings}
    assert (honest["canary of popularity"], honest["canary of item_knn"]) == ("ok", "ok")
    from recloop.data.dataset import Dataset

    monkeypatch.setattr(Dataset, "before", lambda self, window: self.events.filter(pl.col("item") > 0))
    leaky = compare(shop, tmp_path / "other", canary=True, models=("item_knn",))
    assert {f.name for f in leaky.findings if f.level == "leak"} >= {"canary of item_knn", "future canary"}


def test_a_model_that_refuses_the_data_is_left_out_and_said_so(shop, tmp_path, here):
    few = ("model.ease.most_items=5",)
    found = compare(shop, tmp_path / "out", models=("ease", "popularity"), sets=few, canary=True)
    assert list(found.entries) == ["popularity"]
    (said,) = [f for f in found.findings if f.name == "ease was refused"]
    assert "60" in said.text
    with pytest.raises(BadData, match="No model could be compared"):
        compare(shop, tmp_path / "out", models=("ease",), sets=few)


def test_rolling_folds_are_fitted_each_and_stand_in_one_table(shop, tmp_path, here):
    found = compare(shop, tmp_path / "out", models=("popularity",), protocol="rolling", folds=2)
    assert [slug for step, slug in here if step == "fit"] == ["popularity-seed7-fold0", "popularity-seed7-fold1"]
    assert (found.protocol.kind, found.protocol.folds) == ("rolling", 2)
    assert len(found.entries["popularity"].by_fold["ndcg"]) == 2


def test_a_file_of_sequences_is_judged_on_last_items(tmp_path, here):
    path = tmp_path / "Tiny Set.txt"
    path.write_text("\n".join(f"{u} " + " ".join(str((u + n) % 9) for n in range(6)) for u in range(20)))
    found = compare(path, tmp_path / "out", models=("item_to_item", "popularity"), k=3)
    assert (found.title, found.protocol.kind, found.users) == ("tiny-set", "leave_last_out", 20)
    assert found.ranking[0] == "item_to_item"


def test_mlflow_gets_one_run_and_below_it_one_a_model_and_seed(shop, tmp_path, here, monkeypatch):
    calls = []
    monkeypatch.setattr(comparing, "track", lambda *given, **tags: calls.append((*given, tags)))
    compare(shop, tmp_path / "out", mlflow=True)
    experiment, whole, parts, _ = calls[0]
    assert experiment == "shop-comparison"
    assert [p.name for p in whole.files] == list(comparing.FILES)
    assert [p.name for p in parts] == ["popularity seed 7", "item_knn seed 7"]
    assert {"ndcg", "catalogue.coverage", "costs.milliseconds"} <= set(parts[0].metrics)


def test_a_run_below_another_names_its_parent(monkeypatch):
    from recloop import registry

    runs = []
    monkeypatch.setattr(registry, "log_run", lambda uri, run: runs.append(run) or f"id{len(runs)}")
    part = tracked.Tracked("part", "k/1", {}, {"ndcg": 0.1})
    assert tracked.track("e", tracked.Tracked("whole", "k", {}, {}), [part], tags={"a": "b"}) == "id1"
    assert [dict(run.tags) for run in runs] == [{"a": "b"}, {"a": "b", "mlflow.parentRunId": "id1"}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"metric": "luck"}, "--metric 'luck' is none of ndcg"),
        ({"baseline": "ease"}, "--baseline 'ease' is none of .*: popularity, item_knn"),
        ({"sets": ("trainer.devices=2",)}, "on one device"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_fitted(shop, tmp_path, here, words, message):
    with pytest.raises(BadConfig, match=message):
        compare(shop, tmp_path / "out", **words)
    assert here == []


def test_where_nobody_can_be_judged_nothing_is_fitted(tmp_path, here):
    path = tmp_path / "habits.txt"
    path.write_text("\n".join(f"{u} 1 2 1 2 1 2" for u in range(9)))
    with pytest.raises(BadData, match="Nobody can be judged"):
        compare(path, tmp_path / "out")
    assert here == []


def test_a_folder_in_which_another_process_compares_is_refused(shop, tmp_path, here):
    with alone(tmp_path / "out"), pytest.raises(Busy, match=str(tmp_path / "out")):
        compare(shop, tmp_path / "out")
    assert here == []


def test_a_round_whose_result_was_cut_short_is_done_again(shop, tmp_path, here, monkeypatch):
    whole = Path.write_text

    def killed(self, text, *given, **words):
        if "popularity-seed7" in self.name and "round" in text and self.parent.name == "rounds":
            whole(self, text[: len(text) // 2])
            raise KeyboardInterrupt
        return whole(self, text, *given, **words)

    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        compare(shop, tmp_path / "out", models=("popularity",))
    monkeypatch.setattr(Path, "write_text", whole)
    assert list(compare(shop, tmp_path / "out", models=("popularity",)).entries) == ["popularity"]
    assert len(here) == 4


def stopped(shop, out, monkeypatch, **words):
    """A comparison that is killed in the next fit, which leaves a file."""

    def killed(step, item, *, folder, **given):
        (folder / "left").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(comparing, "apart", killed)
        with pytest.raises(KeyboardInterrupt):
            compare(shop, out, models=("popularity",), **words)


def seeing(monkeypatch):
    """Each step's folder, and whether it held what a killed one left."""
    seen, ours = [], comparing.apart

    def apart(step, item, *, folder, **given):
        seen.append((folder.name, (folder / "left").exists()))
        return ours(step, item, folder=folder, **given)

    monkeypatch.setattr(comparing, "apart", apart)
    return seen


@pytest.mark.parametrize("fresh", [True, False])
def test_what_a_killed_fit_left_is_gone_on_with_unless_all_is_to_be_fresh(shop, tmp_path, here, monkeypatch, fresh):
    stopped(shop, tmp_path / "out", monkeypatch)
    seen = seeing(monkeypatch)
    compare(shop, tmp_path / "out", models=("popularity",), fresh=fresh)
    assert [left for _, left in seen] == [not fresh] * 2


def test_a_canary_never_goes_on_with_what_another_one_left(shop, tmp_path, here, monkeypatch):
    compare(shop, tmp_path / "out", models=("popularity",))
    stopped(shop, tmp_path / "out", monkeypatch, canary=True)
    seen = seeing(monkeypatch)
    compare(shop, tmp_path / "out", models=("popularity",), canary=True)
    compare(shop, tmp_path / "out", models=("popularity",), sets=("model.candidates.half_life_days=9",), canary=True)
    canaries = [(name, left) for name, left in seen if name.endswith("-canary")]
    assert [left for _, left in canaries] == [False, False]
    assert len({name for name, _ in canaries}) == 2
