import numpy as np
import polars as pl
import pytest

from frames import histories
from recloop.models.blend_content import Likeness, likeness_of


def catalogue(*rows):
    """(category, brand, title) of codes 1, 2, ..."""
    columns = dict(zip(("category", "brand", "title"), zip(*rows, strict=True), strict=True))
    codes = pl.Series(range(1, len(rows) + 1), dtype=pl.Int32)
    return pl.DataFrame({"item": codes, "item_id": [f"i{c}" for c in codes]} | {k: list(v) for k, v in columns.items()})


SHELF = catalogue(
    ("Food > Tea", "Acme", "Green tea"),
    ("Food > Tea", "Acme", "green Tea"),
    ("Food > Coffee", "Acme", "Beans"),
    ("Tools > Saws", "Bolt", "Hand saw"),
    ("", "", "unheard"),
)


def scores(*items):
    return likeness_of(SHELF).scores(histories([(item, len(items) - n) for n, item in enumerate(items)]))[0]


def test_items_of_the_same_words_are_as_alike_as_can_be():
    assert scores(1)[2] == pytest.approx(1.0, abs=1e-5)
    assert 0 < scores(1)[3] < 0.5
    assert scores(1)[4] == 0


def test_an_item_of_which_nothing_is_said_is_like_none():
    assert not scores(5).any()
    assert not scores(1)[5]


def test_the_newest_of_a_history_weighs_most():
    assert scores(4, 1)[2] == pytest.approx(1.0, abs=1e-5)
    assert scores(1, 3)[2] == pytest.approx(0.8 + scores(3)[2], abs=1e-5)


def test_a_rare_word_says_more_than_a_common_one():
    shelf = catalogue(("A", "x", ""), ("A", "", ""), ("", "x", ""), ("A", "", ""), ("A", "", ""))
    found = likeness_of(shelf).scores(histories([(1, 1)]))[0]
    assert found[3] > found[2] > 0


def test_it_comes_back_from_its_file(tmp_path):
    made, past = likeness_of(SHELF), histories([(1, 2), (3, 1)], [])
    made.save(tmp_path)
    assert np.array_equal(Likeness.load(tmp_path).scores(past), made.scores(past))
