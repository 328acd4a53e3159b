"""How every deep part is trained: Lightning's Trainer, checkpoints without pickle, and a resume that is exact.

Batches and random draws are functions of the step, so weights, Adam's moments and the step are the whole state.
"""

import hashlib
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import pytorch_lightning as pl
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from recloop.config import TrainerConfig
from recloop.errors import BadArtifact
from recloop.models.profiling import FOLDER, Profiling
from recloop.models.row_adam import RowAdam
from recloop.models.watch import STATE, Keeper, Kept, Watch

Progress = Callable[[str, float], None]
WARM_UP = 50  # steps


class Plan(Protocol):
    """What is learnt: batches by step, and the loss of one."""

    @property
    def steps(self) -> int:
        """Batches in all."""

    @property
    def seed(self) -> int:
        """Of every draw."""

    @property
    def lr(self) -> float:
        """Peak learning rate."""

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Any]:
        """Batches from a step on, for one device of several."""

    def loss(self, net: nn.Module, batch: Any, world: int) -> Tensor:
        """Scalar; the mean over devices is the loss of the step."""


@dataclass(frozen=True)
class Optimiser:
    """Adam, or AdamW where weights decay; its learning rate after the warm-up falls to zero or stays."""

    weight_decay: float = 0.0
    schedule: Literal["linear", "constant"] = "linear"
    fused: bool = False
    """one kernel for all weights: faster for big tables, other roundings"""
    rows: bool = False
    """tables with sparse gradients move only in the rows of a step"""

    def build(self, net: nn.Module, lr: float) -> torch.optim.Optimizer:
        """The optimiser of a net's weights."""
        if self.weight_decay:
            return torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=self.weight_decay, fused=self.fused)
        kind = RowAdam if self.rows else torch.optim.Adam
        return kind(net.parameters(), lr=lr, fused=self.fused or None)

    def rate(self, peak: float, step: int, steps: int) -> float:
        """Learning rate of a step."""
        left = 1 - step / steps if self.schedule == "linear" else 1.0
        return peak * min(1.0, (step + 1) / WARM_UP) * left


ADAM = Optimiser()


def train(
    net: nn.Module,
    plan: Plan,
    *,
    name: str,
    trainer: TrainerConfig,
    work: Path,
    progress: Progress | None = None,
    optimiser: Optimiser = ADAM,
    watch: Watch | None = None,
) -> dict[str, float]:
    """Train `net` in place by `plan`; goes on from work/<name>.safetensors where a killed fit of the same plan left one.

    Deterministic on the CPU. With several devices every process runs this and ends with the same weights; `work` is
    shared by them. With `watch` the net ends with the weights of the best score, which is returned with its step. Raises
    BadArtifact where the checkpoint is unreadable.
    """
    torch.set_num_threads(trainer.threads)
    torch.use_deterministic_algorithms(True)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    learner, kept = Learner(net, plan, optimiser), Kept()
    path = work / f"{name}.safetensors"
    identity = _identity(net, plan, optimiser, watch)
    checkpoint = Checkpoint(path, kept, identity=identity, seconds=trainer.checkpoint_seconds)
    start = checkpoint.resume(learner)
    if start < plan.steps and not kept.stopped:
        watching = [] if watch is None else [Keeper(watch, kept)]
        looking = [Profiling(work / FOLDER, name)] if trainer.profile else []
        lightning = _trainer(trainer, work, [*looking, *watching, checkpoint, Bar(name, plan.steps, progress)])
        loader = DataLoader(Steps(plan, start), batch_size=None)
        with warnings.catch_warnings():
            # a stream of ready batches has neither a length nor workers, by design
            warnings.filterwarnings("ignore", module="pytorch_lightning")
            lightning.fit(learner, loader)
    if kept.weights:
        net.load_state_dict(kept.weights)
    net.eval()
    return {"score": kept.score, "step": float(kept.step)} if kept.weights else {}


