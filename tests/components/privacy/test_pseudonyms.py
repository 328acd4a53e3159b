import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recloop.errors import BadConfig
from recloop.privacy.pseudonyms import keys, pseudonym, pseudonyms, pseudonyms_of

KEYS = keys("0123456789abcdef")


def test_a_pseudonym_is_the_same_each_time_and_another_under_another_key():
    assert pseudonym("4711", KEYS) == "37d03f873dc42048f33550c685e952f5"
    assert pseudonym("4711", keys("fedcba9876543210")) != pseudonym("4711", KEYS)


@settings(max_examples=25)
@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=8))
def test_equal_ids_alone_have_equal_pseudonyms(ids):
    made = pseudonyms(pl.Series(ids, dtype=pl.String), KEYS).to_list()
    assert [(a is None) for a in made] == [(i is None) for i in ids]
    assert len(set(made)) == len(set(ids))


def test_a_short_secret_is_refused():
    with pytest.raises(BadConfig, match="has 5 characters"):
        keys("short")


def test_a_few_ids_get_the_pseudonyms_that_a_column_gives_them():
    ids = ["4711", "b", "4711"]
    assert pseudonyms_of(ids, KEYS) == pseudonyms(pl.Series(ids), KEYS).to_list()
    assert pseudonyms_of([], KEYS) == []
