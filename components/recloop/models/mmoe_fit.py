"""dataset -> two stages whose ranker learns several tasks at once and ranks by their expected value (Ma et al. 2018, MMoE)."""

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.config import MultiTaskConfig
from recloop.data.features import NAMES
from recloop.models.clicks_fit import PairRanker, Pairs, Rows, learnable, pairs_before, plan_of, quality, started
from recloop.models.din_fit import BLOCK, mlp, standardise
from recloop.models.export import export
from recloop.models.family import Fitted
from recloop.models.fit import train
from recloop.models.ranker import HELD_OUT
from recloop.models.task import Task
from recloop.models.two_stage import used_features
from recloop.models.two_stage_fit import fit_encoder, require_past, save_parts, sources

F32 = NDArray[np.float32]
TASKS = ("purchase", "new", "spend")
"""purchase: the pair was taken. new: the same, learnt from pairs new to their user only. spend: money paid, if taken."""
BOUGHT = NAMES.index("bought")
WEIGHTS = "mmoe.safetensors"
LEAST = 1e-9
"""a value below which all pairs are worth the same"""
WIDEST = 6.0
"""log of how far spend is from its mean at most"""


class MMoE(PairRanker):
    """Experts that all tasks share, a gate of each task over them, and a small tower of each task."""

    def __init__(self, n_features: int, bought: int, config: MultiTaskConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.register_buffer("money", torch.ones(()))  # mean spend of a taken pair
        self.register_buffer("worth", torch.tensor([config.purchase_value, config.new_value, config.spend_value]))
        self.bought = bought
        width = config.hidden[-1]
        self.experts = nn.ModuleList(mlp((n_features, *config.hidden)) for _ in range(config.experts))
        self.gates = nn.Linear(n_features, len(TASKS) * config.experts)
        self.towers = nn.ModuleList(mlp((width, config.tower, 1)) for _ in TASKS)

    def forward(self, features: Tensor) -> Tensor:
        """[pairs, n_features] -> logits of purchase and of new, log of spend over its mean. [pairs, tasks]"""
        x = (features - self.mean) * self.scale  # type: ignore[operator]
        mixed = F.relu(torch.stack([expert(x) for expert in self.experts], dim=1))  # [pairs, experts, width]
        gates = self.gates(x).view(-1, len(TASKS), len(self.experts)).softmax(2)  # [pairs, tasks, experts]
        own = torch.bmm(gates, mixed)  # [pairs, tasks, width]
        return torch.cat([tower(own[:, n]) for n, tower in enumerate(self.towers)], dim=1)

    def losses(self, batch: Rows) -> Tensor:
        """Sum of the tasks' losses of each pair.

        Spend by the quasi-likelihood of a gamma with a log link, y / m + log m, whose minimum is the mean m.
        """
        out = self(batch.features)
        taken = F.binary_cross_entropy_with_logits(out[:, 0], batch.labels, reduction="none")
        new = F.binary_cross_entropy_with_logits(out[:, 1], batch.labels, reduction="none")
        log_mean = out[:, 2].clamp(-WIDEST, WIDEST)
        paid = batch.spend / self.money * torch.exp(-log_mean) + log_mean  # type: ignore[operator]
        total: Tensor = taken + new * batch.unseen + paid * batch.labels
        return total

    def value(self, features: Tensor) -> Tensor:
        """Purchases, discoveries and money that are expected of each pair, each times its worth. [pairs]"""
        out = self(features)
        taken, new = torch.sigmoid(out[:, 0]), torch.sigmoid(out[:, 1])
        money = taken * torch.exp(out[:, 2].clamp(-WIDEST, WIDEST)) * self.money  # type: ignore[operator]
        unseen = (features[:, self.bought] < 0.5).to(out.dtype)
        value: Tensor = torch.stack([taken, new * unseen, money], dim=1) @ self.worth  # type: ignore[operator]
        return value


class LogValue(nn.Module):
    """What is exported: features -> log of the expected value."""

    def __init__(self, net: MMoE) -> None:
        super().__init__()
        self.net = net

    def forward(self, features: Tensor) -> Tensor:
        """[pairs, n_features] -> [pairs]."""
        return torch.log(self.net.value(features) + LEAST)


def fit(task: Task) -> Fitted:
    """Write the parts of two stages and an MMoE as their ranker; figures of every task on held-out users. Raises BadData."""
    columns = used_features(use_sasrec=task.config.ranker.use_sasrec, use_context=task.config.ranker.use_context)
    windows = task.earlier(task.config.ranker.windows)
    require_past(task.dataset, windows)
    encoder = fit_encoder(task, windows[-1])
    pairs = pairs_before(task, windows, encoder, columns, 0)
    net = fit_mmoe(task, pairs, columns)
    save_mmoe(net, task)
    facts = save_parts(sources(task.dataset, task.cut, task.config, encoder), columns, task.config, task.out) | {
        "tasks": list(TASKS)
    }
    return Fitted(judged(net, pairs.take(pairs.users % HELD_OUT == 0)), facts)


def fit_mmoe(task: Task, pairs: Pairs, columns: list[int]) -> MMoE:
    """Pairs -> a trained network."""
    config = task.config.multi_task
    own = learnable(pairs)
    torch.manual_seed(task.seed)
    net = MMoE(len(columns), columns.index(BOUGHT), config)
    warm = started(net, task, WEIGHTS)
    if not warm:
        standardise(net, own.features)
        mean = float(own.spend[own.labels > 0].mean())
        net.money.fill_(mean if mean > 0 else 1.0)  # type: ignore[operator]
    plan = plan_of(task, own, config, warm=warm)
    train(net, plan, name="mmoe", trainer=task.trainer, work=task.work, progress=task.progress)
    return net


def predicted(net: MMoE, pairs: Pairs) -> F32:
    """Logits of purchase and of new, and log of spend. [pairs, tasks]"""
    features = torch.from_numpy(pairs.features)
    with torch.no_grad():
        return torch.cat([net(features[n : n + BLOCK]) for n in range(0, len(features), BLOCK)]).numpy()


def judged(net: MMoE, pairs: Pairs) -> dict[str, float]:
    """AUC and log loss of purchase; those of `new` on pairs new to their user; error of log spend on taken pairs."""
    if not len(pairs):
        return {}
    out = predicted(net, pairs)
    found = quality(pairs.labels, out[:, 0])
    found |= {f"new_{name}": v for name, v in quality(pairs.labels[pairs.unseen], out[pairs.unseen, 1]).items()}
    paid = pairs.spend > 0
    if paid.any():
        error = out[paid, 2] + np.log(float(net.money)) - np.log(pairs.spend[paid])  # type: ignore[arg-type]
        found["spend_log_rmse"] = float(np.sqrt(np.mean(error**2)))
    return found


def save_mmoe(net: MMoE, task: Task) -> None:
    """Write mmoe.safetensors and ranker.onnx."""
    save_file({n: p.contiguous() for n, p in net.state_dict().items()}, task.out / WEIGHTS)
    axes = {"features": {0: "pairs"}, "logit": {0: "pairs"}}
    width = len(net.mean)  # type: ignore[arg-type]
    export(LogValue(net), {"features": torch.zeros(2, width)}, "logit", axes, task.out / "ranker.onnx")


def log_values(net: MMoE, pairs: Pairs) -> F32:
    """What is exported, of pairs. [pairs]"""
    features, whole = torch.from_numpy(pairs.features), LogValue(net)
    with torch.no_grad():
        return torch.cat([whole(features[n : n + BLOCK]) for n in range(0, len(features), BLOCK)]).numpy()
