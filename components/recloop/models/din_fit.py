"""dataset -> the model folder of the two stages whose ranker is a Deep Interest Network (Zhou et al. 2018)."""

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.config import DINConfig
from recloop.data.statistics import ItemStatistics
from recloop.models.clicks import FACTS
from recloop.models.clicks_fit import (
    PairPlan,
    PairRanker,
    Pairs,
    Rows,
    learnable,
    pairs_before,
    plan_of,
    quality,
    started,
)
from recloop.models.encoder import Encoder
from recloop.models.evolution import Evolution
from recloop.models.export import export
from recloop.models.family import Fitted
from recloop.models.fit import train
from recloop.models.ranker import HELD_OUT
from recloop.models.task import Task
from recloop.models.two_stage import Sources, used_features
from recloop.models.two_stage_fit import fit_encoder, require_past, save_parts, sources

F32 = NDArray[np.float32]
WEIGHTS, RANKER = "din.safetensors", "ranker.onnx"
BLOCK = 8192
"""pairs judged at once"""


def mlp(sizes: tuple[int, ...]) -> nn.Sequential:
    """ReLU layers of the given sizes, the last one linear."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Activation(nn.Module):
    """How much each remembered item matters to a candidate: a small network, whose outputs are not normalised.

    The first layer of the paper's network on [q, k, q * k] is a sum of three, so that its parts of q and of k are
    computed once for each candidate and each item.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(width, hidden), nn.Linear(width, hidden, bias=False)
        self.product, self.facts = nn.Linear(width, hidden, bias=False), nn.Linear(FACTS, hidden, bias=False)
        self.rectify, self.out = nn.PReLU(), nn.Linear(hidden, 1)

    def forward(self, query: Tensor, keys: Tensor, facts: Tensor) -> Tensor:
        """[pairs, width], [pairs, length, width], [pairs, length, FACTS] -> [pairs, length]."""
        mixed = self.product(query[:, None] * keys) + self.key(keys) + self.facts(facts)
        weight: Tensor = self.out(self.rectify(mixed + self.query(query)[:, None])).squeeze(2)
        return weight


