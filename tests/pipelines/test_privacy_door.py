import json

import polars as pl
import pytest

from recloop.config import PrivacyConfig, load
from recloop.errors import BadConfig
from recloop_pipelines import ingest, privacy
from recloop_pipelines.places import place
from recloop_pipelines.settings import opened

PERSON = "c12"


@pytest.fixture
def config(shop, monkeypatch):
    monkeypatch.setenv(privacy.KEY, "0123456789abcdef")
    return load(shop)


def collected(config, name):
    return opened(ingest.collect(config=config, out=place(config, "events", name)), kind="events").path


def closed(config):
    """The scenario with pseudonyms."""
    return config.model_copy(update={"privacy": PrivacyConfig(pseudonymise=True)})


def test_an_open_door_leaves_no_report_and_the_ids(config):
    assert not (collected(config, "a") / privacy.REPORT).exists()
    assert privacy.report(config) is None
    (found,) = privacy.scan(PERSON, None).values()
    assert any("column user_id" in place for place in found.found)


def test_no_raw_id_lies_anywhere_behind_a_closed_door(config):
    collected(closed(config), "a")
    (found,) = privacy.scan(PERSON, None).values()
    assert found.files > 2
    assert found.found == ()


def test_pseudonyms_need_a_key(config, monkeypatch):
    monkeypatch.delenv(privacy.KEY)
    with pytest.raises(BadConfig, match="has no RECLOOP_PRIVACY_KEY"):
        collected(closed(config), "a")


def test_an_erased_person_is_left_out_from_the_next_ingest_on(config):
    before = pl.read_parquet(collected(config, "a") / "events.parquet")
    privacy.erase(config, PERSON)
    folder = collected(config, "b")
    after = pl.read_parquet(folder / "events.parquet")
    assert set(before["user_id"]) - set(after["user_id"]) == {PERSON}
    assert json.loads((folder / privacy.REPORT).read_text())["erased"] == before.height - after.height


def test_the_erasure_list_names_nobody(config):
    privacy.erase(config, PERSON)
    (found,) = privacy.scan(PERSON, None).values()
    assert found.found == ()


def test_the_service_renames_as_ingest_does(config):
    raw = closed(config).model_copy(update={"privacy": PrivacyConfig(pseudonymise=True, raw_ids=True)})
    rename = privacy.renaming(raw)
    kept = pl.read_parquet(collected(raw, "a") / "events.parquet")["user_id"]
    assert rename([PERSON])[0] in kept
    assert privacy.renaming(closed(config)) is None
