"""Day by day from files to the dataset: new days, deletions and codes, all through the real readers."""

from datetime import UTC, datetime

import pytest

from recloop.config import DataConfig, QualityConfig, SplitConfig
from recloop.data.events import reject
from recloop.data.sources.collect import collect, undeleted
from recloop.data.sources.files import Cache
from recloop.data.split import build

NOW = datetime(2024, 2, 1, tzinfo=UTC)
HEAD = "user_id,item_id,time\n"
SPLIT = SplitConfig(test_days=1, min_item_events=1)


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "dt=01.csv").write_text(HEAD + "u,b,2024-01-01T09:00:00\nv,c,2024-01-01T10:00:00\n")
    (folder / "dt=02.csv").write_text(HEAD + "u,c,2024-01-02T09:00:00\n")
    (folder / "dt=09.csv").write_text(HEAD + "u,b,2024-01-09T09:00:00\n")
    return folder


def dataset(log, previous=None, **more):
    config = DataConfig(events=str(log), **more)
    events, items = collect(config, cache=Cache.of(config, log.parent / "parts", lambda *_: None))
    good, _ = reject(events, items, config=QualityConfig(), now=NOW)
    return build(good, items, SPLIT, previous=previous)


def saved(made, folder):
    folder.mkdir()
    made.save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_day_done_again_gives_the_same_bytes(log, tmp_path):
    assert saved(dataset(log), tmp_path / "one") == saved(dataset(log), tmp_path / "two")


def test_a_new_day_grows_the_vocabulary_and_renumbers_nothing(log):
    before = dataset(log)
    (log / "dt=03.csv").write_text(HEAD + "a,a,2024-01-03T09:00:00\n")
    after = dataset(log, previous=(before.users, before.items))
    assert (before.users.ids, before.items.ids) == (("u", "v"), ("b", "c"))
    assert (after.users.ids, after.items.ids) == (("u", "v", "a"), ("b", "c", "a"))


def test_a_late_day_takes_its_place_in_time(log):
    (log / "dt=10.csv").write_text(HEAD + "u,c,2024-01-01T08:00:00\n")
    assert dataset(log).events.filter(user=1)["item_id"].to_list() == ["c", "b", "c", "b"]


def test_an_event_below_the_watermark_does_not_reach_the_dataset(log):
    (log / "dt=10.csv").write_text(HEAD + "u,c,2024-01-01T08:00:00\n")
    assert dataset(log, lateness_days=2).events.filter(user=1)["item_id"].to_list() == ["b", "c", "b"]


def test_a_deletion_reaches_the_dataset_and_other_codes_stay(log):
    before = dataset(log)
    (log.parent / "gone.csv").write_text("user_id\nv\n")
    after = dataset(log, previous=(before.users, before.items), deletions=str(log.parent / "gone.csv"))
    assert before.events["user"].to_list() == [1, 1, 1, 2]
    assert after.events["user"].to_list() == [1, 1, 1]


def test_a_deletion_takes_what_feedback_brought_too(log):
    (log.parent / "gone.csv").write_text("user_id\nv\n")
    config = DataConfig(events=str(log), deletions=str(log.parent / "gone.csv"))
    feedback = collect(DataConfig(events=str(log)))[0]
    assert undeleted(feedback, config)["user_id"].to_list() == ["u", "u", "u"]
