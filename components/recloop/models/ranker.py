"""The deep ranker: 128-64-32-1, ReLU, Adam; pair features -> probability of a purchase (Covington et al. 2016)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor, nn

from recloop.config import RankerConfig, TrainerConfig
from recloop.errors import BadData
from recloop.models.export import export
from recloop.models.fit import Progress, train
from recloop.models.ranker_plan import RankerPlan

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
    users: NDArray[np.int64]  # [pairs] user codes; the pairs of one user in one window lie together
    spend: F32  # [pairs] money paid for what was bought


class Ranker(nn.Module):
    """Standardised features through multilayer networks, each learnt by itself, to the mean of their logits."""

    def __init__(self, n_features: int, hidden: tuple[int, ...], members: int = 1) -> None:
        super().__init__()
        self.register_buffer("sees", torch.ones(members, n_features))  # 0 for what a member does not see
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.members = nn.ModuleList(_network((n_features, *hidden)) for _ in range(members))

    def hide(self, columns: Sequence[int], members: int) -> None:
        """Keep columns of the features from the first `members` networks."""
        self.sees[:members, list(columns)] = 0  # type: ignore[operator]

    def each(self, features: Tensor) -> Tensor:
        """[pairs, n_features] -> logits of every member. [members, pairs]"""
        standard = (features - self.mean) * self.scale  # type: ignore[operator]
        seen = [standard * sees for sees in self.sees]  # type: ignore[union-attr]
        return torch.stack([member(own).squeeze(1) for member, own in zip(self.members, seen, strict=True)])

    def forward(self, features: Tensor) -> Tensor:
        """[pairs, n_features] -> logits [pairs]."""
        return self.each(features).mean(dim=0)


def _network(sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 1))


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
    context: Sequence[int] = (),
) -> dict[str, float]:
    """Write ranker.safetensors and ranker.onnx into `out`; AUC and log loss on the pairs of held-out users.

    `context`: columns that config.plain_members of the networks do not see. `warm`: folder of an older model of the same
    features, whose weights go on from where they were; a folder without a ranker, or with one of other sizes, is told to
    `progress` and passed over. Raises BadData without a pair of a buyer.
    """
    held = examples.users % HELD_OUT == 0
    taken = ~held & _sampled(examples, config.unseen_share, seed)
    if not examples.labels[taken].any():
        raise BadData(
            f"The ranker has nothing to learn: none of {np.count_nonzero(~held):,} candidates was taken in its windows. Bring "
            "more history, or lower split.test_days or model.ranker.windows."
        )
    torch.manual_seed(seed)
    net = Ranker(examples.features.shape[1], config.hidden, config.members)
    net.hide(context, config.plain_members)
    older = None if warm is None else _older(net, warm, progress)
    if older is None:
        _standardise(net, examples.features[taken])
    else:
        net.load_state_dict(older)
    users = examples.users[taken]
    plan = RankerPlan(
        features=torch.from_numpy(examples.features[taken]),
        labels=torch.from_numpy(examples.labels[taken]),
        weights=torch.from_numpy(weights(examples, config)[taken]),
        unseen=torch.from_numpy(examples.unseen[taken]),
        edges=np.concatenate([[0], np.flatnonzero(np.diff(users)) + 1, [len(users)]]),
        batch=config.batch,
        epochs=config.epochs if older is None else config.warm_epochs,
        lr=config.lr if older is None else config.lr / 3,
        seed=seed,
        list_weight=config.list_weight,
    )
    train(net, plan, name="ranker", trainer=trainer, work=work, progress=progress)
    save_file({n: p.contiguous() for n, p in net.state_dict().items()}, out / WEIGHTS)
    width = examples.features.shape[1]
    axes = {"features": {0: "pairs"}, "logit": {0: "pairs"}}
    export(net, {"features": torch.zeros(2, width)}, "logit", axes, out / "ranker.onnx")
    return _quality(net, examples.features[held], examples.labels[held])


def weights(examples: Examples, config: RankerConfig) -> F32:
    """Weight of each pair in the loss. [pairs]

    new_weight for pairs new to their user. A taken pair weighs 1 - s + s * spend / mean spend beside, s = spend_weight: at
    s = 1 the odds estimate expected spend (Covington et al. 2016, section 4.2, with spend for watch time).
    """
    plain = np.where(examples.unseen, config.new_weight, 1.0)
    taken = examples.labels > 0
    mean = examples.spend[taken].mean() if taken.any() else 0.0
    if config.spend_weight and mean > 0:
        plain[taken] *= 1 - config.spend_weight + config.spend_weight * examples.spend[taken] / mean
    return plain.astype(np.float32)


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
