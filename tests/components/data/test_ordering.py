import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.ordering import stable_order


@given(st.lists(st.integers(0, 5), max_size=30))
def test_equal_keys_keep_their_order(keys):
    assert stable_order(np.array(keys, dtype=np.int32)).tolist() == sorted(range(len(keys)), key=lambda n: keys[n])


@pytest.mark.parametrize("greatest", [2**61, 2**62, 2**63 - 1])
def test_keys_so_great_that_no_bits_are_left_for_places_are_ordered_too(greatest):
    keys = np.array([greatest, 0, greatest, 1], dtype=np.int64)
    assert stable_order(keys).tolist() == [1, 3, 0, 2]
