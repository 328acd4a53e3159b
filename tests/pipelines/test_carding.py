import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from recloop.artifacts import open_store, promote, publishing
from recloop.data.vocabulary import Vocabulary
from recloop.errors import BadArtifact
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.protocol import Protocol
from recloop.evaluation.scorecard import Scorecard
from recloop_pipelines.carding import default_out, describe
from recloop_pipelines.settings import opened, settings

VIEW = {"ndcg": Estimate(0.4, 0.3, 0.5, 90)}
SCORECARD = Scorecard(
    protocol=Protocol(kind="temporal", start=0, end=100, k=10, min_item_events=1),
    users=90,
    models={"model": {"all": VIEW, "new": VIEW}},
    differences={},
    slices={},
    facts={},
)


def uri(kind, name):
    return f"{settings().store_uri}/shop/{kind}/{name}"


def model(name):
    with publishing(uri("model", name), kind="model", config={"ease": {"l2": 5.0}}) as draft:
        (draft.path / "model.json").write_text(json.dumps({"kind": "ease", "learnt_until": 0, "of": name}))
    return opened(uri("model", name), kind="model")


def scorecard(of):
    place = uri("scorecard", of.uri.rsplit("/", 1)[-1])
    with publishing(place, kind="scorecard", parents={"model": of}) as draft:
        SCORECARD.save(draft.path)
    return place


def release(scenario):
    """A bundle as far as a card reads it, that serves."""
    with publishing(uri("release", "monday"), kind="release", parents={"model": model("a")}) as draft:
        (draft.path / "model").mkdir()
        (draft.path / "model" / "model.json").write_text(json.dumps({"kind": "ease", "learnt_until": 0}))
        (draft.path / "config.json").write_text(json.dumps({"scenario": "shop", "seed": 3, "split": {"test_days": 14}}))
        (draft.path / "release.json").write_text(json.dumps({"end": 86_400}))
        Vocabulary(("u1", "u2")).save(draft.path / "users.json")
        Vocabulary(("i1", "i2", "i3")).save(draft.path / "items.json")
        save_file({"items": np.ones(1234, np.int32)}, draft.path / "history.safetensors")
        SCORECARD.save(draft.path)
    made = opened(uri("release", "monday"), kind="release")
    store = open_store(settings().store_uri)
    promote(store, "shop", release=made.uri, digest=made.digest, expected=None, reason="a test")
    return made


def test_a_release_is_described_by_its_uri_or_by_the_scenario_that_it_serves(shop, tmp_path):
    made = release(shop)
    pages = [describe(target, tmp_path / str(n)) for n, target in enumerate((made.uri, str(shop)))]
    texts = [paths[0].read_text() for paths in pages]
    assert texts[0] == texts[1]
    for said in (
        "shop: ease, monday",
        made.digest,
        "| events of them | 1,234 |",
        "0.4000 [0.3000, 0.5000]",
        "test_days 14",
    ):
        assert said in texts[0]
    assert pages[0][1].read_text().startswith("<!doctype html>")
    assert str(tmp_path) not in texts[0]


def test_a_model_is_described_with_a_scorecard_of_its_own_only(tmp_path):
    own, other = model("a"), model("b")
    card = scorecard(own)
    assert "0.4000 [0.3000, 0.5000]" in describe(own.uri, tmp_path, scorecard=card)[0].read_text()
    assert "No scorecard was given" in describe(other.uri, tmp_path)[0].read_text()
    with pytest.raises(BadArtifact, match="is of another model"):
        describe(other.uri, tmp_path, scorecard=card)


def test_a_scenario_without_a_release_says_how_to_make_one(shop, tmp_path):
    with pytest.raises(BadArtifact, match="has no release yet"):
        describe(str(shop), tmp_path)


def test_what_is_no_model_is_refused(tmp_path):
    card = scorecard(model("a"))
    with pytest.raises(BadArtifact, match="is a scorecard"):
        describe(card, tmp_path)
    with pytest.raises(BadArtifact, match="There is no"):
        describe(uri("model", "nowhere"), tmp_path)


def test_a_card_lies_in_the_home_under_a_name_of_its_own():
    assert default_out("s3://b/shop/release/monday").name == "shop-release-monday"
    assert default_out("configs/retail.yaml").parent == settings().folder / "cards"
