import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recloop.data.repeats import repeated


@settings(deadline=None)
@given(st.lists(st.integers(0, 8), max_size=20))
def test_places_of_what_occurs_more_than_once(values):
    expected = [n for n, value in enumerate(values) if values.count(value) > 1]
    assert repeated(np.array(values, dtype=np.uint64)).tolist() == expected
