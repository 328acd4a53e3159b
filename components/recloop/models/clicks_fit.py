"""dataset -> pairs of users and candidates to learn a ranker from, and the plan by which every such ranker is trained."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor, nn

from recloop.config import DINConfig, MultiTaskConfig
from recloop.data.histories import Histories
from recloop.data.truth import Truth
from recloop.data.windows import Window
from recloop.errors import BadArtifact, BadData
from recloop.models.clicks import F32, Memory, memory
from recloop.models.encoder import Encoder
from recloop.models.ranked import permitted
from recloop.models.ranker import HELD_OUT, Examples, weights
from recloop.models.task import Task, past_of
from recloop.models.two_stage import ROWS, Sources
from recloop.models.two_stage_fit import outcomes, sources

I64 = NDArray[np.int64]
SCALING = {"mean", "scale", "money"}
"""buffers that weights were learnt with"""


@dataclass(frozen=True)
class Pairs(Examples):
    """Examples with what a network needs that sees items and memories."""

    items: I64  # [pairs] item codes
    rows: I64  # [pairs] row of the memory
    memory: Memory

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, at: NDArray[np.integer] | NDArray[np.bool_]) -> "Pairs":
        """Some of the pairs, with the memory whole."""
        return Pairs(
            **{f.name: getattr(self, f.name)[at] for f in fields(self) if f.name != "memory"}, memory=self.memory
        )


def joined(parts: list[Pairs]) -> Pairs:
    """Parts as one; their memories lie one after another."""
    starts = np.cumsum([0, *(len(p.memory) for p in parts)])[:-1]
    columns = {
        f.name: np.concatenate([getattr(p, f.name) for p in parts])
        for f in fields(Pairs)
        if f.name not in ("memory", "rows")
    }
    rows = np.concatenate([p.rows + start for p, start in zip(parts, starts, strict=True)])
    whole = Memory(*(np.concatenate([getattr(p.memory, name) for p in parts]) for name in ("items", "facts")))
    return Pairs(**columns, rows=rows, memory=whole)


def pairs_before(task: Task, windows: list[Window], encoder: Encoder | None, columns: list[int], length: int) -> Pairs:
    """Pairs of every window, with a share of the negatives that are new to their user; held-out users keep all of theirs."""
    parts = []
    for n, window in enumerate(windows):
        task.tell(f"features of window {n + 1} of {len(windows)}", n / len(windows))
        found = sources(task.dataset, window, task.config, encoder)
        seed, share = task.seed * 101 + n, task.config.ranker.unseen_share
        truth = task.dataset.truth(window)
        past = past_of(task.dataset, window, truth.users)
        parts.append(pairs_of(past, truth, found, columns=columns, length=length, share=share, seed=seed))
    return joined(parts)


def pairs_of(
    past: Histories, truth: Truth, parts: Sources, *, columns: list[int], length: int, share: float = 1.0, seed: int = 0
) -> Pairs:
    """Histories of a window's users and what they took there -> Pairs. share: of the unseen negatives that are kept."""
    made = []
    for start in range(0, len(past), ROWS):
        part = past.part(start, start + ROWS)
        block = _block(part, start, truth, parts, columns, length)
        draw = np.random.default_rng([seed, start]).random(len(block))
        made.append(block.take((block.labels > 0) | ~block.unseen | (block.users % HELD_OUT == 0) | (draw < share)))
    return joined(made)


def _block(past: Histories, start: int, truth: Truth, parts: Sources, columns: list[int], length: int) -> Pairs:
    """Pairs of the rows from `start` on."""
    width = len(parts.statistics)
    found, features, habit = parts.pairs(past, exclude_seen=False, mask=permitted(width, None, None))
    labels, spend = outcomes(truth, (found.rows + start) * width + found.items, width)
    return Pairs(
        features=features[:, columns],
        labels=labels,
        unseen=~habit.pairs.find(found.rows * width + found.items)[1],
        users=truth.users[found.rows + start].astype(np.int64),
        spend=spend,
        items=found.items,
        rows=found.rows,
        memory=memory(habit, len(past), length=length),
    )


class Rows(NamedTuple):
    """One step's pairs on one device; each has its own row of the memory."""

    step: int
    features: Tensor
    items: Tensor
    memory: Tensor  # [rows, length]
    facts: Tensor  # [rows, length, FACTS]
    labels: Tensor
    spend: Tensor
    unseen: Tensor
    weights: Tensor
    pairs: int  # in the whole step, over all devices


