import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.stores import STORES, store_code, store_codes


@given(st.lists(st.none() | st.text(max_size=5), max_size=20))
def test_many_names_have_the_codes_that_each_has_alone(names):
    assert store_codes(pl.Series(names, dtype=pl.String)).tolist() == [store_code(name) for name in names]


def test_a_name_keeps_its_code_and_an_unknown_one_has_none():
    assert [store_code("292"), store_code("443"), store_code(None)] == [40, 121, 0]


def test_codes_are_spread_over_all_but_the_unknown_one():
    codes = store_codes(pl.Series([str(n) for n in range(5000)]))
    assert np.unique(codes).tolist() == list(range(1, STORES))
