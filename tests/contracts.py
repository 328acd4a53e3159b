"""What every recommender must do: called by the tests of each."""

import numpy as np


def check_recommender(model, histories, n_codes):
    """Shapes, padding, duplicates, exclusions, masks, determinism, empty rows."""
    k = 5
    found = model.recommend(histories, k=k)
    assert found.items.shape == found.scores.shape == found.origins.shape == (len(histories), k)
    assert found.items.dtype == np.int32
    _is_ranked(found)
    again = model.recommend(histories, k=k)
    assert np.array_equal(found.items, again.items)
    _respects_what_is_left_out(model, histories, n_codes, k)
    more = model.recommend(histories, k=n_codes + 3)
    assert more.items.shape == (len(histories), n_codes + 3)
    _is_ranked(more)


def _is_ranked(found):
    for items, scores in zip(found.items, found.scores, strict=True):
        real = items > 0
        assert np.all(real == (np.cumsum(~real) == 0))  # padding comes last
        assert len(set(items[real])) == real.sum()
        assert np.all(np.diff(scores[real]) <= 0)
        assert np.all(np.isneginf(scores[~real]))


def _respects_what_is_left_out(model, histories, n_codes, k):
    unseen = model.recommend(histories, k=k, exclude_seen=True)
    for row in range(len(histories)):
        own = histories.items[histories.offsets[row] : histories.offsets[row + 1]]
        assert not set(unseen.items[row]) & set(own.tolist())
    allowed = np.zeros(n_codes, dtype=bool)
    allowed[1::2] = True
    masked = model.recommend(histories, k=k, allowed=allowed).items
    assert allowed[masked[masked > 0]].all()
    excluded = np.array([1, 2, 3], dtype=np.int32)
    assert not np.isin(model.recommend(histories, k=k, exclude=excluded).items, excluded).any()
