"""Histories -> the fitted models of neural collaborative filtering.

He et al. draw m negatives for each positive, uniformly among what the user never took. Here a step takes some users with
all their positives and scores them against one shared draw of items, each weighed so that the loss is the same in
expectation; where the draw is the whole catalogue it is that expectation itself, without noise, as one matrix product.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.config import ModelConfig, NCFConfig, NeuMFConfig, TrainerConfig
from recloop.data.histories import Histories
from recloop.errors import BadArtifact, BadData
from recloop.models.family import Fitted
from recloop.models.fit import Optimiser, Progress, train
from recloop.models.ncf import WEIGHTS
from recloop.models.ncf_net import NCFNet
from recloop.models.task import Task

ADAM = Optimiser(fused=True)
RIDGE = 1.0
ITERATIONS = 60
TABLES = ("user_factors", "item_factors", "user_deep", "item_deep", "item_bias")


class Users(NamedTuple):
    """Some users with all their positives against one draw of items."""

    step: int
    users: Tensor  # [b]
    rows: Tensor  # [positives] row of `users`
    items: Tensor  # [positives]
    draw: Tensor  # [m] items
    weights: Tensor  # [b, m] negatives each stands for; 0 where the user took the item
    positives: int  # of the step, over all devices


@dataclass(frozen=True)
class NCFPlan:
    """Binary cross-entropy of positives and the negatives they are due."""

    pairs: sparse.csr_matrix  # [n_users, n_codes] ones
    config: NCFConfig
    epochs: int
    seed: int

    @property
    def lr(self) -> float:
        """Peak learning rate."""
        return self.config.lr

    @property
    def per_epoch(self) -> int:
        """Steps in an epoch."""
        return ceil(len(self._active) / self.config.batch)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.epochs * self.per_epoch

    @property
    def _active(self) -> NDArray[np.int64]:
        return np.flatnonzero(np.diff(self.pairs.indptr))

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Users]:
        """Batches from a step on."""
        size = self.config.batch
        for epoch in range(start // self.per_epoch, self.epochs):
            order = np.random.default_rng([self.seed, epoch]).permutation(self._active)
            for n in range(max(0, start - epoch * self.per_epoch), self.per_epoch):
                users = order[n * size : (n + 1) * size]
                positives = int(np.diff(self.pairs.indptr)[users].sum())
                yield self._batch(epoch * self.per_epoch + n, users[rank::world], positives)

    def _batch(self, step: int, users: NDArray[np.int64], positives: int) -> Users:
        own = self.pairs[users]
        width = self.pairs.shape[1]
        draw = np.arange(1, width)
        if self.config.draw < len(draw):
            draw = np.random.default_rng([self.seed, 1, step]).choice(draw, self.config.draw, replace=False)
        free = own[:, draw].toarray() == 0
        due = self.config.negatives * np.diff(own.indptr) / np.maximum(free.sum(axis=1), 1)
        return Users(
            step=step,
            users=torch.from_numpy(users),
            rows=torch.from_numpy(np.repeat(np.arange(len(users)), np.diff(own.indptr))),
            items=torch.from_numpy(own.indices.astype(np.int64)),
            draw=torch.from_numpy(draw),
            weights=torch.from_numpy((free * due[:, None]).astype(np.float32)),
            positives=positives,
        )

    def loss(self, net: nn.Module, batch: Users, world: int) -> Tensor:
        """Cross-entropy and decay for each positive of the step, whichever device holds it."""
        against = net.block(batch.users, batch.draw)  # type: ignore[operator]
        if len(batch.draw) == self.pairs.shape[1] - 1:
            taken = against[batch.rows, batch.items - 1]
        else:
            taken = net.pairs(batch.users, batch.rows, batch.items)  # type: ignore[operator]
        total = F.softplus(-taken).sum() + (F.softplus(against) * batch.weights).sum()
        return (total + self._decay(net, batch)) * world / batch.positives

    def _decay(self, net: nn.Module, batch: Users) -> Tensor:
        """l2 / 2 of each row's square, once for each example it is in (Rendle et al. 2020)."""
        total = batch.weights.new_zeros(())
        if not self.config.l2:
            return total
        users = torch.bincount(batch.rows, minlength=len(batch.users)) * (1 + self.config.negatives)
        items = batch.weights.new_zeros(self.pairs.shape[1]).index_add_(0, batch.draw, batch.weights.sum(0))
        items += torch.bincount(batch.items, minlength=len(items))
        for name in TABLES:
            table = getattr(net, name, None)
            if table is None:
                continue
            rows, counts = (table[batch.users], users) if name.startswith("user") else (table, items)
            total = total + (rows.reshape(len(rows), -1).square().sum(1) * counts).sum()
        return self.config.l2 / 2 * total


def fit_mf(task: Task) -> Fitted:
    """Matrix factorisation with a dot product (Rendle et al. 2020); see `fit_ncf`."""
    return fit_ncf(task, "mf")


def fit_gmf(task: Task) -> Fitted:
    """Generalised matrix factorisation (He et al. 2017, section 3.2); see `fit_ncf`."""
    return fit_ncf(task, "gmf")


def fit_mlp(task: Task) -> Fitted:
    """A perceptron over user and item vectors (He et al. 2017, section 3.3); see `fit_ncf`."""
    return fit_ncf(task, "mlp")


def fit_neumf(task: Task) -> Fitted:
    """Factors and perceptron fused (He et al. 2017, section 3.4); see `fit_ncf`."""
    return fit_ncf(task, "neumf")


