"""dataset -> two towers, by softmax over the batch's items and shared negatives, corrected for how often each is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.config import TwoTowerConfig
from recloop.data.discoveries import discoveries
from recloop.data.habits import DAY
from recloop.data.histories import Histories
from recloop.data.statistics import ItemStatistics
from recloop.errors import BadData
from recloop.models.clicks_fit import started
from recloop.models.export import export
from recloop.models.family import Fitted
from recloop.models.fit import train
from recloop.models.task import Task
from recloop.models.two_tower import CONTEXT, TOWER, VECTORS, views

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
WEIGHTS = "two_tower.safetensors"
LN2 = float(np.log(2))


class TwoTowerNet(nn.Module):
    """Both towers. An item is its code, its category and department, its price and its age."""

    def __init__(self, statistics: ItemStatistics, config: TwoTowerConfig) -> None:
        super().__init__()
        n, dim = len(statistics), config.dim
        self.config = config
        self.register_buffer("category", torch.from_numpy(statistics.category.astype(np.int64)))
        self.register_buffer("department", torch.from_numpy(statistics.department.astype(np.int64)))
        self.register_buffer("price", torch.from_numpy(_standard(np.log1p(statistics.price))))
        self.items = nn.Embedding(n, dim)
        self.categories = nn.Embedding(int(statistics.category.max()) + 1, dim)
        self.departments = nn.Embedding(int(statistics.department.max()) + 1, dim)
        self.facts = nn.Sequential(nn.Linear(2, dim), nn.ReLU(), nn.Linear(dim, dim))
        n_context = CONTEXT + 4 * config.clock
        n_means = len(config.half_lives_days) + 1
        self.user = nn.Sequential(
            nn.Linear(n_means * dim + n_context, config.hidden), nn.ReLU(), nn.Linear(config.hidden, dim)
        )
        self.skip = nn.Parameter(torch.full((n_means,), 1.0 / n_means))
        for table in (self.items, self.categories, self.departments):
            nn.init.normal_(table.weight, std=0.05)

    def stem(self, items: Tensor) -> Tensor:
        """What of an item is the same at every moment: codes [...] -> [..., dim], zero for padding."""
        whole = self.items(items) + self.categories(self.category[items]) + self.departments(self.department[items])  # type: ignore[index]
        return whole * (items > 0)[..., None]  # type: ignore[no-any-return]

    def item(self, items: Tensor, ages: Tensor) -> Tensor:
        """Codes and days since an item was first taken [n] -> unit vectors [n, dim]."""
        age = torch.log1p(ages) / 3 if self.config.item_age else torch.zeros_like(ages)
        facts = torch.stack([self.price[items], age], dim=1)  # type: ignore[index]
        return F.normalize(self.stem(items) + self.facts(facts), dim=1)

    def forward(self, items: Tensor, ages: Tensor, context: Tensor) -> Tensor:
        """Last items and their days before the moment [n, length], context [n, c] -> unit vectors over temperature [n, dim]."""
        stems = self.stem(items)
        weights = [torch.exp(-ages * (LN2 / half)) for half in self.config.half_lives_days]
        newest = torch.arange(items.shape[1], device=items.device) == items.shape[1] - 1
        weights.append(newest.to(ages.dtype).expand_as(ages))
        weight = torch.stack(weights, dim=1) * (items > 0)[:, None]  # [n, means, length]
        means = torch.bmm(weight, stems) / weight.sum(2, keepdim=True).clamp(min=1e-6)  # [n, means, dim]
        plain = torch.cat([means.flatten(1), context], dim=1)
        dropped = F.dropout(plain, self.config.dropout, self.training)
        state = self.user(dropped) + (self.skip[:, None] * means).sum(1)
        return F.normalize(state, dim=1) / self.config.temperature


class Moments(NamedTuple):
    """One step's examples on one device, and the negatives of all devices."""

    step: int
    items: Tensor  # [rows, length]
    ages: Tensor  # [rows, length]
    context: Tensor  # [rows, c]
    targets: Tensor  # [rows]
    target_ages: Tensor  # [rows] days
    negatives: Tensor  # [m]
    negative_ages: Tensor  # [m]
    examples: int  # in the whole step, over all devices


