"""Those who learn in the simulated world: linear and deep, greedy, optimistic and by Thompson sampling."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from recloop.bandits.neural_linear import NeuralLinear
from recloop.bandits.policies import Best, Uniform

SAMPLES = 64


def raw(pairs):
    """User and item features side by side."""
    return pairs


def crossed(pairs):
    """And every product of one with the other: what a linear model needs to prefer other items for other users."""
    d = pairs.shape[-1] // 2
    users, items = pairs[..., :d], pairs[..., d:]
    products = (users[..., :, None] * items[..., None, :]).reshape(*pairs.shape[:-1], d * d)
    return np.concatenate([pairs, products], axis=-1)


class Linear:
    """Bayesian linear regression on given features; the reward at a place is its examination times the features' score."""

    def __init__(self, features, policy, *, thompson=False, bonus=0.0):
        self.features, self.policy, self.thompson, self.bonus = features, policy, thompson, bonus
        self.posterior = None

    def show(self, pairs, k, rng):
        z = self.features(pairs)
        if self.posterior is None:
            self.posterior = NeuralLinear.prior(z.shape[-1])
        return self.policy.choose(self._scores(z, rng), k, rng).places

    def _scores(self, z, rng):
        if self.thompson:
            return self.posterior.draws(z, SAMPLES, rng)
        return self.posterior.scores(z) + (self.bonus * self._spread(z) if self.bonus else 0.0)

    def _spread(self, z):
        """Standard deviation of the score: LinUCB's bonus (Li et al. 2010)."""
        own = self.posterior
        one = np.concatenate([z, np.ones((*z.shape[:-1], 1))], axis=-1)
        half = np.linalg.solve(np.linalg.cholesky(own.precision[0]), one.reshape(-1, one.shape[-1]).T)
        return np.sqrt((half**2).sum(axis=0) * own.noise[0] / own.shape[0]).reshape(z.shape[:-1])

    def learn(self, shown, clicks, examination):
        seen = np.tile(examination, len(clicks))
        self.posterior = self.posterior.update(self.features(shown).reshape(len(seen), -1), clicks.ravel(), seen=seen)


class Deep:
    """A network fitted anew on all that was seen, with a posterior on its last hidden layer or greedy on its own score."""

    def __init__(self, policy, seed, *, thompson, every=10, steps=150, hidden=(64, 32)):
        self.policy, self.thompson, self.every, self.steps, self.hidden = policy, thompson, every, steps, hidden
        self.seed, self.seen, self.net, self.posterior = seed, [], None, None

    def show(self, pairs, k, rng):
        if self.net is None:
            torch.manual_seed(self.seed)
            sizes = (pairs.shape[-1], *self.hidden)
            layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
            self.net = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))
            self.best = torch.optim.Adam(self.net.parameters(), lr=2e-3, weight_decay=1e-4)
            self.posterior = NeuralLinear.prior(self.hidden[-1])
        if self.thompson:
            return self.policy.choose(self.posterior.draws(self._hidden(pairs), SAMPLES, rng), k, rng).places
        with torch.no_grad():
            return self.policy.choose(self.net(_tensor(pairs)).squeeze(-1).numpy(), k, rng).places

    def learn(self, shown, clicks, examination):
        rows = shown.reshape(-1, shown.shape[-1])
        self.seen.append((rows, clicks.ravel(), np.tile(examination, len(clicks))))
        if len(self.seen) % self.every == 0 or len(self.seen) == 2:
            self._fit()
        elif self.thompson:
            self.posterior = self.posterior.update(self._hidden(rows), clicks.ravel(), seen=self.seen[-1][2])

    def _fit(self):
        rows, clicks, seen = (np.concatenate(part) for part in zip(*self.seen, strict=True))
        x, y, looked = _tensor(rows), _tensor(clicks), _tensor(seen)
        order = np.random.default_rng([self.seed, len(self.seen)])
        for _ in range(self.steps):
            at = torch.from_numpy(order.integers(0, len(y), 256))
            chance = looked[at] * torch.sigmoid(self.net(x[at]).squeeze(1))
            loss = nn.functional.binary_cross_entropy(chance, y[at])
            self.best.zero_grad()
            loss.backward()
            self.best.step()
        if self.thompson:
            self.posterior = NeuralLinear.prior(self.hidden[-1]).update(self._hidden(rows), clicks, seen=seen)

    def _hidden(self, pairs):
        with torch.no_grad():
            return self.net[:-1](_tensor(pairs)).numpy()


def _tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def learners():
    """Name -> what makes the learner from a seed."""
    return {
        "uniform": lambda seed: Linear(raw, Uniform()),
        "epsilon-greedy 0.1, raw features": lambda seed: Linear(raw, Best(0.1)),
        "epsilon-greedy 0.1, crossed features": lambda seed: Linear(crossed, Best(0.1)),
        "LinUCB, raw features": lambda seed: Linear(raw, Best(), bonus=1.0),
        "LinUCB, crossed features": lambda seed: Linear(crossed, Best(), bonus=1.0),
        "Thompson, crossed features": lambda seed: Linear(crossed, Best(), thompson=True),
        "deep, greedy": lambda seed: Deep(Best(), seed, thompson=False),
        "deep, epsilon-greedy 0.1": lambda seed: Deep(Best(0.1), seed, thompson=False),
        "deep, Thompson on the last layer": lambda seed: Deep(Best(), seed, thompson=True),
    }
