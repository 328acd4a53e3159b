from pathlib import Path

import pytest

import shop_datasets
from recloop.data.dataset import Dataset
from recloop.errors import Busy
from recloop_pipelines.keeping import alone, saved, written


@pytest.fixture(scope="module")
def data():
    return shop_datasets.dataset(shop_datasets.canonical())


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    with alone(tmp_path / "out"), pytest.raises(Busy, match=str(tmp_path / "out")), alone(tmp_path / "out"):
        pass
    with alone(tmp_path / "out"):
        assert (tmp_path / "out").is_dir()


def test_a_file_is_as_it_was_until_all_of_the_new_one_is_there(tmp_path, monkeypatch):
    written(tmp_path / "a.json", "old")
    monkeypatch.setattr(Path, "replace", lambda self, to: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        written(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "old"


def test_a_dataset_is_there_whole_or_not_at_all(tmp_path, data, monkeypatch):
    place, save = tmp_path / "data" / "1", Dataset.save
    monkeypatch.setattr(Dataset, "save", lambda self, folder: (folder / "split.json").touch() or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved(data, place)
    assert not place.exists()
    monkeypatch.setattr(Dataset, "save", save)
    assert Dataset.load(saved(data, place)).events.equals(data.events)
    assert [path.name for path in place.parent.iterdir()] == ["1"]


def test_of_two_processes_the_first_ones_dataset_stays(tmp_path, data, monkeypatch):
    place, save = tmp_path / "1", Dataset.save

    def late(self, folder):
        place.mkdir()
        save(self, place)
        (place / "first").touch()
        save(self, folder)

    monkeypatch.setattr(Dataset, "save", late)
    assert saved(data, place) == place
    assert [path.name for path in tmp_path.glob("1")] == ["1"]
    assert (place / "first").exists()
    assert not list(tmp_path.glob(".*.part"))


def test_a_folder_that_holds_no_whole_dataset_is_not_taken_for_one(tmp_path, data):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "events.parquet").touch()
    with pytest.raises(OSError, match="not empty"):
        saved(data, tmp_path / "1")
