from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file

from recloop.bandits.exploring import Exploring, Scored, Thompson, log_of, pooled
from recloop.bandits.neural_linear import NeuralLinear
from recloop.bandits.policies import Best, Boltzmann
from recloop.bandits.representation import Representation
from recloop.bandits.slates import rounds, slates
from recloop.errors import BadArtifact
from recloop.models.candidates import Candidates
from recloop.models.ranker import Ranker
from recloop.models.task import past_of
from recloop.models.two_stage import TwoStage
from shop_datasets import canonical, dataset, fit

ROWS = np.array([0, 0, 0, 2, 2])
FOUND = Candidates(ROWS, np.array([3, 5, 9, 2, 5]), np.array([1, 2, 4, 1, 3], np.uint8))
SCORES = np.array([0.1, 0.9, 0.5, -1.0, 2.0], np.float32)
FEATURES = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    net = Ranker(4, (8, 3))
    net.mean.fill_(0.5)
    net.scale.fill_(2.0)
    save_file(net.state_dict(), tmp_path / "ranker.safetensors")
    return tmp_path, net


def test_without_exploring_the_slate_is_the_rankers():
    own = Scored(Best()).choose(FOUND, SCORES, FEATURES, 3, 2, np.random.default_rng(0))
    assert own.ranked.items.tolist() == [[5, 9], [0, 0], [5, 2]]
    assert own.ranked.origins.tolist() == [[2, 4], [0, 0], [3, 1]]
    np.testing.assert_array_equal(own.ranked.scores, np.array([[0.9, 0.5], [-np.inf] * 2, [2, -1]], np.float32))
    assert (own.propensities == 1).all()


def test_only_the_pool_is_explored():
    rng = np.random.default_rng(0)
    shown = {
        tuple(Scored(Boltzmann(50), pool=2).choose(FOUND, SCORES, FEATURES, 3, 2, rng).ranked.items[0])
        for _ in range(40)
    }
    assert shown == {(5, 9), (9, 5)}


def test_the_best_pairs_of_each_row_are_pooled():
    assert pooled(ROWS, SCORES, 3, 2).tolist() == [[1, 2], [-1, -1], [4, 3]]


def test_the_representation_is_the_rankers_last_hidden_layer(folder):
    path, net = folder
    own = Representation.load(path)
    with torch.no_grad():
        x = torch.from_numpy(FEATURES)
        standard = (x - net.mean) * net.scale
        hidden = torch.cat([member[:-1](standard) for member in net.members], dim=1).numpy()
        logits = net(x).numpy()
    np.testing.assert_allclose(own.hidden(FEATURES), hidden, atol=1e-5)
    np.testing.assert_allclose(own.logits(FEATURES), logits, atol=1e-5)
    assert own.width == 3


def test_a_posterior_that_is_sure_shows_what_it_holds_best(folder):
    representation = Representation.load(folder[0])
    rng = np.random.default_rng(1)
    hidden = representation.hidden(rng.normal(size=(4_000, 4)).astype(np.float32))
    taste = np.array([1.0, -2.0, 0.5])
    posterior = NeuralLinear.prior(3, strength=1e-3).update(hidden, hidden @ taste)
    own = Thompson(Best(), representation, posterior).choose(FOUND, SCORES, FEATURES, 3, 2, rng)
    best = FOUND.items[:3][np.argsort(-(representation.hidden(FEATURES[:3]) @ taste), kind="stable")]
    assert own.ranked.items[0].tolist() == best[:2].tolist()


def test_a_posterior_that_knows_nothing_explores_with_propensities_of_its_draws(folder):
    representation = Representation.load(folder[0])
    own = Thompson(Best(0.1), representation, NeuralLinear.prior(3), samples=64)
    found = own.choose(FOUND, SCORES, FEATURES, 3, 2, np.random.default_rng(1))
    share = (found.propensities[0, 0] - 0.1 / 3) / 0.9 * 64
    assert share == pytest.approx(round(share))
    assert (found.propensities > 0).all()


