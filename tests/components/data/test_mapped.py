from dataclasses import replace

import numpy as np

import fits
import shop_datasets
from recloop.config import TrainerConfig
from recloop.data.mapped import mapped


def test_mapped_histories_are_the_same_and_lie_on_disk(tmp_path):
    here = fits.walks()
    there = mapped(here, tmp_path)
    assert isinstance(there.items, np.memmap)
    assert np.array_equal(there.items, here.items)
    assert np.array_equal(there.take(np.array([3, 1])).times, here.take(np.array([3, 1])).times)


def test_a_model_learns_the_same_bytes_from_mapped_histories(tmp_path):
    config = fits.CONFIG.model_copy(update={"repeats": True, "epochs": 1})
    for name, histories in (("here", fits.walks()), ("there", mapped(fits.walks(), tmp_path))):
        fits.fit(tmp_path / name, tmp_path / f"work {name}", config=config, histories=histories)
    files = [(tmp_path / name / "sasrec.safetensors").read_bytes() for name in ("here", "there")]
    assert files[0] == files[1]


def test_a_task_maps_its_past_where_the_trainer_is_told_to(tmp_path):
    (tmp_path / "work").mkdir()
    task = shop_datasets.task(shop_datasets.dataset(shop_datasets.canonical()), tmp_path)
    told = replace(task, trainer=TrainerConfig(mapped=True))
    assert not isinstance(task.past.items, np.memmap)
    assert isinstance(told.past.items, np.memmap)