@dataclass(frozen=True)
class TwoTowerPlan:
    """Softmax of each event's item against the batch's own items and evenly drawn ones (Yi et al. 2019; Yang et al. 2020).

    Every event with an earlier visit is an example, seen from its own moment: what came in the same visit is not seen.
    """

    past: Histories
    config: TwoTowerConfig
    born: I64  # [n_codes] moment of the first event of each item
    epochs: int
    seed: int
    starts: I64  # [examples] first event of the example's row
    ends: I64  # [examples] first event of the example's visit
    at: I64  # [examples] the example's own event
    log_q: Tensor  # [n_codes] log of the expected count among a batch's targets and negatives

    @property
    def lr(self) -> float:
        """Peak learning rate."""
        return self.config.lr

    @property
    def per_epoch(self) -> int:
        """Batches an epoch."""
        return max(1, len(self.at) // self.config.batch)

    @property
    def steps(self) -> int:
        """Batches in all."""
        return self.epochs * self.per_epoch

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Moments]:
        """Batches from a step on."""
        for epoch in range(start // self.per_epoch, self.epochs):
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.at))
            for n in range(max(0, start - epoch * self.per_epoch), self.per_epoch):
                chosen = order[n * self.config.batch : (n + 1) * self.config.batch]
                yield self.moments(chosen[rank::world], epoch * self.per_epoch + n, chosen)

    def moments(self, chosen: I64, step: int, everyone: I64) -> Moments:
        """Some examples as tensors; negatives are seen from the moments of the whole step's examples, in turn."""
        past, at = self.past, self.at[chosen]
        now = past.times[at]
        view = views(
            past.items,
            past.times,
            starts=self.starts[chosen],
            ends=self.ends[chosen],
            now=now,
            length=self.config.length,
            clock=self.config.clock,
        )
        negatives = np.random.default_rng([self.seed, 1, step]).integers(1, len(self.born), self.config.negatives)
        when = past.times[self.at[np.resize(everyone, len(negatives))]]
        targets = past.items[at].astype(np.int64)
        return Moments(
            step,
            items=torch.from_numpy(view.items),
            ages=torch.from_numpy(view.ages),
            context=torch.from_numpy(view.context),
            targets=torch.from_numpy(targets),
            target_ages=torch.from_numpy(self._ages(targets, now)),
            negatives=torch.from_numpy(negatives),
            negative_ages=torch.from_numpy(self._ages(negatives, when)),
            examples=len(everyone),
        )

    def _ages(self, items: I64, now: I64) -> F32:
        days: F32 = (np.maximum(now - self.born[items], 0) / DAY).astype(np.float32)
        return days

    def loss(self, net: nn.Module, batch: Moments, world: int) -> Tensor:
        """Mean cross-entropy of the step's examples; negatives that are a row's own item are left out of it."""
        users = net(batch.items, batch.ages, batch.context)
        codes = torch.cat([batch.targets, batch.negatives])
        vectors = net.item(codes, torch.cat([batch.target_ages, batch.negative_ages]))  # type: ignore[operator]
        logits = users @ vectors.T - self.log_q.to(codes.device)[codes]  # [rows, rows + m]
        own = torch.arange(len(users), device=users.device)
        same = codes[None] == batch.targets[:, None]
        same[own, own] = False
        loss = F.cross_entropy(logits.masked_fill(same, -torch.inf), own)
        return loss * (len(users) * world / batch.examples)


def fit(task: Task) -> Fitted:
    """Write user_tower.onnx, item_vectors.npy as of the cut, two_tower.safetensors and statistics; the last loss.

    Raises BadData where no user has two visits, BadArtifact where the warm folder knows more items.
    """
    config = task.config.two_tower
    past, statistics = task.past, task.statistics
    torch.manual_seed(task.seed)
    net = TwoTowerNet(statistics, config)
    warm = started(net, task, WEIGHTS)
    plan = plan_of(past, config, task.n_codes, config.warm_epochs if warm else config.epochs, task.seed)
    train(net, plan, name="two_tower", trainer=task.trainer, work=task.work, progress=task.progress)
    statistics.save(task.out / "statistics.safetensors")
    write(net, statistics, task)
    facts = {"length": config.length, "repeats": config.repeats, "clock": config.clock}
    return Fitted({"two_tower_steps": float(plan.steps), "two_tower_loss": _last_loss(net, plan)}, facts)


def plan_of(past: Histories, config: TwoTowerConfig, n_codes: int, epochs: int, seed: int) -> TwoTowerPlan:
    """Histories -> the plan over their events. Raises BadData where no user has two visits."""
    learnt = past if config.repeats else discoveries(past)
    rows = learnt.rows
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (learnt.times[1:] != learnt.times[:-1]) | (rows[1:] != rows[:-1])
    ends = np.maximum.accumulate(np.where(fresh, np.arange(len(rows)), 0))
    at = np.flatnonzero(ends > learnt.offsets[rows])
    if not len(at):
        raise BadData(
            f"Two towers have nothing to learn: none of {len(past):,} users has two visits. Bring more history."
        )
    born = np.full(n_codes, np.iinfo(np.int64).max)
    np.minimum.at(born, past.items, past.times)
    drawn = np.bincount(learnt.items[at], minlength=n_codes) / len(at)
    expected = drawn * min(config.batch, len(at)) + config.negatives / (n_codes - 1)
    log_q = torch.from_numpy(np.log(expected).astype(np.float32))
    return TwoTowerPlan(learnt, config, born, epochs, seed, learnt.offsets[rows[at]], ends[at], at, log_q)


def write(net: TwoTowerNet, statistics: ItemStatistics, task: Task) -> None:
    """Write the weights, the vectors of items as of the cut and the user tower."""
    net.eval()
    save_file({n: p.contiguous() for n, p in net.state_dict().items()}, task.out / WEIGHTS)
    with torch.no_grad():
        vectors = net.item(torch.arange(len(statistics)), torch.from_numpy(statistics.age))
    np.save(task.out / VECTORS, vectors.numpy())
    length = task.config.two_tower.length
    inputs = {
        "items": torch.ones(2, length, dtype=torch.long),
        "ages": torch.ones(2, length),
        "context": torch.zeros(2, CONTEXT + 4 * task.config.two_tower.clock),
    }
    export(net, inputs, "user", {name: {0: "users"} for name in (*inputs, "user")}, task.out / TOWER)


def _standard(values: F32) -> F32:
    """Zero mean and unit spread."""
    found: F32 = ((values - values.mean()) / (values.std() + 1e-3)).astype(np.float32)
    return found


def _last_loss(net: TwoTowerNet, plan: TwoTowerPlan) -> float:
    """Loss of the last step's batch under the final weights, without dropout."""
    with torch.no_grad():
        return float(plan.loss(net, next(plan.batches(plan.steps - 1, rank=0, world=1)), 1))
