"""Attributes of users, from `recloop init --users` to the answer for a person without an event."""

import json
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from frames import histories
from recloop.config import load
from recloop.data.dataset import Dataset
from recloop.evaluation.cold_start import learn_router
from recloop.models.router import ALIKE, MODEL
from recloop.models.served import Served
from recloop.serving.routing import routed
from recloop.serving.stages import Wanted
from recloop_pipelines import ingest, privacy, train
from recloop_pipelines.__main__ import app
from recloop_pipelines.places import place
from recloop_pipelines.settings import opened
from shops import START

YAML = """\
scenario: people
data: {{events: {0}/events.csv, users: {0}/people.csv, user_column: who, user_attributes: [sex]}}
split: {{test_days: 14, min_item_events: 1}}
model: {{kind: popularity}}
trainer: {{threads: 1}}
evaluation: {{bootstrap: 200}}
quality: {{max_top_item_share: 1, max_volume_change: 50}}
"""


@pytest.fixture
def folder(tmp_path):
    """Women take p0 to p9, men p10 to p19, each about once a week; the last twenty people have taken nothing."""
    rng = np.random.default_rng(1)
    rows = [
        (
            f"c{user}",
            f"p{int(rng.integers(10)) + 10 * (user % 2)}",
            START + timedelta(weeks=week, days=int(rng.integers(7))),
        )
        for user in range(80)
        for week in range(10)
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "time"], orient="row")
    events.write_csv(tmp_path / "events.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    people = pl.DataFrame({"who": [f"c{n}" for n in range(100)], "sex": ["f", "m"] * 50})
    people.write_csv(tmp_path / "people.csv")
    (tmp_path / "people.yaml").write_text(YAML.format(tmp_path))
    return tmp_path


def made(path):
    """Events to model -> folders of dataset and model."""
    config = load(path)
    events = ingest.collect(config=config, out=place(config, "events", "a"))
    checked = ingest.check(config=config, out=place(config, "checked", "a"), events=events)
    dataset = train.prepare(config=config, out=place(config, "dataset", "a"), checked=checked)
    model = train.fit(config=config, out=place(config, "model", "a"), dataset=dataset)
    return config, opened(dataset, kind="dataset").path, opened(model, kind="model").path


def test_attributes_reach_the_answer_for_a_person_without_an_event(folder):
    config, dataset, model = made(folder / "people.yaml")
    router = learn_router(dataset, model, config=config)
    assert router.source(0) == ALIKE
    assert router.stretches[0].held_out[ALIKE] > 1.2 * router.stretches[0].held_out[MODEL]
    items = Dataset.load(dataset).items
    bundle = SimpleNamespace(model=Served.load(model), router=router, items=items)
    for person, first in (("c98", 0), ("c99", 10)):
        (slate,) = routed()([_wanted(bundle, person)])
        assert {items.ids[code - 1] for code in slate.items} <= {f"p{n}" for n in range(first, first + 10)}
        assert slate.notes == {"source": ALIKE}


def _wanted(bundle, person):
    ask = SimpleNamespace(user_id=person, exclude_seen=False, left_out=[])
    nobody = histories([])
    return Wanted(SimpleNamespace(ask=ask, serving=SimpleNamespace(bundle=bundle), history=nobody, k=5), 5, None)


def test_ids_of_people_are_pseudonyms_behind_a_closed_door(folder, monkeypatch):
    monkeypatch.setenv(privacy.KEY, "0123456789abcdef")
    path = folder / "people.yaml"
    path.write_text(path.read_text() + "privacy: {pseudonymise: true}\n")
    config = load(path)
    events = opened(ingest.collect(config=config, out=place(config, "events", "a")), kind="events").path
    known = pl.read_parquet(events / "attributes.parquet")["user_id"]
    assert not known.str.starts_with("c").all()
    assert set(pl.read_parquet(events / "events.parquet")["user_id"]) <= set(known)


def test_init_declares_people_and_their_attributes(folder, monkeypatch):
    monkeypatch.chdir(folder)
    words = ["init", "shop", "--events", "events.csv", "--users", "people.csv", "--user-column", "who", "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    data = load(folder / "configs/shop.yaml").data
    assert (data.users, data.user_column, data.user_attributes) == ("people.csv", "who", ("sex",))
    assert {"table": "users", "canonical": "attribute", "column": "sex", "example": "f"} in json.loads(done.stdout)[
        "columns"
    ]
