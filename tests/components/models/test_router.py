import json

import pytest

from recloop.errors import BadRelease
from recloop.models.router import FILE, MODEL, UNROUTED, Router, Stretch


def stretch(events, source):
    return Stretch(events, source, 10, {MODEL: 0.1, source: 0.2}, {MODEL: 0.1, source: 0.2})


ROUTER = Router((stretch(0, "popularity_7"), stretch(2, "item_knn"), stretch(5, MODEL)))


@pytest.mark.parametrize(
    ("events", "source"),
    [(0, "popularity_7"), (1, "popularity_7"), (2, "item_knn"), (4, "item_knn"), (5, MODEL), (900, MODEL)],
)
def test_a_stretch_reaches_up_to_the_next(events, source):
    assert ROUTER.source(events) == source


def test_without_stretches_the_model_answers_everybody():
    assert UNROUTED.source(0) == MODEL


def test_a_router_comes_back_as_it_was_written(tmp_path):
    ROUTER.save(tmp_path)
    assert Router.load(tmp_path) == ROUTER


def test_a_folder_without_a_router_has_one_without_stretches(tmp_path):
    assert Router.load(tmp_path) == UNROUTED


def test_a_source_that_nobody_knows_is_refused(tmp_path):
    ROUTER.save(tmp_path)
    raw = json.loads((tmp_path / FILE).read_text())
    raw[0]["source"] = "oracle"
    (tmp_path / FILE).write_text(json.dumps(raw))
    with pytest.raises(BadRelease, match=r"names the sources \['oracle'\]"):
        Router.load(tmp_path)
