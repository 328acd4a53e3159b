import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.vocabulary import Vocabulary

ids = st.lists(st.text(max_size=3), max_size=8)


def test_codes_count_from_one_and_unknown_is_zero():
    known = Vocabulary(("b", "a"))
    assert known.encode(pl.Series(["a", "b", "zz", "a"])).to_list() == [2, 1, 0, 2]
    assert known.encode(pl.Series(["a"])).dtype == pl.Int32


def test_an_empty_vocabulary_knows_nothing():
    assert Vocabulary(()).encode(pl.Series(["a", "b"])).to_list() == [0, 0]


@given(ids, ids)
def test_growth_keeps_every_code_and_gives_each_new_id_one(first, second):
    small = Vocabulary(()).grown(first)
    grown = small.grown(second)
    assert grown.ids[: len(small)] == small.ids
    assert sorted(grown.ids) == sorted({*first, *second})
    assert all(grown.ids[code - 1] == name for name, code in grown.codes.items())


def test_new_ids_follow_in_the_order_given():
    assert Vocabulary(("m",)).grown(["z", "a", "m", "z"]).ids == ("m", "z", "a")


def test_it_comes_back_from_its_file_with_any_text(tmp_path):
    known = Vocabulary(("a", '\u00e9 "q"', "\n", ""))
    known.save(tmp_path / "v.json")
    assert Vocabulary.load(tmp_path / "v.json") == known
