"""Ratings -> the network of ratings: 128-64-32-1 over features that no row's own rating had a part in.

A row's features come from a part of the ratings that it is not in (inner folds), so the network learns how far biases,
factors and moods may be trusted for ratings unseen; for predictions they come from all ratings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from recloop.config import DNNConfig, TrainerConfig
from recloop.models.dnn import RatingNet, save
from recloop.models.fit import Progress, train
from recloop.models.rating import F32, F64, Biases, Ratings, Sides
from recloop.models.rating_factors import fit_factors
from recloop.models.rating_features import Known, by_user, features


class Net(nn.Module):
    """Features and codes -> one number; embeddings have no columns where config.embedding is 0."""

    def __init__(self, width: int, shape: tuple[int, int], config: DNNConfig) -> None:
        super().__init__()
        self.users = nn.Embedding(shape[0], config.embedding)
        self.items = nn.Embedding(shape[1], config.embedding)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.05)
        sizes = (width + 2 * config.embedding, *config.hidden, 1)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs: Tensor, users: Tensor, items: Tensor) -> Tensor:
        """[n, width], [n], [n] -> [n]"""
        state = torch.cat([inputs, self.users(users), self.items(items)], dim=1)
        for layer in self.layers[:-1]:
            state = self.dropout(layer(state).relu())
        found: Tensor = self.layers[-1](state).squeeze(1)
        return found


class Rows(NamedTuple):
    """Some ratings."""

    step: int
    inputs: Tensor  # [b, width]
    users: Tensor  # [b]
    items: Tensor  # [b]
    wanted: Tensor  # [b] rating less base
    n: int  # of the step, over all devices


@dataclass(frozen=True)
class DNNPlan:
    """Squared error over shuffled ratings."""

    inputs: Tensor
    users: Tensor
    items: Tensor
    wanted: Tensor
    config: DNNConfig
    seed: int

    @property
    def lr(self) -> float:
        """Peak learning rate."""
        return self.config.lr

    @property
    def per_epoch(self) -> int:
        """Steps in an epoch."""
        return ceil(len(self.wanted) / self.config.batch)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.config.epochs * self.per_epoch

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Rows]:
        """Batches from a step on."""
        size = self.config.batch
        for epoch in range(start // self.per_epoch, self.config.epochs):
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.wanted))
            for n in range(max(0, start - epoch * self.per_epoch), self.per_epoch):
                rows = order[n * size : (n + 1) * size]
                at = torch.from_numpy(rows[rank::world])
                step = epoch * self.per_epoch + n
                yield Rows(step, self.inputs[at], self.users[at], self.items[at], self.wanted[at], len(rows))

    def loss(self, net: nn.Module, batch: Rows, world: int) -> Tensor:
        """Mean squared error of the step, and the decay of the embeddings it used."""
        missed = (net(batch.inputs, batch.users, batch.items) - batch.wanted).square().sum()
        used = net.users(batch.users).square().sum() + net.items(batch.items).square().sum()  # type: ignore[operator]
        found: Tensor = (missed + self.config.l2 * used) * world / batch.n
        return found


def fit_dnn(
    ratings: Ratings,
    sides: Sides,
    *,
    config: DNNConfig,
    trainer: TrainerConfig,
    seed: int,
    out: Path,
    work: Path,
    progress: Progress | None = None,
) -> RatingNet:
    """Write the model into `out` and return it. Raises BadData (of Ratings) where there is no rating."""
    ratings = by_user(ratings)
    base, wide = unseen(ratings, sides, config, seed)
    mean, deviation = wide.mean(axis=0), np.maximum(wide.std(axis=0), 1e-3)
    torch.manual_seed(seed)
    net = Net(wide.shape[1], sides.shape, config)
    plan = DNNPlan(
        torch.from_numpy((wide - mean) / deviation),
        torch.from_numpy(ratings.users),
        torch.from_numpy(ratings.items),
        torch.from_numpy((ratings.values - base).astype(np.float32)),
        config,
        seed,
    )
    train(net, plan, name="dnn", trainer=trainer, work=work, progress=progress)
    weights = {
        name.removesuffix(".weight") if name.count(".") == 1 else name: value.numpy()
        for name, value in net.state_dict().items()
    }
    scale = (float(ratings.values.min()), float(ratings.values.max()))
    model = RatingNet(
        _known(ratings, sides, config, seed),
        sides,
        weights | {"mean": mean, "deviation": deviation},
        scale,
        config.moods,
    )
    save(model, out)
    return model


def unseen(ratings: Ratings, sides: Sides, config: DNNConfig, seed: int) -> tuple[F64, F32]:
    """Base and features of every rating, each from the inner folds that it is not in. [n], [n, width]"""
    fold = np.random.default_rng([seed, 1]).permutation(len(ratings)) % config.inner_folds
    bases, wides = [], []
    for n in range(config.inner_folds):
        own = ratings.take(fold == n)
        base, wide = features(
            _known(ratings.take(fold != n), sides, config, seed + n + 1),
            sides,
            config.moods,
            own.users,
            own.items,
            own.times,
        )
        bases.append(base)
        wides.append(wide)
    back = np.argsort(np.argsort(fold, kind="stable"), kind="stable")
    return np.concatenate(bases)[back], np.concatenate(wides)[back]


def _known(ratings: Ratings, sides: Sides, config: DNNConfig, seed: int) -> Known:
    factors = None
    if config.factors:
        factors = fit_factors(
            ratings, sides.shape, dim=config.factors, rounds=config.rounds, burn=config.burn, every=2, seed=seed
        )
    return Known(ratings, Biases.fit(ratings, sides.shape), factors)
