"""Histories -> a trained and exported SASRec."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recloop.config import SASRecConfig, TrainerConfig
from recloop.data.discoveries import discoveries
from recloop.data.histories import Histories
from recloop.errors import BadArtifact, BadData
from recloop.models.export import export
from recloop.models.fit import Progress, train
from recloop.models.losses import sampled_softmax
from recloop.models.sasrec import LastState, SASRec
from recloop.models.sequences import Batch, Sequences

WEIGHTS, VECTORS, KNOWN, ENCODER = "sasrec.safetensors", "item_vectors.npy", "item_known.npy", "encoder.onnx"


@dataclass(frozen=True)
class SASRecPlan:
    """Sampled softmax over the sequences of all users."""

    sequences: Sequences
    log_q: Tensor  # [n_codes]

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
        return self.sequences.config.lr

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Batch]:
        """Batches from a step on."""
        return self.sequences.batches(start, rank=rank, world=world)

    def loss(self, net: nn.Module, batch: Batch, world: int) -> Tensor:
        """Mean over the step's real targets, whichever device holds them."""
        real = batch.targets > 0
        states = net(batch.items)[real]  # [positions, dim]
        vectors: Tensor = net.items.weight  # type: ignore[union-attr, assignment]
        log_q = self.log_q.to(vectors.device)
        total = sampled_softmax(states, batch.targets[real], batch.negatives, vectors, log_q)
        return total * world / batch.positions


def fit_sasrec(
    histories: Histories,
    *,
    n_codes: int,
    config: SASRecConfig,
    trainer: TrainerConfig,
    seed: int,
    out: Path,
    work: Path,
    warm: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Write sasrec.safetensors, encoder.onnx, item_vectors.npy and item_known.npy into `out`; steps, and the last loss.

    `warm`: folder of an older model, whose rows of known codes go on from where they were; a folder without a SASRec, or
    with one of other sizes, is told to `progress` and passed over. `work`: checkpoints, where a killed fit goes on; on
    several nodes it must be shared. Raises BadData where nothing can be learnt, BadArtifact where `warm` knows more codes.
    """
    torch.manual_seed(seed)
    net = SASRec(n_codes, config)
    learnt = histories if config.repeats else discoveries(histories)
    known = np.bincount(learnt.items, minlength=n_codes) > 0
    older = None if warm is None else _older(net, warm, progress)
    if older is not None:
        known |= _warm(net, *older)
    plan = _plan(learnt, n_codes, config, config.epochs if older is None else config.warm_epochs, seed)
    train(net, plan, name="sasrec", trainer=trainer, work=work, progress=progress)
    _write(net, known, config, out)
    return {"sasrec_steps": float(plan.steps), "sasrec_loss": _last_loss(net, plan)}


def _plan(histories: Histories, n_codes: int, config: SASRecConfig, epochs: int, seed: int) -> SASRecPlan:
    counts = np.bincount(histories.items, minlength=n_codes).astype(np.float64)
    counts[1:] += 1.0
    counts[0] = 0.0
    probability = counts / counts.sum()
    log_q = torch.from_numpy(np.log(np.maximum(probability * config.negatives, 1e-12)).astype(np.float32))
    plan = SASRecPlan(Sequences(histories, config, epochs, seed, probability), log_q)
    if not plan.steps:
        raise BadData(
            f"SASRec has nothing to learn: none of {len(histories):,} users has two "
            f"{'events' if config.repeats else 'different items'}. Bring more history or set model.ranker.use_sasrec: false."
        )
    return plan


def _older(net: SASRec, folder: Path, progress: Progress | None) -> tuple[dict[str, Tensor], NDArray[np.bool_]] | None:
    """Weights and known codes of an older model; None where it cannot be gone on with. Raises BadArtifact."""
    if not (folder / WEIGHTS).exists():
        return None
    weights, own = load_file(folder / WEIGHTS), net.state_dict()
    rows, codes = len(weights["items.weight"]), len(own["items.weight"])
    if rows > codes:
        raise BadArtifact(
            f"{folder / WEIGHTS} knows {rows - 1:,} items where the dataset has {codes - 1:,}: they are of two lineages. "
            "Build the dataset from the champion's vocabulary, or fit without a warm start."
        )
    expected = {name: value.shape[1:] if name == "items.weight" else value.shape for name, value in own.items()}
    found = {name: value.shape[1:] if name == "items.weight" else value.shape for name, value in weights.items()}
    if expected != found:
        if progress:
            progress("sasrec: the older model has other sizes; starting afresh", 0.0)
        return None
    return weights, np.load(folder / KNOWN, allow_pickle=False)


def _warm(net: SASRec, weights: dict[str, Tensor], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Copy an older model's weights, item rows by code; which codes it was trained on. [n_codes]"""
    own = net.state_dict()
    items = own["items.weight"].clone()
    items[: len(known)] = weights["items.weight"]
    net.load_state_dict(weights | {"items.weight": items})
    return np.pad(known, (0, len(items) - len(known)))


def _write(net: SASRec, known: NDArray[np.bool_], config: SASRecConfig, out: Path) -> None:
    save_file({n: p.contiguous() for n, p in net.state_dict().items()}, out / WEIGHTS)
    np.save(out / VECTORS, net.items.weight.detach().numpy())
    np.save(out / KNOWN, known)
    export(
        LastState(net),
        {"items": torch.ones(2, 3, dtype=torch.long), "lengths": torch.tensor([3, 2])},
        "state",
        {"items": {0: "batch", 1: "length"}, "lengths": {0: "batch"}, "state": {0: "batch"}},
        out / ENCODER,
        facts={"length": str(config.length), "repeats": str(int(config.repeats))},
    )


def _last_loss(net: SASRec, plan: SASRecPlan) -> float:
    """Loss of the last step's batch under the final weights, without dropout."""
    with torch.no_grad():
        return float(plan.loss(net, next(plan.batches(plan.steps - 1, rank=0, world=1)), 1))
