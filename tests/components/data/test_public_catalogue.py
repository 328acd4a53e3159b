import pytest

from recloop.config import DataConfig, parse
from recloop.data.public.catalogue import CATEGORIES, SETS, known, read, sections
from recloop.data.sources.collect import collect
from recloop.errors import BadData

EVERY = (*SETS, *CATEGORIES)


def test_a_name_that_is_not_known_brings_the_nearest():
    with pytest.raises(BadData, match="Did you mean ml-1m"):
        known("ml-1n")


@pytest.mark.parametrize("name", ["amazon-2023/All_Beuty", "amazon-2023", "../beauty", "amazon-2023/../x"])
def test_only_names_of_the_catalogue_become_folders(name):
    with pytest.raises(BadData, match="no public set"):
        known(name)


def test_a_set_that_was_not_fetched_brings_the_command(tmp_path):
    with pytest.raises(BadData, match="recloop data fetch ml-20m"):
        read("ml-20m", tmp_path)


def test_a_source_without_a_name_lists_none(tmp_path):
    with pytest.raises(BadData, match="recloop data list"):
        collect(DataConfig(source="public"), folder=tmp_path)


def test_a_category_has_its_own_address():
    found = known("amazon-2023-5core/Video_Games").forms[0].downloads
    assert found[0].url.endswith("benchmark/5core/rating_only/Video_Games.csv.gz")
    assert found[1].url.endswith("raw/meta_categories/meta_Video_Games.jsonl.gz")


@pytest.mark.parametrize("name", SETS)
def test_downloads_bring_every_file_that_the_reader_needs(name):
    for form in SETS[name].forms:
        brought = [n for d in form.downloads for n in ([to for _, to in d.unpacked] or [d.name])]
        assert not form.downloads or sorted(brought) == sorted(need.name for need in form.needs)


@pytest.mark.parametrize("name", SETS)
def test_every_set_states_its_terms_and_how_to_get_it(name):
    found = SETS[name]
    assert found.name == name
    assert found.licence
    assert found.cite
    assert found.page.startswith("https://")
    assert any(form.downloads for form in found.forms) or found.by_hand


def test_addresses_and_digests_are_of_a_form_that_can_be_checked():
    downloads = [d for name in EVERY for form in known(name).forms for d in form.downloads]
    assert all(d.url.startswith(("https://", "pypi:")) for d in downloads)
    digests = {d.digest for d in downloads} - {None}
    assert all(len(d.split(":")[1]) == {"md5": 32, "sha256": 64}[d.split(":")[0]] for d in digests)


def test_sections_of_a_set_are_a_scenario():
    config = parse({"scenario": "x", **sections("beauty")}, name="x")
    assert (config.data.events, config.split.kind) == ("beauty", "leave_last_out")
    assert parse({"scenario": "x", **sections("ml-100k")}, name="x").split.kind == "temporal"
