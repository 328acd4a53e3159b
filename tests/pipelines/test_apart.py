import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from recloop.errors import BadData, Permanent, Stopped
from recloop_pipelines import apart as apart_module
from recloop_pipelines import asking


def child_of(tmp_path, shop, kind="popularity", **words):
    """A round and the folder and dataset that a child needs."""
    from recloop.evaluation.rounds import Round

    config = asking.configured(str(shop))
    place, folder = tmp_path / "data", tmp_path / "work"
    place.mkdir()
    folder.mkdir()
    asking.dataset_of(config, protocol="temporal", folds=1)[0].save(place)
    item = Round(
        name="p",
        kind=kind,
        seed=1,
        fold=0,
        k=5,
        repeats=True,
        protocol="abc",
        model=config.model.model_dump(mode="json") | words,
        trainer=config.trainer.model_dump(mode="json"),
    )
    return item, {"dataset": place, "folder": folder, "threads": 1, "report": lambda what, share: None}


def test_a_child_tells_its_figures_and_its_own_peak(tmp_path, shop):
    held = b"x" * (400 * 2**20)  # what this process holds is no memory of the child
    item, given = child_of(tmp_path, shop)
    fitted = apart_module.apart("fit", item, **given)
    del held
    assert 20 < fitted["fit_peak_megabytes"] < 400
    judged = apart_module.apart("judge", item, **given)
    assert judged["costs"]["peak_megabytes"] > 20
    assert pl.read_parquet(given["folder"] / apart_module.VALUES).height > 20


def test_what_a_child_refuses_is_said_in_its_own_words(tmp_path, shop):
    item, given = child_of(tmp_path, shop, kind="ease", ease={"most_items": 5})
    with pytest.raises(BadData, match=r"p: .*60"):
        apart_module.apart("fit", item, **given)


def test_a_child_ends_when_its_parent_does(tmp_path):
    job = tmp_path / "job.json"
    os.mkfifo(job)  # it waits there for its job
    command = [sys.executable, "-m", "recloop_pipelines.apart", str(job)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.close()
    assert child.wait(timeout=60) == 1
    child.stdout.close()


def test_what_else_is_wrong_for_good_is_no_refusal_of_the_data(tmp_path, shop):
    item, given = child_of(tmp_path, shop)
    (given["folder"] / "model").mkdir()
    (given["folder"] / "model" / "model.json").write_text('{"kind": "magic"}')
    with pytest.raises(Permanent, match=r"p: .*of the kind 'magic'") as error:
        apart_module.apart("judge", item, **given)
    assert not isinstance(error.value, BadData)


def test_a_child_that_dies_is_named_with_its_log(tmp_path, shop):
    item, given = child_of(tmp_path, shop, kind="no_such_kind")
    with pytest.raises(Stopped, match=r"fit of p \(seed 1, fold 0\) ended with exit code 1: KeyError"):
        apart_module.apart("fit", item, **given)
    assert Path(given["folder"] / "fit.log").exists()
