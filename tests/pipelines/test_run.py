import json
import subprocess
import sys

import polars as pl
import psutil
import pytest

from recloop.artifacts import current, open_store, read_manifest
from recloop.config import load
from recloop.errors import BadConfig, BadData, BadRelease, Busy, QualityFailed, Stopped, Unavailable
from recloop.evaluation.cold_start import EVENTS
from recloop.models.router import Router
from recloop_pipelines import ingest, release
from recloop_pipelines.console import steps
from recloop_pipelines.fitting import Order, _command, fitted
from recloop_pipelines.lease import leased
from recloop_pipelines.places import latest
from recloop_pipelines.report import summary
from recloop_pipelines.run import digests, run
from recloop_pipelines.settings import opened, settings


def go(path, name="first"):
    with steps() as progress:
        return run(load(path), name=name, steps=progress)


def pointer(scenario="shop"):
    return current(open_store(settings().store_uri), scenario)


def test_a_run_releases_a_model_that_beats_its_baselines(shop):
    outcome = go(shop)
    found = summary(load(shop), outcome)
    assert found["gate"]["decision"] == "released", found["gate"]["reasons"]
    assert pointer().release == outcome.artifacts["release"]
    assert set(found["models"]) == {"model", "popularity", "item_knn"}
    assert set(found["models"]["model"]["all.ndcg"]) == {"value", "low", "high"}
    assert set(found["seconds"]) == {"collect", "check", "prepare", "fit", "evaluate", "release"}
    made = opened(outcome.artifacts["release"], kind="release").path
    assert [stretch.events for stretch in Router.load(made).stretches] == list(EVENTS)


def test_local_folder_and_s3_hold_the_same_bytes(shop, request):
    here = digests(go(shop))
    request.getfixturevalue("connected")
    there = digests(go(shop))
    assert settings().store_uri.startswith("s3://")
    assert here == there


def test_a_second_run_holds_the_scenario_or_names_who_does(shop):
    with leased("shop", holder="somebody else"), pytest.raises(Busy, match="somebody else"):
        go(shop)


def test_rollback_without_an_earlier_release_says_so(shop):
    go(shop)
    with pytest.raises(BadRelease, match="no previous release"):
        release.rollback(config=load(shop))


def test_rows_beyond_the_allowance_stop_the_run_and_leave_what_serves(shop):
    go(shop)
    serving = pointer()
    events = pl.read_csv(shop.parent / "events.csv")
    bad = events.with_columns(
        pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise("customer").alias("customer")
    )
    bad.write_csv(shop.parent / "events.csv")
    with pytest.raises(QualityFailed, match="missing_user"):
        go(shop, "second")
    assert pointer() == serving


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "events.csv").unlink(), "events.csv"),
        (lambda folder: (folder / "events.csv").write_text("customer,product,bought_at\n"), "no event"),
        (lambda folder: (folder / "events.csv").write_text("who,product,bought_at\na,b,2024-01-01\n"), "customer"),
        (
            lambda folder: (folder / "events.csv").write_text("customer,product,bought_at\na,b,soon\nc,d,later\n"),
            "soon",
        ),
    ],
    ids=["missing file", "no row", "missing column", "unreadable times"],
)
def test_unreadable_input_is_named(shop, change, says):
    change(shop.parent)
    with pytest.raises(BadData, match=says):
        go(shop)


def test_a_full_disk_publishes_nothing_and_a_rerun_succeeds(shop, monkeypatch):
    config = load(shop)
    place = f"{settings().store_uri}/shop/events/full"

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfile", full)
        with pytest.raises(Unavailable, match="full"):
            ingest.collect(config=config, out=place)
    assert open_store(place).read("manifest.json") is None
    assert latest(config, "events") is None
    assert read_manifest(ingest.collect(config=config, out=place), kind="events").metrics["rows"] > 0


