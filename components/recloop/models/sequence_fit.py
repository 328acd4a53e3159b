"""What the fits of all sequence models share: the plan, the warm start, the files, and the look at a watched window."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recloop.config import SequenceConfig, TrainerConfig
from recloop.data.discoveries import discoveries
from recloop.data.histories import Histories
from recloop.errors import BadArtifact
from recloop.models.cooccurrence import item_vectors
from recloop.models.export import export
from recloop.models.fit import Optimiser, Progress, train
from recloop.models.losses import fast_sampled_softmax, full_softmax, sampled_softmax
from recloop.models.sequences import Batch, Sequences
from recloop.models.watch import Watch

VECTORS, KNOWN, ENCODER = "item_vectors.npy", "item_known.npy", "encoder.onnx"


@dataclass(frozen=True)
class SequencePlan:
    """A softmax loss at the real targets of all users' sequences."""

    sequences: Sequences
    log_q: Tensor  # [n_codes]

    @property
    def config(self) -> SequenceConfig:
        """The model's settings."""
        return self.sequences.config

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.sequences.steps

    @property
    def seed(self) -> int:
        """Of every draw."""
        return self.sequences.seed

    @property
    def lr(self) -> float:
        """Peak learning rate."""
        return self.config.lr

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Batch]:
        """Batches from a step on."""
        return self.sequences.batches(start, rank=rank, world=world)

    def loss(self, net: nn.Module, batch: Batch, world: int) -> Tensor:
        """Mean over the step's real targets, whichever device holds them."""
        real = batch.targets > 0
        states = net(batch.items, batch.times, batch.lengths)[real]  # [positions, dim]
        vectors: Tensor = net.items.weight  # type: ignore[union-attr, assignment]
        if self.config.loss == "full":
            total = full_softmax(states, batch.targets[real], vectors)
        else:
            log_q = self.log_q.to(vectors.device)
            softmax = fast_sampled_softmax if self.config.fast else sampled_softmax
            total = softmax(states, batch.targets[real], batch.negatives, vectors, log_q)
        return total * world / batch.positions


def draws(learnt: Histories, n_codes: int, config: SequenceConfig) -> tuple[NDArray[np.float64], Tensor]:
    """How likely each code is drawn as a negative, and the log of its expected count in a batch. [n_codes] both"""
    counts = np.bincount(learnt.items, minlength=n_codes).astype(np.float64)
    counts[1:] += 1.0
    counts[0] = 0.0
    if config.draw == "uniform":
        counts[1:] = 1.0
    probability = counts / counts.sum()
    log_q = torch.from_numpy(np.log(np.maximum(probability * config.negatives, 1e-12)).astype(np.float32))
    return probability, log_q


def seen_of(histories: Histories, config: SequenceConfig) -> Histories:
    """What a model of these settings sees of histories."""
    return histories if config.repeats else discoveries(histories)


@dataclass(frozen=True)
class Start:
    """A net to be trained, what is known of its items, and whether it goes on from an older one."""

    net: nn.Module
    known: NDArray[np.bool_]  # [n_codes]
    warm: bool

    def epochs(self, config: SequenceConfig) -> int:
        """Epochs to train."""
        return config.warm_epochs if self.warm else config.epochs


def begin(
    net: nn.Module,
    learnt: Histories,
    config: SequenceConfig,
    *,
    name: str,
    warm: Path | None,
    progress: Progress | None,
) -> Start:
    """A fresh net, with the weights of an older one of the same sizes where `warm` holds one. Raises BadArtifact."""
    n_codes = len(net.state_dict()["items.weight"])
    known = np.bincount(learnt.items, minlength=n_codes) > 0
    older = None if warm is None else _older(net, warm, name, progress)
    if older is None:
        _place(net, learnt, config)
        return Start(net, known, warm=False)
    return Start(net, known | _warm(net, *older), warm=True)


