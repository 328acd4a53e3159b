import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from recloop.bandits.policies import Uniform
from recloop.errors import BadConfig, BadData
from recloop_pipelines.__main__ import app


@pytest.fixture
def log(tmp_path):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(300, 4))
    places = Uniform().choose(scores, 1, rng).places[:, 0]
    shown = np.arange(4) == places[:, None]
    table = pl.DataFrame(
        {
            "receipt_id": np.repeat([f"a{i:03}" for i in range(300)], 4),
            "item_id": np.tile(list("pqrs"), 300),
            "score": scores.ravel(),
            "rank": np.where(shown, 1, 0).ravel(),
            "propensity": np.where(shown, 0.25, 0).ravel(),
            "reward": (shown & (scores > 0.5)).ravel().astype(float),
        }
    ).with_columns(pl.when(pl.col("rank") > 0).then(pl.col(name)).alias(name) for name in ("rank", "propensity"))
    table.write_parquet(tmp_path / "log.parquet")
    return tmp_path / "log.parquet"


def recloop(*words):
    found = CliRunner().invoke(app, [str(word) for word in words])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def test_a_policy_is_judged_on_a_log_for_machines(log):
    found = json.loads(recloop("bandit", "evaluate", log, "--policy", "top_k", "--json").stdout)
    assert found["rows"] == found["answers"] == 300
    assert found["estimates"]["ipw"]["value"] > found["logged"]["high"]
    assert found["estimates"]["dr"]["low"] < found["estimates"]["dr"]["value"] < found["estimates"]["dr"]["high"]


def test_a_policy_is_judged_on_a_log_for_people(log):
    found = recloop("bandit", "evaluate", log, "--policy", "uniform", "--interval", "normal")
    assert "300 places in 300 answers" in found.output
    assert "snipw" in found.output


def test_a_missing_log_and_an_unknown_policy_are_refused(log):
    with pytest.raises(BadData, match="There is no file"):
        recloop("bandit", "evaluate", log.with_name("none.parquet"))
    with pytest.raises(BadConfig, match="no policy"):
        recloop("bandit", "evaluate", log, "--policy", "best")
