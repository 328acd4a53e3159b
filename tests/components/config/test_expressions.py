import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.config.expressions import evaluated, names
from recloop.errors import BadConfig

SETS = {"wine": np.array([True, True, False]), "cheap": np.array([False, True, True])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wine", [True, True, False]),
        ("wine and cheap", [False, True, False]),
        ("wine or cheap", [True, True, True]),
        ("wine and not cheap", [True, False, False]),
        ("not (wine or cheap) or cheap and wine and cheap", [False, True, False]),
    ],
)
def test_an_expression_combines_sets(text, expected):
    assert evaluated(text, SETS).tolist() == expected


def test_the_names_of_an_expression_come_once_each():
    assert names("wine and (cheap or not wine)") == ["wine", "cheap"]


@pytest.mark.parametrize("text", ["", "wine +", "wine + cheap", "f(wine)", "wine.x", "1", "a if b else c", "a; b"])
def test_what_is_no_expression_of_names_is_refused(text):
    with pytest.raises(BadConfig, match="no expression of tags"):
        names(text)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text):
    try:
        found = names(text)
    except BadConfig:
        return
    assert found