def _identity(net: nn.Module, plan: Plan, optimiser: Optimiser, watch: Watch | None) -> str:
    """Hash of the first weights, the first batch and the schedule: a checkpoint of anything else is not gone on with."""
    first = next(plan.batches(0, rank=0, world=1))
    looks = None if watch is None else (watch.every, watch.patience)
    found = hashlib.sha256(repr((plan.steps, plan.seed, plan.lr, optimiser, looks)).encode())
    for tensor in (*net.state_dict().values(), *(part for part in first if isinstance(part, Tensor))):
        found.update(repr(tuple(tensor.shape)).encode() + tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


def _trainer(config: TrainerConfig, work: Path, callbacks: list[pl.Callback]) -> pl.Trainer:
    return pl.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=config.strategy,
        precision=config.precision,  # type: ignore[arg-type]
        max_epochs=1,
        default_root_dir=work,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


class Steps(IterableDataset[Any]):
    """The plan's batches for this device, from one step on."""

    def __init__(self, plan: Plan, start: int) -> None:
        self.plan, self.start = plan, start

    def __iter__(self) -> Iterator[Any]:
        world = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
        rank = torch.distributed.get_rank() if world > 1 else 0
        return self.plan.batches(self.start, rank=rank, world=world)


class Learner(pl.LightningModule):
    """One optimiser, its learning rate a function of the step."""

    def __init__(self, net: nn.Module, plan: Plan, optimiser: Optimiser) -> None:
        super().__init__()
        self.net, self.plan, self.optimiser = net, plan, optimiser
        self.adam = optimiser.build(net, plan.lr)

    def training_step(self, batch: Any, _: int) -> Tensor:
        """Loss of one batch; dropout's draws belong to the step."""
        seed_draws((self.plan.seed * 1_000_003 + batch.step) * self.trainer.world_size + self.global_rank, self.device)
        for group in self.adam.param_groups:
            group["lr"] = self.optimiser.rate(self.plan.lr, batch.step, self.plan.steps)
        return self.plan.loss(self.net, batch, self.trainer.world_size)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The one Adam."""
        return self.adam


def seed_draws(seed: int, device: torch.device) -> None:
    """Seed what one device draws, as torch.manual_seed does for all of them.

    That one keeps, for ever, a call and its stack for each kind of device that is not in use: a tenth of a small step.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


class Checkpoint(pl.Callback):
    """Weights, Adam's moments, the next step and what was kept, written whole or not at all, on a timer and at the end."""

    def __init__(self, path: Path, kept: Kept, *, identity: str, seconds: float) -> None:
        self.path, self.kept, self.identity, self.seconds = path, kept, identity, seconds
        self.saved = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, learner: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Save when the timer has run out or the fit is done."""
        done = batch.step + 1 == learner.plan.steps or self.kept.stopped
        if trainer.is_global_zero and (done or time.monotonic() - self.saved >= self.seconds):
            self.save(learner, batch.step + 1)
            self.saved = time.monotonic()

    def save(self, learner: Learner, step: int) -> None:
        """Write the state after `step` steps."""
        tensors = {f"net.{n}": p.detach().contiguous() for n, p in learner.net.state_dict().items()}
        for n, p in learner.net.named_parameters():
            for key, value in learner.adam.state.get(p, {}).items():
                tensors[f"adam.{key}.{n}"] = value.detach().contiguous()
        tensors |= {f"kept.{n}": value.contiguous() for n, value in self.kept.weights.items()}
        part = self.path.with_suffix(".part")
        save_file(tensors, part, metadata={"step": str(step), "identity": self.identity, STATE: self.kept.facts()})
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(self.path)

    def resume(self, learner: Learner) -> int:
        """Restore what the same fit saved; the step to go on with. Raises BadArtifact."""
        facts = self._facts()
        if facts.get("identity") != self.identity:
            return 0
        tensors = load_file(self.path)
        learner.net.load_state_dict({k.removeprefix("net."): v for k, v in tensors.items() if k.startswith("net.")})
        for n, p in learner.net.named_parameters():
            state = {
                k.split(".")[1]: v for k, v in tensors.items() if k.startswith("adam.") and k.split(".", 2)[2] == n
            }
            if state:
                learner.adam.state[p] = state
        best = {k.removeprefix("kept."): v for k, v in tensors.items() if k.startswith("kept.")}
        self.kept.restore(facts[STATE], best)
        return int(facts["step"])

    def _facts(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        try:
            with safe_open(self.path, framework="pt") as file:
                return dict(file.metadata() or {})
        except SafetensorError as error:
            raise BadArtifact(f"The checkpoint {self.path} is unreadable: {error}. Delete it and run again.") from error


class Bar(pl.Callback):
    """Tell progress about every hundredth part."""

    def __init__(self, name: str, steps: int, progress: Progress | None) -> None:
        self.name, self.steps, self.progress = name, steps, progress

    def on_train_batch_end(self, trainer: pl.Trainer, learner: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Report the share done."""
        if self.progress and trainer.is_global_zero and batch.step % max(1, self.steps // 100) == 0:
            self.progress(f"{self.name}: step {batch.step + 1} of {self.steps}", (batch.step + 1) / self.steps)
