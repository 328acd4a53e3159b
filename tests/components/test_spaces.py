import pytest

from recloop.config import ModelConfig
from recloop.config.spaces import SPACES, Choice
from recloop.models.family import FAMILY

SETTINGS = [(kind, name) for kind, space in SPACES.items() for name in space]


@pytest.mark.parametrize(("kind", "name"), SETTINGS)
def test_every_setting_exists_and_takes_both_ends_of_its_range(kind, name):
    where = SPACES[kind][name]
    section, key = name.split(".")
    ends = where.options if isinstance(where, Choice) else (where.low, where.high)
    for value in ends:
        made = ModelConfig.model_validate({section: {key: value}})
        assert getattr(getattr(made, section), key) == value


def test_every_space_is_of_a_kind_that_exists():
    assert set(SPACES) <= set(FAMILY)
