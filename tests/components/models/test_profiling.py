import json

import pytest

import fits
from recloop.models.fit import train
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of


@pytest.mark.parametrize("epochs", [1, 8])
def test_a_profiled_fit_leaves_a_table_of_operators_and_a_trace(tmp_path, epochs):
    config = fits.CONFIG.model_copy(update={"epochs": epochs, "batch": 64})
    net, plan = SASRec(fits.N_CODES, config), plan_of(fits.walks(), fits.N_CODES, config, epochs, 1)
    train(net, plan, name="sasrec", trainer=fits.TrainerConfig(threads=1, profile=True), work=tmp_path)
    assert "aten::addmm" in (tmp_path / "profile" / "sasrec.txt").read_text()
    names = {
        event.get("name")
        for event in json.loads((tmp_path / "profile" / "sasrec.trace.json").read_text())["traceEvents"]
    }
    assert "aten::addmm" in names


def test_a_fit_that_is_not_profiled_leaves_no_profile(tmp_path):
    plan = plan_of(fits.walks(), fits.N_CODES, fits.CONFIG, 1, 1)
    train(SASRec(fits.N_CODES, fits.CONFIG), plan, name="sasrec", trainer=fits.TrainerConfig(threads=1), work=tmp_path)
    assert not (tmp_path / "profile").exists()