def _place(net: nn.Module, learnt: Histories, config: SequenceConfig) -> None:
    """Item vectors before the first step, where they are not simply drawn; items without a neighbour stay drawn."""
    if config.first == "random":
        return
    own: Tensor = net.items.weight.data  # type: ignore[union-attr, assignment]
    found = item_vectors(learnt, n_codes=len(own), dim=config.dim, scale=config.first_scale)
    placed = torch.from_numpy(found).to(own.device)
    own.copy_(torch.where((placed != 0).any(1, keepdim=True), placed, own))


def finish(
    start: Start,
    plan: SequencePlan,
    wrapped: nn.Module,
    *,
    name: str,
    trainer: TrainerConfig,
    out: Path,
    work: Path,
    progress: Progress | None,
    watch: Watch | None,
    room: int = 0,
) -> dict[str, float]:
    """Train, write <name>.safetensors and the encoder's files; steps, last loss, and the watched score where there is one.

    room: places that the exported net adds to a sequence.
    """
    net, config = start.net, plan.config
    optimiser = Optimiser(weight_decay=config.weight_decay, schedule=config.schedule, fused=config.fast)
    found = train(net, plan, name=name, trainer=trainer, work=work, progress=progress, optimiser=optimiser, watch=watch)
    save_file({n: p.contiguous() for n, p in net.state_dict().items()}, out / f"{name}.safetensors")
    np.save(out / VECTORS, net.items.weight.detach().numpy())  # type: ignore[union-attr, operator]
    np.save(out / KNOWN, start.known)
    _export(wrapped, config, out, room)
    watched = {"watched_ndcg_10": found["score"], "best_step": found["step"]} if found else {}
    return {f"{name}_steps": float(plan.steps), f"{name}_loss": _last_loss(net, plan)} | watched


def _export(wrapped: nn.Module, config: SequenceConfig, out: Path, room: int) -> None:
    inputs = {"items": torch.ones(2, 3, dtype=torch.long), "lengths": torch.tensor([3, 2])}
    axes = {"items": {0: "batch", 1: "length"}, "lengths": {0: "batch"}, "state": {0: "batch"}}
    if "times" in wrapped.forward.__annotations__:
        inputs["times"] = torch.arange(6).view(2, 3)
        axes["times"] = {0: "batch", 1: "length"}
    facts = {"length": str(config.length - room), "repeats": str(int(config.repeats))}
    export(wrapped, inputs, "state", axes, out / ENCODER, facts=facts)


def _older(
    net: nn.Module, folder: Path, name: str, progress: Progress | None
) -> tuple[dict[str, Tensor], NDArray[np.bool_]] | None:
    """Weights and known codes of an older model; None where it cannot be gone on with. Raises BadArtifact."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        return None
    weights, own = load_file(path), net.state_dict()
    rows, codes = len(weights["items.weight"]), len(own["items.weight"])
    if rows > codes:
        raise BadArtifact(
            f"{path} knows {rows - 1:,} items where the dataset has {codes - 1:,}: they are of two lineages. "
            "Build the dataset from the champion's vocabulary, or fit without a warm start."
        )
    expected, found = _sizes(own), _sizes(weights)
    if expected != found:
        if progress:
            progress(f"{name}: the older model has other sizes; starting afresh", 0.0)
        return None
    return weights, np.load(folder / KNOWN, allow_pickle=False)


def _sizes(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    """Shapes that must agree: the number of items need not."""
    return {name: value.shape[1:] if name == "items.weight" else value.shape for name, value in weights.items()}


def _warm(net: nn.Module, weights: dict[str, Tensor], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Copy an older model's weights, item rows by code; which codes it was trained on. [n_codes]"""
    items = net.state_dict()["items.weight"].clone()
    items[: len(known)] = weights["items.weight"]
    net.load_state_dict(weights | {"items.weight": items})
    return np.pad(known, (0, len(items) - len(known)))


def _last_loss(net: nn.Module, plan: SequencePlan) -> float:
    """Loss of the last step's batch under the final weights, without dropout."""
    with torch.no_grad():
        return float(plan.loss(net, next(plan.batches(plan.steps - 1, rank=0, world=1)), 1))