@pytest.mark.parametrize("what", ["RECLOOP_STORE", "RECLOOP_DATABASE", "RECLOOP_MLFLOW"])
def test_a_service_that_is_down_is_named_and_a_rerun_succeeds(shop, connected, monkeypatch, what):
    gone = {
        "RECLOOP_STORE": ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "S3"),
        "RECLOOP_DATABASE": (
            "RECLOOP_DATABASE",
            "postgresql+psycopg2://u:p@127.0.0.1:9/recloop",
            "data base|PostgreSQL",
        ),
        "RECLOOP_MLFLOW": ("RECLOOP_MLFLOW", "http://127.0.0.1:9", "MLflow"),
    }
    name, value, says = gone[what]
    with monkeypatch.context() as broken:
        broken.setenv(name, value)
        broken.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        settings.cache_clear()
        with pytest.raises(Unavailable, match=says):
            go(shop)
        assert name != "RECLOOP_MLFLOW" or pointer() is None
    settings.cache_clear()
    assert go(shop, "again").released


def test_the_decision_of_a_refusal_is_kept_with_its_reasons(shop):
    text = shop.read_text().replace("min_users: 20", "min_users: 100000")
    shop.write_text(text)
    outcome = go(shop)
    assert not outcome.released
    found = release.verdict(load(shop), outcome.artifacts["scorecard"])
    assert found["decision"] == "refused"
    assert "100000" in json.dumps(found["reasons"])
    assert pointer() is None


def test_two_checks_of_one_day_give_the_same_bytes(shop):
    config = load(shop)
    events = ingest.collect(config=config, out=f"{settings().store_uri}/shop/events/a")
    digests_ = {
        read_manifest(
            ingest.check(config=config, out=f"{settings().store_uri}/shop/checked/{n}", events=events), kind="checked"
        )
        .files["events.parquet"]
        .sha256
        for n in ("a", "b")
    }
    assert len(digests_) == 1


@pytest.mark.slow
def test_two_training_processes_release_one_model(shop):
    two = shop.read_text().replace("trainer: {threads: 1,", "trainer: {devices: 2, threads: 1,")
    shop.write_text(two)
    outcome = go(shop)
    assert load(shop).trainer.devices == 2
    assert pointer().release == outcome.artifacts["release"]
    assert summary(load(shop), outcome)["gate"]["decision"] == "released"


def test_a_training_process_that_dies_is_named_with_its_last_lines(shop, tmp_path):
    config = load(shop).model_copy(update={"trainer": load(shop).trainer.model_copy(update={"devices": 2})})
    with pytest.raises(Stopped, match=r"training process ended with 1[\s\S]*events\.parquet"):
        fitted(Order(config, dataset=tmp_path / "none", out=tmp_path, work=tmp_path, warm=None))


def test_several_nodes_meet_where_they_are_told_to(shop, monkeypatch, tmp_path):
    config = load(shop)
    many = config.model_copy(update={"trainer": config.trainer.model_copy(update={"devices": 2, "num_nodes": 3})})
    with pytest.raises(BadConfig, match="num_nodes is 3, but RECLOOP_RENDEZVOUS"):
        _command(many, tmp_path / "order.json")
    monkeypatch.setenv("RECLOOP_RENDEZVOUS", "first:29400")
    settings.cache_clear()
    found = " ".join(_command(many, tmp_path / "order.json"))
    assert "--nnodes 3 --rdzv-backend c10d --rdzv-id shop --rdzv-endpoint first:29400 --nproc-per-node 2" in found


def test_training_processes_end_with_the_one_that_started_them(shop, tmp_path):
    code = (
        "import time; from recloop_pipelines.parent import end_with_the_parent; end_with_the_parent();"
        "print('up', flush=True); time.sleep(99)"
    )
    parent = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=subprocess.PIPE);"
        "print(child.pid, flush=True); time.sleep(99)"
    )
    with subprocess.Popen([sys.executable, "-c", parent, code], stdout=subprocess.PIPE, text=True) as started:
        child = psutil.Process(int(started.stdout.readline()))
        assert started.stdout.readline() == "up\n"
        started.kill()
        assert child.wait(timeout=20) is None or not child.is_running()
