from dataclasses import replace

import numpy as np
import pytest

from recloop.serving.shelves import Shelves


@pytest.fixture
def shelves(bundle):
    return Shelves(bundle)


def test_items_of_one_path_share_their_group_and_others_do_not(shelves, bundle):
    groups = shelves.groups("category")
    a, b, g = (bundle.items.codes[name] for name in "abg")
    assert groups[a] == groups[b] != groups[g]
    assert groups[0] == 0


def test_items_without_a_brand_are_in_no_group(shelves):
    assert not shelves.groups("brand").any()


def test_likeness_is_the_share_of_levels_in_common(shelves, bundle):
    a, b, g = (np.array([bundle.items.codes[name]]) for name in "abg")
    assert (shelves.likeness(a, b).item(), shelves.likeness(a, g).item()) == (1.0, 0.0)


def test_vectors_count_half_where_the_model_has_them(shelves, bundle, monkeypatch):
    vectors = np.zeros((bundle.model.n_codes, 2), dtype=np.float32)
    vectors[1:3] = [[2.0, 0.0], [0.0, 5.0]]
    monkeypatch.setattr(type(bundle.model.model), "arrays", lambda _: {"item vectors": vectors})
    assert shelves.likeness(np.array([1]), np.array([1, 2, 3])).tolist() == [[1.0, 0.5, 0.5]]


def test_items_without_a_category_are_in_no_group_and_like_nothing(bundle):
    bare = replace(bundle.catalogue, paths=("",) * len(bundle.catalogue.paths))
    shelves = Shelves(replace(bundle, catalogue=bare))
    assert not shelves.levels.any()
    assert shelves.likeness(np.array([1]), np.array([1, 2])).tolist() == [[0.0, 0.0]]
