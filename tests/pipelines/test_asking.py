import pytest

import shops
from recloop.errors import BadConfig, BadData
from recloop_pipelines import asking
from recloop_pipelines.asking import configured


def test_unknown_kinds_are_refused_with_the_family():
    with pytest.raises(BadConfig, match=r"magic is no kind of model; known are .*popularity"):
        asking.named(["popularity", "magic"])
    with pytest.raises(BadConfig, match="none is no kind"):
        asking.named([])


def test_a_kind_can_have_a_name_of_its_own():
    assert asking.named(["ease", "small=ease"]) == {"ease": "ease", "small": "ease"}


def test_settings_are_laid_over_the_file_and_the_file_over_the_data(shop, tmp_path):
    (tmp_path / "more.yaml").write_text("model: {ease: {l2: 5}, als: {dim: 8}}\nscenario: other\n")
    config = asking.configured(str(shop), overlay=tmp_path / "more.yaml", sets=["model.ease.l2=7", "split.test_days=9"])
    assert (config.scenario, config.model.ease.l2, config.model.als.dim, config.split.test_days) == ("shop", 7, 8, 9)


@pytest.mark.parametrize(
    ("word", "message"),
    [("model.ease.l2", "is not key=value"), ("model.ease.l3=1", "model.ease.l3"), ("split.kind=random", "split.kind")],
)
def test_a_wrong_setting_is_named(shop, word, message):
    with pytest.raises(BadConfig, match=message):
        asking.configured(str(shop), sets=[word])


def test_data_that_is_nowhere_says_what_there_is(monkeypatch):
    with pytest.raises(BadConfig, match=r"no such file, and no such scenario; configs holds: .*retail"):
        asking.configured("retial")
    with pytest.raises(BadConfig, match="none of sequences, interactions"):
        asking.configured("x.csv", format_="parquet")


def test_a_table_with_too_many_bad_rows_is_refused(tmp_path):
    shops.write_shop(tmp_path)
    config = asking.configured(str(tmp_path / "shop.yaml"), sets=["quality.max_price=2"])
    with pytest.raises(BadData, match="rows are bad"):
        asking.dataset_of(config, protocol="temporal", folds=1)


def test_a_public_set_is_named_like_a_scenario():
    found = configured("beauty", sets=["model.ease.l2=7"])
    assert (found.scenario, found.data.source, found.data.events) == ("beauty", "public", "beauty")
    assert (found.split.kind, found.model.ease.l2) == ("leave_last_out", 7)
    assert configured("ml-100k").split.kind == "temporal"
    with pytest.raises(BadConfig, match=r"no such file, and no such scenario.*Did you mean beauty"):
        configured("beautyy")
