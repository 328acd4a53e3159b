from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recloop.config import Config, Section, load, parse
from recloop.errors import BadConfig

ROOT = Path(__file__).parents[2]
SMALL = {"scenario": "retail", "data": {}}


def test_defaults_fill_what_is_not_given():
    config = parse(SMALL, name="x")
    assert (config.seed, config.split.test_days, config.data.event) == (7, 28, "purchase")


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_every_shipped_scenario_is_valid_and_named_like_its_file(path):
    assert load(path).scenario == path.stem


def test_every_wrong_key_is_named_at_once():
    raw = {"scenario": "Retail!", "data": {"sauce": "x"}, "split": {"test_days": 0}, "gate": {"min_users": "many"}}
    with pytest.raises(BadConfig) as found:
        parse(raw, name="shop.yaml")
    text = str(found.value)
    assert "shop.yaml has 4 wrong keys" in text
    assert all(f"  {key}: " in text for key in ("scenario", "data.sauce", "split.test_days", "gate.min_users"))


def test_one_wrong_key_is_not_plural():
    with pytest.raises(BadConfig, match="has 1 wrong key:"):
        parse(SMALL | {"sed": 1}, name="x")


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        ("evaluation", "baselines", ["popular"], "'popularity', 'frequency', 'frequency_decayed' or 'item_knn'"),
        ("evaluation", "baselines", [], "compared with nothing"),
        ("gate", "views", [], "compared with nothing"),
        ("gate", "metric", "auc", "'ndcg', 'recall'"),
    ],
)
def test_a_gate_that_would_compare_with_nothing_or_nobody_known_is_refused(section, key, value, says):
    with pytest.raises(BadConfig, match=rf"x has 1 wrong key:\n  {section}\.{key}.*{says}"):
        parse(SMALL | {section: {key: value}}, name="x")


@pytest.mark.parametrize("raw", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(raw):
    with pytest.raises(BadConfig, match=f"it is {type(raw).__name__}"):
        parse(raw, name="x")


def test_a_missing_file_is_refused_with_the_command_that_lists_them(tmp_path):
    with pytest.raises(BadConfig, match=rf"ls {tmp_path}/\*.yaml"):
        load(tmp_path / "x.yaml")


def test_a_file_that_is_no_yaml_is_refused_by_name(tmp_path):
    (tmp_path / "x.yaml").write_text("a: [")
    with pytest.raises(BadConfig, match=r"x\.yaml cannot be read as YAML"):
        load(tmp_path / "x.yaml")


def test_yaml_never_builds_objects(tmp_path):
    (tmp_path / "x.yaml").write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(BadConfig, match="cannot be read as YAML"):
        load(tmp_path / "x.yaml")


def test_a_config_cannot_be_changed():
    config = parse(SMALL, name="x")
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 8


def test_a_config_survives_its_own_json():
    raw = SMALL | {"data": {"until": "2017-10-09"}, "quality": {"allowance": {"duplicate_row": 0.1}}, "seed": 3}
    config = parse(raw, name="x")
    assert Config.model_validate_json(config.model_dump_json()) == config
    assert parse(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json"))), name="y") == config


@pytest.mark.parametrize("text", ["2017-10-09", "2017-10-09T00:00:00", "2017-10-09T02:00:00+02:00"])
def test_a_moment_is_in_utc(text):
    assert parse(SMALL | {"data": {"until": text}}, name="x").data.until == datetime(2017, 10, 9, tzinfo=UTC)


SECTIONS = [
    field.annotation
    for field in Config.model_fields.values()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.__name__)
def test_every_section_is_frozen_and_refuses_unknown_keys(section):
    assert section.model_config["frozen"]
    assert section.model_config["extra"] == "forbid"
    assert section.__doc__.endswith(".")


KEYS = st.sampled_from(["scenario", "seed", "data", "split", "model", "gate", "feedback", "x"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NESTED = st.recursive(LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=8), v, max_size=3))


@given(st.dictionaries(KEYS, NESTED))
def test_any_mapping_is_a_config_or_refused_in_words(raw):
    try:
        parse(raw, name="shop.yaml")
        said = "shop.yaml has "
    except BadConfig as error:
        said = str(error)
    assert said.startswith("shop.yaml has ")


def test_an_unknown_key_is_answered_with_the_one_that_was_probably_meant():
    with pytest.raises(BadConfig, match=r"model\.ranker\.hiden: There is no such key\. Did you mean hidden\?"):
        parse({"scenario": "x", "data": {"source": "complete_journey"}, "model": {"ranker": {"hiden": 3}}}, name="x")


def test_an_unknown_key_like_no_other_is_answered_with_all_that_are_known_there():
    with pytest.raises(BadConfig, match=r"gate\.zzz: There is no such key\. Known here: .*min_users"):
        parse({"scenario": "x", "data": {"source": "complete_journey"}, "gate": {"zzz": 3}}, name="x")
