from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from recloop.config import RulesConfig
from recloop.config.merchandising import Tag

TAGS = {"wine": {"categories": ["WINE"]}}


def test_rules_of_nothing_are_idle():
    assert RulesConfig().idle
    assert RulesConfig(tags=TAGS, pool=50).idle


def test_one_rule_is_not_idle():
    assert not RulesConfig(tags=TAGS, legal=[{"name": "x", "where": "wine"}]).idle
    assert not RulesConfig(diversity=0.1).idle


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"tags": {"wine": {}}}, "names nothing"),
        ({"legal": [{"name": "x", "where": "beer"}]}, r"names \['beer'\]; the tags are \['wine'\]"),
        ({"legal": [{"name": "x", "where": "wine + 1"}]}, "no expression of tags"),
        ({"pins": [{"name": "p", "item": "a", "place": n} for n in (1, 2)]}, r"\['p'\] are given to more than one"),
        ({"pins": [{"name": "p", "item": "a", "place": 0}]}, "greater than or equal to 1"),
        ({"hidden": [{"name": "x", "where": "wine", "when": {"hours": [0, 25]}}]}, "less than or equal to 24"),
        ({"legal": [{"name": "price", "where": "wine"}]}, "may not be called 'price'"),
        ({"diversity": 1.5}, "less than or equal to 1"),
    ],
)
def test_wrong_rules_are_refused_with_the_reason(raw, problem):
    with pytest.raises(ValidationError, match=problem):
        RulesConfig.model_validate({"tags": TAGS} | raw)


def test_a_tag_of_a_price_alone_is_one():
    assert Tag(max_price=0.0).max_price == 0.0


def test_the_rules_of_the_documentation_are_rules():
    page = (Path(__file__).parents[3] / "docs" / "rules.md").read_text()
    raw = yaml.safe_load(page.split("```yaml")[1].split("```")[0])["rules"]
    assert set(raw) == set(RulesConfig.model_fields)
    assert not RulesConfig.model_validate(raw).idle
