import polars as pl
import pytest

from recloop.config import DataConfig
from recloop.data.made_up.source import SETS, MadeUp
from recloop.data.sources.collect import collect
from recloop.errors import BadData


@pytest.fixture(scope="module")
def sets():
    return {name: (events(7), items()) for name, (events, items) in SETS.items()}


def ranks(frame):
    """How often a user took what they had taken before, as a share of all events."""
    return 1 - frame.select("user_id", "item_id").unique().height / frame.height


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_the_same_each_time(sets, name):
    assert SETS[name][0](7).equals(sets[name][0])


def test_a_set_is_another_for_another_seed(sets):
    assert not SETS["social"][0](8).equals(sets["social"][0])


@pytest.mark.parametrize("name", SETS)
def test_every_event_is_of_an_item_in_the_catalogue(sets, name):
    events, items = sets[name]
    assert events.join(items, on="item_id", how="anti").is_empty()
    assert items["item_id"].is_unique().all()


def test_songs_are_played_again_and_articles_are_not(sets):
    assert ranks(sets["music"][0]) > 0.5
    assert ranks(sets["news"][0]) == 0


def test_half_of_the_reads_come_within_a_day_of_an_article_s_first(sets):
    reads = sets["news"][0]
    age = reads.select((pl.col("time") - pl.col("time").min().over("item_id")).dt.total_hours()).to_series()
    assert age.median() < 24


def test_nobody_follows_anybody_twice_or_themselves(sets):
    follows = sets["social"][0]
    assert ranks(follows) == 0
    assert follows.filter(pl.col("user_id") == pl.col("item_id")).is_empty()


def test_a_scenario_reads_a_set_by_its_name():
    events, items = collect(DataConfig(source="made_up", events="social", event="click"))
    assert events["event"].unique().to_list() == ["click"]
    assert items.height == 1000


def test_an_unknown_set_is_refused_with_those_that_there_are():
    with pytest.raises(BadData, match="music, news, social"):
        MadeUp.configured(DataConfig(source="made_up", events="films"))
