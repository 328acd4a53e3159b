import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.coded import Coded
from recloop.data.vocabulary import Vocabulary

texts = st.lists(st.none() | st.text(max_size=3), max_size=20)


@given(texts, texts)
def test_words_at_their_places_are_the_column_whatever_its_chunks(first, second):
    column = pl.concat([pl.Series(first, dtype=pl.String), pl.Series(second, dtype=pl.String)], rechunk=False)
    coded = Coded.of(column)
    assert [[*coded.words, None][place] for place in coded.places] == column.to_list()
    assert coded.words.n_unique() == len(coded.words)


def test_counts_are_of_the_chosen_rows():
    coded = Coded.of(pl.Series(["a", "b", None, "a", "b"]))
    counts = coded.counts(np.array([True, True, True, True, False]))
    assert dict(zip(coded.words, counts, strict=True)) == {"a": 2, "b": 1}


def test_what_a_vocabulary_lacks_and_what_is_null_has_code_zero():
    coded = Coded.of(pl.Series(["a", "zz", None, "b", "a"]))
    assert coded.under(Vocabulary(("b", "a"))).tolist() == [2, 0, 0, 1, 2]