def test_no_candidates_at_all_give_empty_rows():
    nothing = Candidates(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))
    own = Scored(Best()).choose(nothing, SCORES[:0], FEATURES[:0], 2, 3, np.random.default_rng(0))
    assert own.ranked.items.tolist() == [[0] * 3] * 2


def test_a_model_without_a_hidden_layer_is_refused(tmp_path):
    with pytest.raises(BadArtifact, match="is missing"):
        Representation.load(tmp_path)
    save_file(Ranker(4, ()).state_dict(), tmp_path / "ranker.safetensors")
    with pytest.raises(BadArtifact, match="1 layers"):
        Representation.load(tmp_path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A fitted two-stage model with its folder, and histories of which the last is empty."""
    data = dataset(canonical())
    out = fit(data, tmp_path_factory.mktemp("exploring"))
    users = np.arange(1, 21, dtype=np.int32)
    past = past_of(data, data.test, users)
    emptied = replace(past, offsets=np.append(past.offsets, past.offsets[-1]), now=np.append(past.now, past.now[-1]))
    return TwoStage.load(out), out, emptied


def test_a_model_that_does_not_explore_answers_as_ever(shop):
    model, _, past = shop
    own = Exploring(model, Scored(Best())).choose(past, k=5, rng=np.random.default_rng(0))
    ever = model.recommend(past, k=5)
    for name in ("items", "scores", "origins"):
        np.testing.assert_array_equal(getattr(own.ranked, name), getattr(ever, name))


def test_a_model_explores_what_is_allowed_and_says_how_likely_it_was(shop):
    model, out, past = shop
    representation = Representation.load(out)
    explorer = Thompson(Best(0.05), representation, NeuralLinear.prior(representation.width), samples=32)
    allowed = np.ones(model.n_codes, dtype=bool)
    allowed[::3] = False
    own, again = (
        Exploring(model, explorer).choose(past, k=5, rng=np.random.default_rng(7), allowed=allowed) for _ in range(2)
    )
    assert allowed[own.ranked.items[own.ranked.items > 0]].all()
    assert ((own.propensities > 0) & (own.propensities <= 1)).all()
    np.testing.assert_array_equal(own.ranked.items, again.ranked.items)


def test_who_is_new_is_shown_what_is_popular(shop):
    model, out, past = shop
    representation = Representation.load(out)
    sure = NeuralLinear.prior(representation.width, rate=1e-6)
    own = Exploring(model, Thompson(Best(), representation, sure)).choose(past, k=5, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(own.ranked.items[-1], model.recommend(past, k=5).items[-1])


def test_what_was_explored_is_logged_so_that_a_policy_can_be_judged_on_it(shop):
    model, _, past = shop
    policy = Boltzmann(2.0)
    own = Exploring(model, Scored(policy, pool=8)).choose(past, k=3, rng=np.random.default_rng(7))
    receipts = [f"r{n:02}" for n in range(len(past))]
    names = [f"i{code:05}" for code in range(model.n_codes)]
    log = log_of(own, receipts, names).with_columns(reward=pl.lit(0.0))
    read = slates(log)
    shown = np.take_along_axis(read.items, read.places, axis=1) - 1
    assert [[read.names[code] for code in row] for row in shown] == [[names[c] for c in r] for r in own.ranked.items]
    np.testing.assert_allclose(read.propensities, own.propensities)
    np.testing.assert_allclose(rounds(read, policy).weights, 1)


def test_the_members_of_a_ranker_are_one_representation_side_by_side(tmp_path):
    torch.manual_seed(2)
    net = Ranker(4, (5, 3), members=2).eval()
    net.sees[0, 2] = 0
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, tmp_path / "ranker.safetensors")
    own = Representation.load(tmp_path)
    assert own.width == 6
    with torch.no_grad():
        np.testing.assert_allclose(own.logits(FEATURES), net(torch.from_numpy(FEATURES)).numpy(), atol=1e-5)
