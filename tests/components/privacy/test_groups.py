from hypothesis import given
from hypothesis import strategies as st

from recloop.privacy.groups import large_enough

SIZES = st.dictionaries(st.text(), st.integers(0, 20))


def test_a_group_of_exactly_k_may_be_shown():
    assert large_enough({"a": 4, "b": 5, "c": 6}, 5) == {"b", "c"}


@given(SIZES)
def test_without_k_all_are_shown(sizes):
    assert large_enough(sizes, 0) == sizes.keys()
