import socket
from dataclasses import replace

import pytest
import requests
from mlflow import MlflowClient

from recloop import registry
from recloop.artifacts import Pointer
from recloop.errors import BadData, Unavailable
from recloop.registry import Input, Run, challenge, find_run, log_run, mirror, register

SEEN = Input("dataset", "a" * 64, "s3://store/shop/dataset/1")


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(params=["sqlite", "server"])
def uri(request):
    """A data base file, and the real server."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite")
    return request.getfixturevalue("embedded")["RECLOOP_MLFLOW"]


@pytest.fixture
def name(request):
    """An experiment and model of this test's own."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)


@pytest.fixture
def run(tmp_path, name, uri):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "scorecard.json").write_text("{}")
    return Run(
        experiment=name,
        name="first",
        key="shop/1",
        params={"seed": 7, "split": {"kind": "temporal"}},
        metrics={f"m{n}": n / 2 for n in range(250)},
        tags={"protocol": "abc"},
        folder=folder,
        inputs=(SEEN,),
        location=f"file://{tmp_path}/artifacts" if uri.startswith("sqlite") else None,
    )


def client_of(uri):
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_a_run_holds_its_figures_files_and_inputs(uri, run):
    found = client_of(uri).get_run(log_run(uri, run))
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "7", "split.kind": "temporal"}
    assert (len(found.data.metrics), found.data.metrics["m249"]) == (250, 124.5)
    assert found.data.tags["protocol"] == "abc"
    assert [f.path for f in client_of(uri).list_artifacts(found.info.run_id)] == ["scorecard.json"]
    assert [(i.dataset.name, i.dataset.digest) for i in found.inputs.dataset_inputs] == [("dataset", "a" * 36)]


def test_a_task_that_is_tried_again_makes_no_second_run(uri, run):
    assert log_run(uri, run) == log_run(uri, run) == find_run(uri, run.experiment, run.key)
    again = log_run(uri, replace(run, metrics={"m1": 9.0}))
    assert client_of(uri).get_run(again).data.metrics["m1"] == 0.5
    assert log_run(uri, replace(run, key="shop/2")) != find_run(uri, run.experiment, run.key)


def test_a_run_that_was_killed_half_way_is_ended_by_the_next_try(uri, run, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(registry, "_input", lambda made: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            log_run(uri, run)
    begun = find_run(uri, run.experiment, run.key)
    assert client_of(uri).get_run(begun).info.status == "RUNNING"
    assert log_run(uri, run) == begun
    assert client_of(uri).get_run(begun).info.status == "FINISHED"
    assert len(client_of(uri).get_metric_history(begun, "m1")) == 1


def released(uri, run, digest):
    logged, source = log_run(uri, run), f"s3://store/{digest}"
    return register(uri, run.experiment, run_id=logged, source=source, digest=digest, tags={"gate": "released"})


def test_a_bundle_is_one_version_however_often_it_is_registered(uri, run):
    assert released(uri, run, "d1") == released(uri, run, "d1") == "1"
    assert released(uri, run, "d2") == "2"
    found = client_of(uri).get_model_version(run.experiment, "1")
    assert (found.source, found.tags["gate"]) == ("s3://store/d1", "released")


def pointer(digest, previous=None):
    return Pointer(generation=1, release=f"s3://store/{digest}", digest=digest, previous_digest=previous)


def aliases(uri, run):
    held = client_of(uri).get_registered_model(run.experiment).aliases
    return {alias: str(version) for alias, version in held.items()}


def test_aliases_follow_the_pointer_and_what_drifted_is_repaired(uri, run):
    for digest in ("d1", "d2"):
        version = released(uri, run, digest)
    challenge(uri, run.experiment, version)
    assert mirror(uri, run.experiment, pointer("d2", "d1")) == {"champion": "2", "previous": "1"}
    client_of(uri).set_registered_model_alias(run.experiment, "champion", "1")
    mirror(uri, run.experiment, pointer("d2", "d1"))
    assert aliases(uri, run) == {"champion": "2", "previous": "1", "challenger": "2"}


def test_an_alias_never_stays_on_a_version_that_does_not_serve(uri, run):
    released(uri, run, "d1")
    mirror(uri, run.experiment, pointer("d1"))
    assert mirror(uri, run.experiment, pointer("unknown")) == {}
    assert aliases(uri, run) == {}


def test_a_mirror_of_an_unknown_model_is_empty(uri, name):
    assert mirror(uri, name, pointer("d1")) == {}


def test_a_run_that_is_not_there_yet_is_unavailable(uri, name):
    with pytest.raises(Unavailable, match="recloop evaluate"):
        find_run(uri, name, "shop/9")


def test_what_mlflow_refuses_is_not_tried_again(uri, name):
    with pytest.raises(BadData, match="refused"):
        challenge(uri, name, "1")


def test_a_server_that_is_away_is_named():
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9 "):
        find_run("http://127.0.0.1:9", "shop", "shop/1")


def test_a_server_that_never_answers_is_named_without_a_word_from_the_environment(monkeypatch):
    monkeypatch.setattr(registry, "PROBE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable, match=address) as found:
            find_run(address, "shop", "shop/1")
    assert isinstance(found.value.__cause__, requests.Timeout)


def test_the_page_of_an_experiment_lists_its_runs(uri, run):
    log_run(uri, run)
    found = registry.page(uri, run.experiment)
    number = client_of(uri).get_experiment_by_name(run.experiment).experiment_id
    assert found == f"{uri}/#/experiments/{number}/runs"
    with pytest.raises(Unavailable, match="no experiment nowhere"):
        registry.page(uri, "nowhere")
