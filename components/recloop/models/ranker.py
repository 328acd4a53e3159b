"""The deep ranker: 128-64-32-1, ReLU, Adam; pair features -> probability of a purchase (Covington et al. 2016)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.config import RankerConfig, TrainerConfig
from recloop.errors import BadData
from recloop.models.export import export
from recloop.models.fit import Progress, train

F32 = NDArray[np.float32]
WEIGHTS = "ranker.safetensors"
HELD_OUT = 10
"""every tenth user is held out for AUC and log loss"""


@dataclass(frozen=True)
class Examples:
    """Pairs that the ranker learns from."""

    features: F32  # [pairs, n_features]
    labels: F32  # [pairs] 1 where the pair was bought in the window
    unseen: NDArray[np.bool_]  # [pairs] the user never bought the item before
    users: NDArray[np.int64]  # [pairs] user codes


class Ranker(nn.Module):
    """Standardised features through a multilayer network to one logit."""

    def __init__(self, n_features: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        sizes = (n_features, *hidden)
        layers: list[nn.Module] = []
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))

    def forward(self, features: Tensor) -> Tensor:
        """[pairs, n_features] -> logits [pairs]."""
        return self.layers((features - self.mean) * self.scale).squeeze(1)  # type: ignore[no-any-return, operator]


class Rows(NamedTuple):
    """One step's pairs on one device."""

    step: int
    features: Tensor
    labels: Tensor
    weights: Tensor
    pairs: int  # in the whole step, over all devices


@dataclass
class RankerPlan:
    """Weighted binary cross-entropy over shuffled pairs."""

    features: Tensor
    labels: Tensor
    weights: Tensor
    batch: int
    epochs: int
    lr: float
    seed: int

    @property
    def per_epoch(self) -> int:
        """Batches an epoch."""
        return max(1, len(self.labels) // self.batch)

    @property
    def steps(self) -> int:
        """Batches in all."""
        return self.epochs * self.per_epoch

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Rows]:
        """Batches from a step on."""
        for epoch in range(start // self.per_epoch, self.epochs):
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.labels))
            for n in range(max(0, start - epoch * self.per_epoch), self.per_epoch):
                pairs = order[n * self.batch : (n + 1) * self.batch]
                at = torch.from_numpy(pairs[rank::world])
                step = epoch * self.per_epoch + n
                yield Rows(step, self.features[at], self.labels[at], self.weights[at], len(pairs))

    def loss(self, net: nn.Module, batch: Rows, world: int) -> Tensor:
        """Mean weighted binary cross-entropy over the step's pairs, whichever device holds them."""
        own = F.binary_cross_entropy_with_logits(net(batch.features), batch.labels, weight=batch.weights)
        return own * (len(batch.labels) * world / batch.pairs)


def fit_ranker(
    examples: Examples,
    *,
    config: RankerConfig,
    trainer: TrainerConfig,
    seed: int,
    out: Path,
    work: Path,
    warm: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Write ranker.safetensors and ranker.onnx into `out`; AUC and log loss on the pairs of held-out users.

    `warm`: folder of an older model of the same features, whose weights go on from where they were; a folder without a
    ranker, or with one of other sizes, is told to `progress` and passed over. Raises BadData without a pair of a buyer.
    """
    held = examples.users % HELD_OUT == 0
    taken = ~held & _sampled(examples, config.unseen_share, seed)
    if not examples.labels[taken].any():
        raise BadData(
            f"The ranker has nothing to learn: none of {np.count_nonzero(~held):,} candidates was taken in its windows. Bring "
            "more history, or lower split.test_days or model.ranker.windows."
        )
    torch.manual_seed(seed)
    net = Ranker(examples.features.shape[1], config.hidden)
    older = None if warm is None else _older(net, warm, progress)
    if older is None:
        _standardise(net, examples.features[taken])
    else:
        net.load_state_dict(older)
    plan = RankerPlan(
        features=torch.from_numpy(examples.features[taken]),
        labels=torch.from_numpy(examples.labels[taken]),
        weights=torch.from_numpy(np.where(examples.unseen[taken], config.new_weight, 1.0).astype(np.float32)),
        batch=config.batch,
        epochs=config.epochs if older is None else config.warm_epochs,
        lr=config.lr if older is None else config.lr / 3,
        seed=seed,
    )
    train(net, plan, name="ranker", trainer=trainer, work=work, progress=progress)
    save_file({n: p.contiguous() for n, p in net.state_dict().items()}, out / WEIGHTS)
    width = examples.features.shape[1]
    axes = {"features": {0: "pairs"}, "logit": {0: "pairs"}}
    export(net, {"features": torch.zeros(2, width)}, "logit", axes, out / "ranker.onnx")
    return _quality(net, examples.features[held], examples.labels[held])


def _older(net: Ranker, folder: Path, progress: Progress | None) -> dict[str, Tensor] | None:
    """Weights of an older model; None where it cannot be gone on with."""
    if not (folder / WEIGHTS).exists():
        return None
    weights = load_file(folder / WEIGHTS)
    if {n: v.shape for n, v in weights.items()} == {n: v.shape for n, v in net.state_dict().items()}:
        return weights
    if progress:
        progress("ranker: the older model has other sizes; starting afresh", 0.0)
    return None


def _sampled(examples: Examples, share: float, seed: int) -> NDArray[np.bool_]:
    """Every positive, every pair that the user knows, and a share of the rest."""
    draw = np.random.default_rng([seed, len(examples.labels)]).random(len(examples.labels))
    return (examples.labels > 0) | ~examples.unseen | (draw < share)


def _standardise(net: Ranker, features: F32) -> None:
    net.mean.copy_(torch.from_numpy(features.mean(axis=0)))  # type: ignore[operator]
    net.scale.copy_(torch.from_numpy(1 / (features.std(axis=0) + 1e-3)))  # type: ignore[operator]


def _quality(net: nn.Module, features: F32, labels: F32) -> dict[str, float]:
    if len(np.unique(labels)) < 2:
        return {}
    with torch.no_grad():
        probability = torch.sigmoid(net(torch.from_numpy(features))).numpy().astype(np.float64)
    return {"auc": float(roc_auc_score(labels, probability)), "log_loss": float(log_loss(labels, probability))}
