import numpy as np
import pytest

from frames import histories
from recloop.config import FreshnessConfig
from recloop.models.freshness import Freshness, freshness_of

DAILY = FreshnessConfig(half_life_hours=24)
N = 4


def made(*rows):
    return freshness_of(histories(*rows), n_codes=N, config=DAILY)


def test_events_count_half_for_each_half_life_before_the_last_one():
    found = made([(1, 3), (2, 1)], [(1, 2), (2, 1)])
    assert found.attention.tolist() == pytest.approx([0, 0.25 + 0.5, 2, 0])


def test_what_is_talked_about_is_the_same_for_everybody():
    found = made([(1, 1)]).trending(histories([(2, 1)], []))
    assert found.tolist() == [[0, pytest.approx(np.log(2)), 0, 0]] * 2


def test_an_item_is_half_as_fresh_for_each_half_life_since_its_first_event():
    found = made([(1, 2), (1, 1)], [(2, 1)])
    assert found.fresh(histories([]))[0].tolist() == pytest.approx([0, 0.25, 0.5, 0])


def test_freshness_falls_with_the_moment_of_the_question():
    found = made([(1, 1)])
    later = histories([], now=int(histories([]).now[0]) + 86_400)
    assert found.fresh(later)[0, 1] == pytest.approx(found.fresh(histories([]))[0, 1] / 2)


def test_it_is_read_as_it_was_saved(tmp_path):
    found = made([(1, 2), (2, 1)])
    found.save(tmp_path)
    read = Freshness.load(tmp_path, DAILY)
    asked = histories([(1, 0)])
    assert np.array_equal(read.trending(asked), found.trending(asked))
    assert np.array_equal(read.fresh(asked), found.fresh(asked))
