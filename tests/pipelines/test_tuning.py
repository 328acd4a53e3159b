import json

import pytest
import yaml
from optuna.study import Study

from recloop.config.spaces import Real, Whole
from recloop.errors import BadConfig, BadData, Stopped
from recloop_pipelines import tuning
from recloop_pipelines.console import steps
from recloop_pipelines.studies import storage_of, within


@pytest.fixture
def judged(monkeypatch):
    """Values by formula instead of fits: the best l2 is 300; the rounds that were asked for."""
    rounds = []

    def value(item, dataset, bench):
        rounds.append(item)
        return 1 - abs(item.model["ease"]["l2"] - 300) / 5000

    monkeypatch.setattr(tuning, "_judged", value)
    return rounds


def tune(shop, out, **words):
    given = {"model": "ease", "trials": 4, "mlflow": False}
    with steps() as progress:
        return tuning.tune(tuning.Asked(data=str(shop), out=out, **{**given, **words}), progress)


def test_the_configured_settings_come_first_and_the_best_are_written(shop, tmp_path, judged):
    found = tune(shop, tmp_path / "out")
    assert judged[0].model["ease"]["l2"] == 200
    assert found.first == pytest.approx(0.98)
    assert found.value == max(t["value"] for t in found.trials) >= found.first
    best = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())
    assert best["model"]["ease"]["l2"] == found.settings["ease.l2"]
    assert len(json.loads((tmp_path / "out" / "trials.json").read_text())["trials"]) == 4


def test_a_study_goes_on_where_it_was(shop, tmp_path, judged):
    tune(shop, tmp_path / "out", trials=2)
    assert len(judged) == 2
    assert len(tune(shop, tmp_path / "out", trials=5).trials) == 5
    assert len(judged) == 5
    tune(shop, tmp_path / "out", trials=5)
    assert len(judged) == 5


def test_the_seconds_asked_for_are_of_the_waiting_trial_and_the_others_together(shop, tmp_path, judged, monkeypatch):
    moments, given, optimize = iter([100.0, 100.0, 130.0]), [], Study.optimize

    def noted(study, value, *, timeout, **words):
        given.append(timeout)
        optimize(study, value, **words)

    monkeypatch.setattr(tuning, "monotonic", lambda: next(moments))
    monkeypatch.setattr(Study, "optimize", noted)
    tune(shop, tmp_path / "out", trials=2, seconds=50.0)
    assert given == [50.0, 20.0]


def test_other_data_or_settings_are_another_study(shop, tmp_path, judged):
    names = {
        tune(shop, tmp_path / "a", trials=1).study,
        tune(shop, tmp_path / "b", trials=1, sets=("model.als.dim=9",)).study,
        tune(shop, tmp_path / "c", trials=1, sets=("split.test_days=20",)).study,
        tune(shop, tmp_path / "d", trials=1, k=5).study,
        tune(shop, tmp_path / "e", trials=1, prune=False).study,
    }
    assert len(names) == 5


def test_workers_share_one_study(shop, tmp_path, judged):
    found = tune(shop, tmp_path / "out", trials=6, workers=3)
    assert sum(t["state"] == "complete" for t in found.trials) >= 6
    assert len({json.dumps(t["settings"]) for t in found.trials}) == len(found.trials)


def test_trials_are_rehearsed_and_never_see_the_test(shop, tmp_path, judged):
    tune(shop, tmp_path / "out", trials=2)
    assert all(item.rehearsed for item in judged)


def test_what_is_bad_on_a_part_of_the_users_is_given_up(shop, tmp_path, judged, monkeypatch):
    monkeypatch.setattr(tuning, "FEW", 10)
    found = tune(shop, tmp_path / "out", trials=14)
    pruned = [t for t in found.trials if t["state"] == "pruned"]
    assert pruned
    assert all(set(t["rungs"]) == {"0"} for t in pruned)
    assert max(t["value"] for t in pruned) <= found.value


def test_a_trial_that_is_refused_does_not_end_the_study(shop, tmp_path, monkeypatch):
    told = []

    def value(item, dataset, bench):
        told.append(item)
        if len(told) == 2:
            raise BadData("too much")
        return 0.5

    monkeypatch.setattr(tuning, "_judged", value)
    assert [t["state"] for t in tune(shop, tmp_path / "out", trials=3).trials].count("fail") == 1


def test_a_study_without_a_trial_that_ended_says_how_to_see_why(shop, tmp_path, monkeypatch):
    def value(item, dataset, bench):
        raise BadData("too much")

    monkeypatch.setattr(tuning, "_judged", value)
    with pytest.raises(Stopped, match=r"None of 2 trials .* recloop compare"):
        tune(shop, tmp_path / "out", trials=2)


def test_a_kind_without_a_space_lists_those_that_have_one(shop, tmp_path):
    with pytest.raises(BadConfig, match="popularity has no settings to tune; kinds that have some are als"):
        tune(shop, tmp_path / "out", model="popularity")


def test_settings_outside_of_the_space_are_not_tried_first(shop, tmp_path, judged):
    assert tune(shop, tmp_path / "out", trials=1, sets=("model.ease.l2=1",)).first is None
    assert within(Whole(1, 3), 3)
    assert not within(Real(1, 3), 4)


def test_a_real_trial_is_fitted_and_judged_apart(shop, tmp_path):
    found = tune(shop, tmp_path / "out", model="item_to_item", trials=1, repeats=True)
    assert 0 < found.value < 1
    assert not (tmp_path / "out" / "work").exists()


@pytest.mark.slow
def test_in_postgresql_a_study_has_a_schema_of_its_own(shop, tmp_path, judged, connected):
    import sqlalchemy as sa

    found = tune(shop, tmp_path / "out", trials=2, workers=2)
    assert found.study in [s.study_name for s in storage_of(connected.database).get_all_studies()]
    engine = sa.create_engine(connected.database)
    assert "studies" in sa.inspect(engine).get_table_names(schema="tuning")
    assert "studies" not in sa.inspect(engine).get_table_names(schema="public")
    engine.dispose()


def test_an_unknown_metric_is_refused_before_anything_is_fitted(shop, tmp_path, judged):
    with pytest.raises(BadConfig, match="--metric 'luck' is none of ndcg"):
        tune(shop, tmp_path / "out", metric="luck")
    assert judged == []


def test_where_nobody_can_be_judged_no_trial_is_made(tmp_path, judged):
    path = tmp_path / "habits.txt"
    path.write_text("\n".join(f"{u} 1 2 1 2 1 2 1 2" for u in range(9)))
    with pytest.raises(BadData, match="Nobody can be judged"):
        tune(path, tmp_path / "out")
    assert judged == []


def test_other_data_in_the_same_folder_are_not_taken_for_the_first(shop, tmp_path, monkeypatch):
    places = []
    monkeypatch.setattr(tuning, "_judged", lambda item, dataset, bench: places.append(dataset) or 0.5)
    tune(shop, tmp_path / "out", trials=1)
    tune(shop, tmp_path / "out", trials=1, sets=("split.test_days=20",))
    days = [json.loads((place / "split.json").read_text())["test_days"] for place in places]
    assert days[1] == 20 != days[0]