def fit_ncf(task: Task, kind: str) -> Fitted:
    """Write ncf.safetensors into task.out; steps, the last loss, and how much of the user vectors the fold-in explains.

    Raises BadData where nothing can be learnt, BadArtifact where the older model knows more users or items.
    """
    pairs = pairs_of(task.past, task.n_codes)
    if not pairs.nnz:
        raise BadData(f"No event of {pairs.shape[0] - 1:,} users lies before the cut: bring more history.")
    job = Job(task.config, task.trainer, task.seed, task.work, task.warm, task.progress)
    net, plan = learnt(pairs, kind, job)
    explained = write(net, pairs, task.out)
    with torch.no_grad():
        loss = float(plan.loss(net, next(plan.batches(plan.steps - 1, rank=0, world=1)), 1))
    return Fitted({f"{kind}_steps": float(plan.steps), f"{kind}_loss": loss, f"{kind}_fold_r2": explained}, {})


@dataclass(frozen=True)
class Job:
    """How pairs are learnt, whatever dataset they are of."""

    config: ModelConfig
    trainer: TrainerConfig
    seed: int
    work: Path
    warm: Path | None = None
    progress: Progress | None = None


def learnt(pairs: sparse.csr_matrix, kind: str, job: Job) -> tuple[NCFNet, NCFPlan]:
    """Who took what [n_users, n_codes] -> the trained network of a kind and its plan. NeuMF may begin from its halves."""
    config: NCFConfig = getattr(job.config, kind)
    torch.manual_seed(job.seed)
    net = NCFNet(kind, config, n_users=pairs.shape[0], n_codes=pairs.shape[1])
    warm = job.warm is not None and _warm(net, job.warm, job)
    if isinstance(config, NeuMFConfig) and config.pretrain and not warm:
        sizes = {"factors": config.factors, "hidden": config.hidden}
        halves = {part: getattr(job.config, part).model_copy(update=sizes) for part in ("gmf", "mlp")}
        alone = replace(job, config=job.config.model_copy(update=halves), warm=None)
        _fuse(net, *(learnt(pairs, part, alone)[0] for part in halves))
    plan = NCFPlan(pairs, config, config.warm_epochs if warm else config.epochs, job.seed)
    train(net, plan, name=kind, trainer=job.trainer, work=job.work, progress=job.progress, optimiser=ADAM)
    return net, plan


def pairs_of(histories: Histories, n_codes: int) -> sparse.csr_matrix:
    """Histories of users 1..n -> who took what, row 0 empty. [n + 1, n_codes]"""
    shape = (len(histories) + 1, n_codes)
    ones = np.ones(len(histories.items), dtype=np.float32)
    made = sparse.csr_matrix((ones, (histories.rows + 1, histories.items)), shape=shape)
    made.sum_duplicates()
    made.data[:] = 1
    return made


def _fuse(net: NCFNet, gmf: NCFNet, mlp: NCFNet) -> None:
    """Begin NeuMF where its halves ended, each output halved (He et al. 2017, section 3.4.1)."""
    state = net.state_dict()
    for half in (gmf, mlp):
        state |= half.state_dict()
    state["output_factors"] = state["output_factors"] / 2
    state["output_deep"] = state["output_deep"] / 2
    state["item_bias"] = (gmf.item_bias.detach() + mlp.item_bias.detach()) / 2
    net.load_state_dict(state)


def _warm(net: NCFNet, folder: Path, job: Job) -> bool:
    """Copy an older model's weights, rows of users and items by code; False where its sizes differ. Raises BadArtifact."""
    weights, own = load_file(folder / WEIGHTS), net.state_dict()
    weights.pop("fold")
    if any(name not in weights or weights[name].shape[1:] != value.shape[1:] for name, value in own.items()):
        if job.progress:
            job.progress("ncf: the older model has other sizes; starting afresh", 0.0)
        return False
    longer = [name for name in TABLES if name in own and len(weights[name]) > len(own[name])]
    if longer:
        raise BadArtifact(
            f"{folder / WEIGHTS} has more rows of {', '.join(longer)} than the dataset has codes: they are of two lineages. "
            "Build the dataset from the champion's vocabulary, or fit without a warm start."
        )
    for name, value in own.items():
        value[: len(weights[name])] = weights[name]
    net.load_state_dict(own)
    return True


def write(net: NCFNet, pairs: sparse.csr_matrix, out: Path) -> float:
    """Write the weights and the fold-in; the share of the learnt vectors' variance that the fold-in explains."""
    vectors = net.vectors().detach().numpy()
    fold, explained = fold_of(pairs, vectors)
    tensors = {name: value.detach().contiguous() for name, value in net.state_dict().items()}
    save_file(tensors | {"fold": torch.from_numpy(fold)}, out / WEIGHTS)
    return explained


def fold_of(pairs: sparse.csr_matrix, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Ridge regression of user vectors on root-normalised histories, by conjugate gradients; and its R squared.

    Minimises |H E - V|^2 + RIDGE |E|^2 over E [n_codes, dim], all columns at once.
    """
    counts = np.diff(pairs.indptr)
    active = counts > 0
    norm = sparse.diags(1 / np.sqrt(np.maximum(counts, 1)))
    design = (norm @ pairs)[active].astype(np.float64)
    wanted = vectors[active].astype(np.float64)
    fold = np.zeros((pairs.shape[1], vectors.shape[1]))
    left = design.T @ wanted
    way, size = left.copy(), np.square(left).sum(axis=0)
    for _ in range(ITERATIONS):
        image = design.T @ (design @ way) + RIDGE * way
        step = size / np.maximum((way * image).sum(axis=0), 1e-30)
        fold += step * way
        left -= step * image
        fresh = np.square(left).sum(axis=0)
        way = left + fresh / np.maximum(size, 1e-30) * way
        size = fresh
    missed = np.square(design @ fold - wanted).sum()
    return fold.astype(np.float32), float(1 - missed / max(np.square(wanted - wanted.mean(axis=0)).sum(), 1e-30))