class DINRanker(PairRanker):
    """Pair features, the candidate's vector and the user's interest in it, through a multilayer network to one logit.

    categories [n_codes]: category of each item. vectors [n_codes, d]: fixed vectors of items (SASRec's), projected and
    added to the learnt ones; none where d = 0.
    """

    def __init__(self, n_features: int, categories: Tensor, vectors: Tensor, config: DINConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.register_buffer("categories", categories)
        self.register_buffer("vectors", vectors)
        self.items = nn.Embedding(len(categories), config.dim if config.ids else 0)
        self.groups = nn.Embedding(int(categories.max()) + 1, config.category_dim)
        self.project = nn.Linear(vectors.shape[1], config.dim, bias=False) if vectors.shape[1] else None
        width = config.category_dim + (config.dim if config.ids or self.project is not None else 0)
        self.activation = Activation(width, config.attention)
        self.evolution = Evolution(width) if config.evolution else None
        self.layers = mlp((n_features + 3 * width, *config.hidden, 1))
        self.dropout = config.dropout
        nn.init.normal_(self.items.weight, std=0.01)
        nn.init.normal_(self.groups.weight, std=0.05)

    def table(self) -> Tensor:
        """A vector of every item; zero for padding. [n_codes, width]"""
        items = self.items.weight
        if self.project is not None:
            items = self.project(self.vectors) + (items if items.shape[1] else 0)
        whole = torch.cat([items, self.groups(self.categories)], dim=1)
        return torch.cat([torch.zeros_like(whole[:1]), whole[1:]])

    def logits(self, table: Tensor, features: Tensor, items: Tensor, memory: Tensor, facts: Tensor) -> Tensor:
        """Features [pairs, n], codes [pairs], memory [pairs, length] and its facts -> [pairs]."""
        query, keys = F.embedding(items, table), F.embedding(memory, table)
        interest = self.interest(query, keys, memory > 0, facts)
        seen = F.dropout(torch.cat([query, interest, query * interest], dim=1), self.dropout, self.training)
        plain = (features - self.mean) * self.scale  # type: ignore[operator]
        found: Tensor = self.layers(torch.cat([plain, seen], dim=1)).squeeze(1)
        return found

    def interest(self, query: Tensor, keys: Tensor, real: Tensor, facts: Tensor) -> Tensor:
        """[pairs, width], [pairs, length, width], [pairs, length], [pairs, length, FACTS] -> [pairs, width]."""
        weight: Tensor = self.activation(query, keys, facts)
        if self.evolution is not None:
            evolved: Tensor = self.evolution(keys, facts, torch.sigmoid(weight) * real)
            return evolved
        return ((weight * real)[:, :, None] * keys).sum(1)

    def losses(self, batch: Rows) -> Tensor:
        """Binary cross-entropy of each pair."""
        logits = self.logits(self.table(), batch.features, batch.items, batch.memory, batch.facts)
        return F.binary_cross_entropy_with_logits(logits, batch.labels, reduction="none")


class Exported(nn.Module):
    """The ranker as it serves: vectors of items ready, and one memory a user instead of one a pair."""

    def __init__(self, net: DINRanker) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("ready", net.table().detach())

    def forward(self, features: Tensor, items: Tensor, rows: Tensor, memory: Tensor, facts: Tensor) -> Tensor:
        """Features [pairs, n], codes and rows [pairs], memory [users, length], facts [users, length, 2] -> [pairs]."""
        return self.net.logits(self.ready, features, items, memory[rows], facts[rows])  # type: ignore[arg-type]


def fit(task: Task) -> Fitted:
    """Write the parts of two stages and a DIN as their ranker; AUC and log loss of held-out users. Raises BadData."""
    config = task.config.din
    columns = used_features(use_sasrec=task.config.ranker.use_sasrec, use_context=task.config.ranker.use_context)
    windows = task.earlier(task.config.ranker.windows)
    require_past(task.dataset, windows)
    encoder = fit_encoder(task, windows[-1])
    pairs = pairs_before(task, windows, encoder, columns, config.length)
    parts = sources(task.dataset, task.cut, task.config, encoder)
    net = fit_din(task, pairs, parts)
    save_din(net, pairs, task)
    facts = save_parts(parts, columns, task.config, task.out) | {"memory": config.length}
    return Fitted(judged(net, pairs.take(pairs.users % HELD_OUT == 0)), facts)


def fit_din(task: Task, pairs: Pairs, parts: Sources) -> DINRanker:
    """Pairs -> a trained network. `parts`: of any cut, for categories and SASRec's vectors."""
    config = task.config.din
    own = learnable(pairs)
    torch.manual_seed(task.seed)
    net = new_din(pairs.features.shape[1], parts.statistics, parts.encoder if config.pretrained else None, config)
    warm = started(net, task, WEIGHTS)
    if not warm:
        standardise(net, own.features)
    plan = plan_of(task, own, config, warm=warm)
    train(net, plan, name="din", trainer=task.trainer, work=task.work, progress=task.progress)
    return net


def new_din(n_features: int, statistics: ItemStatistics, encoder: Encoder | None, config: DINConfig) -> DINRanker:
    """An untrained network over a catalogue."""
    categories = torch.from_numpy(statistics.category.astype(np.int64))
    nothing = np.zeros((len(statistics), 0), dtype=np.float32)
    vectors = nothing if encoder is None else np.where(encoder.known[:, None], encoder.vectors, 0).astype(np.float32)
    return DINRanker(n_features, categories, torch.from_numpy(vectors), config)


def standardise(net: nn.Module, features: F32) -> None:
    """Set the buffers `mean` and `scale` to those of the features."""
    net.mean.copy_(torch.from_numpy(features.mean(axis=0)))  # type: ignore[operator]
    net.scale.copy_(torch.from_numpy(1 / (features.std(axis=0) + 1e-3)))  # type: ignore[operator]


def judged(net: DINRanker, pairs: Pairs) -> dict[str, float]:
    """AUC and log loss on pairs."""
    return quality(pairs.labels, predicted(net, pairs))


def predicted(net: DINRanker, pairs: Pairs) -> F32:
    """Logits of pairs, as the network gives them in training. [pairs]"""
    plan = PairPlan(pairs, np.ones(len(pairs), dtype=np.float32), BLOCK, 1, 0.0, 0)
    with torch.no_grad():
        table, found = net.table(), [np.zeros(0, dtype=np.float32)]
        for start in range(0, len(pairs), BLOCK):
            at = np.arange(start, min(start + BLOCK, len(pairs)))
            rows = plan.rows(at, step=0, pairs=len(at))
            found.append(net.logits(table, rows.features, rows.items, rows.memory, rows.facts).numpy())
    return np.concatenate(found)


def save_din(net: DINRanker, pairs: Pairs, task: Task) -> None:
    """Write din.safetensors and ranker.onnx."""
    save_file({n: p.contiguous() for n, p in net.state_dict().items() if n != "vectors"}, task.out / WEIGHTS)
    length = pairs.memory.items.shape[1]
    inputs = {
        "features": torch.zeros(3, pairs.features.shape[1]),
        "items": torch.ones(3, dtype=torch.long),
        "rows": torch.tensor([0, 1, 1]),
        "memory": torch.ones(2, length, dtype=torch.long),
        "facts": torch.zeros(2, length, FACTS),
    }
    axes = {name: {0: "users" if name in {"memory", "facts"} else "pairs"} for name in (*inputs, "logit")}
    export(Exported(net), inputs, "logit", axes, task.out / RANKER)