class PairRanker(nn.Module, ABC):
    """A network that says what each pair of a batch costs."""

    @abstractmethod
    def losses(self, batch: Rows) -> Tensor:
        """Loss of each pair. [rows]"""


@dataclass
class PairPlan:
    """Weighted mean loss over shuffled pairs."""

    pairs: Pairs
    weights: F32
    batch: int
    epochs: int
    lr: float
    seed: int

    @property
    def per_epoch(self) -> int:
        """Batches an epoch."""
        return max(1, len(self.pairs) // self.batch)

    @property
    def steps(self) -> int:
        """Batches in all."""
        return self.epochs * self.per_epoch

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Rows]:
        """Batches from a step on."""
        for epoch in range(start // self.per_epoch, self.epochs):
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.pairs))
            for n in range(max(0, start - epoch * self.per_epoch), self.per_epoch):
                at = order[n * self.batch : (n + 1) * self.batch]
                yield self.rows(at[rank::world], step=epoch * self.per_epoch + n, pairs=len(at))

    def rows(self, at: I64, *, step: int, pairs: int) -> Rows:
        """Some pairs as tensors."""
        own = self.pairs
        where = own.rows[at]
        return Rows(
            step,
            features=torch.from_numpy(own.features[at]),
            items=torch.from_numpy(own.items[at]),
            memory=torch.from_numpy(own.memory.items[where]),
            facts=torch.from_numpy(own.memory.facts[where]),
            labels=torch.from_numpy(own.labels[at]),
            spend=torch.from_numpy(own.spend[at]),
            unseen=torch.from_numpy(own.unseen[at]),
            weights=torch.from_numpy(self.weights[at]),
            pairs=pairs,
        )

    def loss(self, net: nn.Module, batch: Rows, world: int) -> Tensor:
        """Mean over the step's pairs, whichever device holds them."""
        assert isinstance(net, PairRanker)
        return (net.losses(batch) * batch.weights).mean() * (len(batch.labels) * world / batch.pairs)


def plan_of(task: Task, own: Pairs, config: DINConfig | MultiTaskConfig, *, warm: bool) -> PairPlan:
    """The plan over some pairs, weighed as the ranker's are; shorter and slower where weights go on from older ones."""
    return PairPlan(
        own,
        weights(own, task.config.ranker),
        batch=config.batch,
        epochs=config.warm_epochs if warm else config.epochs,
        lr=config.lr / 3 if warm else config.lr,
        seed=task.seed,
    )


def learnable(pairs: Pairs) -> Pairs:
    """The pairs of users who are not held out. Raises BadData without a taken one."""
    own = pairs.take(pairs.users % HELD_OUT != 0)
    if not own.labels.any():
        raise BadData(
            f"The ranker has nothing to learn: none of {len(own):,} candidates was taken in its windows. Bring more history, "
            "or lower split.test_days or model.ranker.windows."
        )
    return own


def quality(labels: F32, logits: F32) -> dict[str, float]:
    """AUC and log loss of logits; nothing where all labels are equal."""
    if len(np.unique(labels)) < 2:
        return {}
    probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return {"auc": float(roc_auc_score(labels, probability)), "log_loss": float(log_loss(labels, probability))}


def gone_on(net: nn.Module, path: Path) -> bool:
    """Take over an older model's weights, the rows of `items` by code; False where its sizes differ or it is not there.

    Buffers that say how features were scaled come along; what else is known of items stays the new. Raises BadArtifact
    where the older model knows more items.
    """
    if not path.exists():
        return False
    own, older = net.state_dict(), load_file(path)
    names = {*(n for n, _ in net.named_parameters()), *(SCALING & own.keys())}
    grown = "items.weight" if "items.weight" in own else ""
    if grown and len(older[grown]) > len(own[grown]):
        raise BadArtifact(
            f"{path} knows {len(older[grown]) - 1:,} items where the dataset has {len(own[grown]) - 1:,}: they are of two "
            "lineages. Build the dataset from the champion's vocabulary, or fit without a warm start."
        )
    if any(n not in older or older[n].shape[n == grown :] != own[n].shape[n == grown :] for n in names):
        return False
    taken = {n: older[n] for n in names}
    if grown:
        taken[grown] = torch.cat([older[grown], own[grown][len(older[grown]) :]])
    net.load_state_dict(own | taken)
    return True


def started(net: nn.Module, task: Task, name: str) -> bool:
    """Whether the net goes on from the warm folder's file; told to the task where it cannot."""
    if task.warm is None:
        return False
    found = gone_on(net, task.warm / name)
    if not found:
        task.tell(f"{name}: the older model has other sizes; starting afresh", 0.0)
    return found
