"""What the fits of all sequence models share: the plan, the draws and the files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from recloop.config import SequenceConfig, TrainerConfig
from recloop.data.discoveries import discoveries
from recloop.data.histories import Histories
from recloop.models.export import export
from recloop.models.fit import Optimiser, Progress, train
from recloop.models.item_tables import FusedItems, Items
from recloop.models.losses import fast_sampled_softmax, full_softmax, sampled_softmax
from recloop.models.sequence_net import LastState, SequenceNet
from recloop.models.sequences import Batch, Sequences
from recloop.models.warm_start import KNOWN, Start
from recloop.models.watch import Watch

VECTORS, ENCODER = "item_vectors.npy", "encoder.onnx"


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
        states = net(batch.items, batch.times, batch.lengths, batch.context)[real]  # [positions, dim]
        items: Items | FusedItems = net.items  # type: ignore[assignment]
        return self._total(states, batch.targets[real], batch.negatives, items) * world / batch.positions

    def _total(self, states: Tensor, targets: Tensor, negatives: Tensor, items: Items | FusedItems) -> Tensor:
        """Summed loss of states [positions, dim] and what follows them [positions]."""
        if self.config.loss == "full":
            return full_softmax(states, targets, items.vectors())
        softmax = fast_sampled_softmax if self.config.fast else sampled_softmax
        vectors, wanted, others, log_q = items.among(targets, negatives, self.log_q.to(states.device))
        return softmax(states, wanted, others, vectors, log_q)


def draws(learnt: Histories, n_codes: int, config: SequenceConfig) -> tuple[NDArray[np.float64], Tensor]:
    """How likely each code is drawn as a negative, and the log of its expected count in a batch. [n_codes] both

    Where contents are read, an item that nobody took is not drawn: its like would learn that it is never taken.
    """
    counts = np.bincount(learnt.items, minlength=n_codes).astype(np.float64)
    drawn = np.arange(n_codes) > 0 if not config.content else counts > 0
    counts = np.where(drawn, 1.0 if config.draw == "uniform" else counts + 1.0, 0.0)
    probability = counts / counts.sum()
    log_q = torch.from_numpy(np.log(np.maximum(probability * config.negatives, 1e-12)).astype(np.float32))
    return probability, log_q


def seen_of(histories: Histories, config: SequenceConfig) -> Histories:
    """What a model of these settings sees of histories."""
    return histories if config.repeats else discoveries(histories)


def finish(
    start: Start,
    plan: SequencePlan,
    wrapped: LastState,
    *,
    name: str,
    trainer: TrainerConfig,
    out: Path,
    work: Path,
    progress: Progress | None,
    watch: Watch | None,
) -> dict[str, float]:
    """Train, write <name>.safetensors and the encoder's files; steps, last loss, and the watched score where there is one."""
    net, config = start.net, plan.config
    optimiser = Optimiser(
        weight_decay=config.weight_decay, schedule=config.schedule, fused=config.fast, rows=config.sparse
    )
    found = train(net, plan, name=name, trainer=trainer, work=work, progress=progress, optimiser=optimiser, watch=watch)
    save_file({n: p.contiguous() for n, p in net.state_dict().items()}, out / f"{name}.safetensors")
    np.save(out / KNOWN, start.known)
    figures = {f"{name}_steps": float(plan.steps), f"{name}_loss": _last_loss(net, plan)}
    np.save(out / VECTORS, _settled(net))
    _export(wrapped, config, out)
    return figures | ({"watched_ndcg_10": found["score"], "best_step": found["step"]} if found else {})


def _settled(net: SequenceNet) -> NDArray[np.float32]:
    """Vectors of all items; from here on the net looks them up as they are. [n_codes, dim]"""
    with torch.no_grad():
        vectors = net.items.vectors().detach().clone()
    net.items = Items(len(vectors), vectors.shape[1], _weight=vectors)
    made: NDArray[np.float32] = vectors.numpy()
    return made


def _export(wrapped: LastState, config: SequenceConfig, out: Path) -> None:
    inputs = {"items": torch.ones(2, 3, dtype=torch.long), "lengths": torch.tensor([3, 2])}
    axes = {"items": {0: "batch", 1: "length"}, "lengths": {0: "batch"}, "state": {0: "batch"}}
    more = {"times": torch.arange(6).view(2, 3), "context": torch.ones(2, 3, len(config.context), dtype=torch.long)}
    for name in wrapped.inputs[2:]:
        inputs[name], axes[name] = more[name], {0: "batch", 1: "length"}
    facts = {"length": str(config.length - wrapped.room), "repeats": str(int(config.repeats))}
    if config.context:
        facts["context"] = json.dumps(config.context)
    export(wrapped, inputs, "state", axes, out / ENCODER, facts=facts)


def _last_loss(net: nn.Module, plan: SequencePlan) -> float:
    """Loss of the last step's batch under the final weights, without dropout."""
    with torch.no_grad():
        return float(plan.loss(net, next(plan.batches(plan.steps - 1, rank=0, world=1)), 1))
